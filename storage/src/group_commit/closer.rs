//! The queue's side: workers who end their claims at the same time share a call.

use std::collections::{HashSet, VecDeque};
use std::fmt;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::combine::{Combiner, Job, Waiting};
use crate::StorageError;
use crate::database::Database;
use crate::wake::Wakeups;
use crate::work::{Closing, ENDED_AT_ONCE, Ended, Ending};

pub(crate) struct Closer {
    combiner: Combiner<Endings>,
}

impl fmt::Debug for Closer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.combiner.fmt(f)
    }
}

struct Endings {
    database: Database,
    wakeups: Wakeups,
}

impl Closer {
    pub(crate) fn new(database: Database, wakeups: Wakeups, places: usize) -> Self {
        // One call in flight: two would wait for each other's lanes.
        Self { combiner: Combiner::new(Endings { database, wakeups }, 1, places) }
    }

    /// Safe to drop at any point: the claim is then ended or not, and to ask again tells.
    pub(crate) async fn end(&self, ending: Ending) -> Result<Closing, StorageError> {
        let lost = |_| StorageError::Unknown("the call was abandoned".to_owned());
        self.combiner.submit(ending).await.map_err(lost)?
    }
}

impl Job for Endings {
    type Ask = Ending;
    type Answer = Result<Closing, StorageError>;

    /// In order, but each work once: a second ending waits for the next call, which knows what became of the first.
    fn select(&self, waiting: &mut VecDeque<Waiting<Self>>) -> Vec<Waiting<Self>> {
        let mut taken = HashSet::new();
        let (mut batch, mut later) = (Vec::new(), VecDeque::new());
        while batch.len() < ENDED_AT_ONCE
            && let Some(next) = waiting.pop_front()
        {
            if taken.insert(next.ask.claim.work_id) {
                batch.push(next);
            } else {
                later.push_back(next);
            }
        }
        later.append(waiting);
        *waiting = later;
        batch
    }

    async fn run(&self, asks: Vec<Ending>) -> Vec<Self::Answer> {
        self.end(&asks).await
    }
}

impl Endings {
    fn end<'a>(&'a self, asks: &'a [Ending]) -> BoxFuture<'a, Vec<Result<Closing, StorageError>>> {
        async move {
            match self.database.end_claims(asks).await {
                Ok(ended) => self.closed(asks, &ended),
                // One bad ending must harm no other: find it by halving. What is refused has done nothing.
                Err(StorageError::Rejected(_)) if asks.len() > 1 => {
                    let (left, right) = asks.split_at(asks.len() / 2);
                    let mut answers = self.end(left).await;
                    answers.extend(self.end(right).await);
                    answers
                }
                Err(error) => asks.iter().map(|_| Err(error.clone())).collect(),
            }
        }
        .boxed()
    }

    fn closed(&self, asks: &[Ending], ended: &Ended) -> Vec<Result<Closing, StorageError>> {
        let again = asks.iter().any(|ask| ask.is_claimable_again() && ended.ids.contains(&ask.claim.work_id));
        if again || ended.promoted > 0 {
            self.wakeups.work();
        }
        let closing = |held| if held { Closing::Closed } else { Closing::Fenced };
        asks.iter().map(|ask| Ok(closing(ended.ids.contains(&ask.claim.work_id)))).collect()
    }
}
