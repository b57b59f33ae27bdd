//! Caller-led combining: the first caller drives the batch himself, without a task hop; who comes meanwhile waits for
//! the next batch. A caller that is dropped hands his batch to a task, so nobody else notices.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::mem;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// What is combined.
pub(super) trait Job: Send + Sync + 'static {
    type Ask: Send + 'static;
    type Answer: Send + 'static;

    /// Takes from the waiting asks, in order, those that may go together; at least the first.
    fn select(&self, waiting: &mut VecDeque<Waiting<Self>>) -> Vec<Waiting<Self>>;

    /// Answers all asks, in their order.
    fn run(&self, asks: Vec<Self::Ask>) -> impl Future<Output = Vec<Self::Answer>> + Send;
}

pub(super) struct Waiting<J: Job + ?Sized> {
    pub(super) ask: J::Ask,
    answer: oneshot::Sender<J::Answer>,
    /// Kept until the answer is given.
    place: OwnedSemaphorePermit,
}

/// The answer will never come: the batch panicked, or the runtime is shutting down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Abandoned;

pub(super) struct Combiner<J: Job> {
    shared: Arc<Shared<J>>,
    places: Arc<Semaphore>,
}

struct Shared<J: Job> {
    job: J,
    queue: Mutex<Queue<J>>,
    /// Batches in flight at most.
    lanes: usize,
}

struct Queue<J: Job> {
    waiting: VecDeque<Waiting<J>>,
    /// Batches in flight.
    leaders: usize,
}

impl<J: Job> fmt::Debug for Combiner<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Combiner").field("places", &self.places.available_permits()).finish_non_exhaustive()
    }
}

impl<J: Job> Combiner<J> {
    pub(super) fn new(job: J, lanes: usize, places: usize) -> Self {
        let queue = Mutex::new(Queue { waiting: VecDeque::new(), leaders: 0 });
        Self { shared: Arc::new(Shared { job, queue, lanes }), places: Arc::new(Semaphore::new(places)) }
    }

    pub(super) async fn submit(&self, ask: J::Ask) -> Result<J::Answer, Abandoned> {
        let place = self.places.clone().acquire_owned().await.map_err(|_| Abandoned)?;
        let (answer, answered) = oneshot::channel();
        let lead = {
            let mut queue = self.shared.queue();
            queue.waiting.push_back(Waiting { ask, answer, place });
            let lead = queue.leaders < self.shared.lanes;
            queue.leaders += usize::from(lead);
            lead
        };
        if lead {
            let leadership = Leadership { shared: self.shared.clone(), ended: false };
            Driven::new(leadership.drive_one()).await;
        }
        answered.await.map_err(|_| Abandoned)
    }
}

impl<J: Job> Shared<J> {
    fn queue(&self) -> MutexGuard<'_, Queue<J>> {
        // Nothing that can panic runs under this lock but `select`, which leaves the queue whole.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to have a batch in flight. Its end passes it on while somebody waits.
struct Leadership<J: Job> {
    shared: Arc<Shared<J>>,
    ended: bool,
}

impl<J: Job> Leadership<J> {
    /// A caller drives one batch: the one that he is in, as he found a lane free. Then a task takes over, if needed.
    async fn drive_one(mut self) {
        self.batch().await;
        self.ended = true;
    }

    async fn drive_all(mut self) {
        while self.batch().await {}
        self.ended = true;
    }

    async fn batch(&mut self) -> bool {
        let batch = {
            let mut queue = self.shared.queue();
            if queue.waiting.is_empty() { Vec::new() } else { self.shared.job.select(&mut queue.waiting) }
        };
        if batch.is_empty() {
            return false;
        }
        let (asks, answers): (Vec<_>, Vec<_>) = batch.into_iter().map(|w| (w.ask, (w.answer, w.place))).unzip();
        // A panic costs those in the batch their answers, and nobody else anything.
        let results = AssertUnwindSafe(self.shared.job.run(asks)).catch_unwind().await.unwrap_or_default();
        for ((answer, _place), result) in answers.into_iter().zip(results) {
            // Who asked may have gone: that is his affair.
            let _gone = answer.send(result);
        }
        true
    }
}

impl<J: Job> Drop for Leadership<J> {
    fn drop(&mut self) {
        let mut queue = self.shared.queue();
        // Dropped before its end: the runtime is going away, and no task can take over. To try would be to drop that
        // one too, and so on without an end.
        let abandoned = if self.ended { VecDeque::new() } else { mem::take(&mut queue.waiting) };
        let next = Handle::try_current().ok().filter(|_| !queue.waiting.is_empty());
        queue.leaders -= usize::from(next.is_none());
        drop(queue);
        drop(abandoned);
        if let Some(runtime) = next {
            runtime.spawn(Self { shared: self.shared.clone(), ended: false }.drive_all());
        }
    }
}

/// A future that is finished by a task when the one who awaits it is dropped.
struct Driven {
    future: Option<BoxFuture<'static, ()>>,
    /// That of its first owner, who may drop it where there is none.
    runtime: Option<Handle>,
}

impl Driven {
    fn new(future: impl Future<Output = ()> + Send + 'static) -> Self {
        Self { future: Some(future.boxed()), runtime: Handle::try_current().ok() }
    }
}

impl Future for Driven {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(future) = &mut self.future else { return Poll::Ready(()) };
        let poll = future.as_mut().poll(cx);
        if poll.is_ready() {
            self.future = None;
        }
        poll
    }
}

impl Drop for Driven {
    fn drop(&mut self) {
        if let (Some(future), Some(runtime)) = (self.future.take(), &self.runtime) {
            runtime.spawn(future);
        }
    }
}
