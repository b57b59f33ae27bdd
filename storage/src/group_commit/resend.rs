//! Getting a batch into the log for sure: sent again after a lost connection, halved when the database refuses it.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::{Instant, sleep};

use crate::StorageError;
use crate::events::{Append, EventLog, Verdict, Wanted};

type Answers = Vec<Result<Verdict, StorageError>>;

/// The pause after the first failure; it doubles up to the bound.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// Appends `batch` and answers each command truly: what it says is committed is, what it says is refused is not, and
/// what it cannot know by the deadline it calls unknown. It tries at least once.
pub(super) async fn append_for_sure(log: &dyn EventLog, batch: Vec<Append>, deadline: Instant) -> Answers {
    settle(log, &batch, Sent::Never, deadline).await
}

/// Whether an earlier try may have reached the log unanswered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sent {
    Never,
    Perhaps,
}

fn settle<'a>(log: &'a dyn EventLog, batch: &'a [Append], mut sent: Sent, deadline: Instant) -> BoxFuture<'a, Answers> {
    async move {
        let mut pause = FIRST_PAUSE;
        loop {
            match log.append(batch).await {
                Ok(verdicts) if sent == Sent::Never => return verdicts.into_iter().map(Ok).collect(),
                Ok(verdicts) => return told_apart(log, batch, verdicts, deadline).await.into_iter().map(Ok).collect(),
                Err(StorageError::Unavailable(why)) => {
                    sent = Sent::Perhaps;
                    if Instant::now() + pause > deadline {
                        return all(batch, &StorageError::Unknown(why));
                    }
                    tracing::warn!(commands = batch.len(), %why, "sending a batch again");
                    sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                // One bad command must harm no other: find it by halving.
                Err(StorageError::Rejected(_)) if batch.len() > 1 => {
                    let (left, right) = batch.split_at(batch.len() / 2);
                    let mut answers = settle(log, left, sent, deadline).await;
                    answers.extend(settle(log, right, sent, deadline).await);
                    return answers;
                }
                // This try did nothing, an earlier one may have.
                Err(StorageError::Full(why)) if sent == Sent::Perhaps => {
                    return all(batch, &StorageError::Unknown(why));
                }
                Err(error) => return all(batch, &error),
            }
        }
    }
    .boxed()
}

/// A duplicate of what this very batch sent before is its own success. It may also be one of an earlier command under
/// the same key, or of the same command decided on older streams; so what counts is whose event stands where this
/// command's first one would.
async fn told_apart(
    log: &dyn EventLog,
    batch: &[Append],
    mut verdicts: Vec<Verdict>,
    deadline: Instant,
) -> Vec<Verdict> {
    for (append, verdict) in batch.iter().zip(&mut verdicts) {
        if let Verdict::Duplicate(receipt) = *verdict
            && stands(log, append, deadline).await
        {
            *verdict = Verdict::Committed(receipt);
        }
    }
    verdicts
}

/// Whether the first event of a command stands where it was to go. Unless that is known it does not: to be told of a
/// duplicate is true either way.
async fn stands(log: &dyn EventLog, append: &Append, deadline: Instant) -> bool {
    let Some(write) = append.streams.iter().find(|write| !write.events.is_empty()) else { return false };
    let wanted = [Wanted { stream: write.stream.clone(), after: write.expected }];
    loop {
        match log.load(&wanted).await {
            Ok(events) => return events.first().is_some_and(|event| event.event_id == write.events[0].event_id),
            Err(StorageError::Unavailable(_)) if Instant::now() + FIRST_PAUSE < deadline => sleep(FIRST_PAUSE).await,
            Err(_) => return false,
        }
    }
}

fn all(batch: &[Append], error: &StorageError) -> Answers {
    batch.iter().map(|_| Err(error.clone())).collect()
}
