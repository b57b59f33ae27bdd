//! A group commit as one writes it first, without a thought for the caller who leaves: the control of those tests.

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use storage::{Append, EventLog, Limits, Verdict, Writer};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::commands::on;
use crate::deterministic::polled;
use crate::fake::{Fake, Trouble};

struct Naive {
    log: Arc<dyn EventLog>,
    waiting: Mutex<Vec<(Append, oneshot::Sender<Verdict>)>>,
    led: AtomicBool,
}

impl Naive {
    async fn append(&self, append: Append) -> Option<Verdict> {
        let (answer, answered) = oneshot::channel();
        self.waiting.lock().unwrap().push((append, answer));
        if !self.led.swap(true, Ordering::SeqCst) {
            loop {
                let (batch, answers): (Vec<_>, Vec<_>) =
                    mem::take(&mut *self.waiting.lock().unwrap()).into_iter().unzip();
                if batch.is_empty() {
                    break;
                }
                let verdicts = self.log.append(&batch).await.ok()?;
                for (answer, verdict) in answers.into_iter().zip(verdicts) {
                    let _gone = answer.send(verdict);
                }
            }
            self.led.store(false, Ordering::SeqCst);
        }
        answered.await.ok()
    }
}

type Appending = dyn Fn(Append) -> BoxFuture<'static, Option<Verdict>>;

/// How many of eight callers get no answer when one who was there before them leaves after having looked so many times.
fn harmed(times: u64, group_commit: impl FnOnce(Arc<Fake>) -> Box<Appending>) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let append = group_commit(Fake::new(times, Trouble::default(), None));
        let leaver = polled(append(on("leaver", 0)), times);
        let others = (0..8).map(|n| timeout(Duration::from_secs(5), append(on(&n.to_string(), 0))));
        let (_left, answers) = tokio::join!(leaver, join_all(others));
        answers.into_iter().filter(|answer| !matches!(answer, Ok(Some(Verdict::Committed(_))))).count()
    })
}

#[test]
fn who_leaves_harms_nobody_but_in_a_naive_group_commit() {
    let ours = |fake: Arc<Fake>| -> Box<Appending> {
        let writer = Arc::new(Writer::new(fake, Limits::default()));
        Box::new(move |append| {
            let writer = writer.clone();
            async move { writer.append(append).await.ok() }.boxed()
        })
    };
    let naive = |fake: Arc<Fake>| -> Box<Appending> {
        let naive = Arc::new(Naive { log: fake, waiting: Mutex::default(), led: AtomicBool::new(false) });
        Box::new(move |append| {
            let naive = naive.clone();
            async move { naive.append(append).await }.boxed()
        })
    };
    let harm: Vec<usize> = (0..12).map(|times| harmed(times, naive)).collect();
    println!("harmed by a naive group commit: {harm:?}");
    assert!(harm.contains(&8), "the control must harm the others, or this shows nothing");
    for times in 0..12 {
        assert_eq!(harmed(times, ours), 0, "left after {times} looks");
    }
}
