//! Wake-ups: hints to readers that the log has grown, and to workers that there may be work. Losing one costs a poll,
//! never an event or a piece of work.

use std::time::Duration;

use sqlx::postgres::{PgListener, PgPool, PgPoolOptions};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::hex::hex_of;
use crate::random;

const CHANNEL: &str = "pagefree_log";
const WORK_CHANNEL: &str = "pagefree_work";

/// Between two notices of the log to other nodes: a burst of batches is one notice.
const BETWEEN_NOTICES: Duration = Duration::from_millis(20);
/// Between two notices of work, which somebody may be waiting for to be begun. The first after a pause goes out at once.
const BETWEEN_NOTICES_OF_WORK: Duration = Duration::from_millis(3);
const BEFORE_LISTENING_AGAIN: Duration = Duration::from_secs(1);

/// The highest position that anybody here has heard of, and how often there was news of the queue.
#[derive(Debug, Clone)]
pub(crate) struct Wakeups {
    appended: watch::Sender<u64>,
    heard: watch::Sender<u64>,
    worked: watch::Sender<u64>,
    work: watch::Sender<u64>,
}

impl Default for Wakeups {
    fn default() -> Self {
        let sender = || watch::Sender::new(0);
        Self { appended: sender(), heard: sender(), worked: sender(), work: sender() }
    }
}

impl Wakeups {
    /// This process appended up to `position`.
    pub(crate) fn appended(&self, position: u64) {
        raise(&self.appended, position);
        raise(&self.heard, position);
    }

    /// Somebody appended up to `position`.
    pub(crate) fn seen(&self, position: u64) {
        raise(&self.heard, position);
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.heard.subscribe()
    }

    /// This process did something by which there may be work to claim.
    pub(crate) fn work(&self) {
        count(&self.worked);
        count(&self.work);
    }

    pub(crate) fn subscribe_to_work(&self) -> watch::Receiver<u64> {
        self.work.subscribe()
    }
}

fn count(times: &watch::Sender<u64>) {
    times.send_modify(|times| *times = times.wrapping_add(1));
}

fn raise(to: &watch::Sender<u64>, position: u64) {
    to.send_if_modified(|known| {
        let news = position > *known;
        *known = position.max(*known);
        news
    });
}

/// Carries wake-ups between nodes through PostgreSQL, until dropped.
#[derive(Debug)]
pub(crate) struct Exchange(Vec<JoinHandle<()>>);

impl Exchange {
    /// On two connections of its own: listening holds one for good, and a hint need not be flushed, which would compete
    /// with the appends for the disk.
    pub(crate) fn start(pool: &PgPool, wakeups: &Wakeups) -> Self {
        let options = pool.connect_options().as_ref().clone().options([("synchronous_commit", "off")]);
        let pool = PgPoolOptions::new().max_connections(2).connect_lazy_with(options);
        // Unnamed, a node would at worst wake its own workers once more.
        let node = random::bytes(8).map(|name| hex_of(&name)).unwrap_or_default();
        Self(vec![
            tokio::spawn(notify(pool.clone(), wakeups.appended.subscribe())),
            tokio::spawn(notify_of_work(pool.clone(), wakeups.worked.subscribe(), node.clone())),
            tokio::spawn(listen(pool, wakeups.clone(), node)),
        ])
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        for task in &self.0 {
            task.abort();
        }
    }
}

/// After the commit and on another connection: NOTIFY inside the append would lock the whole database's notices.
async fn notify(pool: PgPool, mut appended: watch::Receiver<u64>) {
    while appended.changed().await.is_ok() {
        let position = *appended.borrow_and_update();
        let notice = sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(position.to_string());
        if let Err(error) = notice.execute(&pool).await {
            tracing::debug!(%error, "could not notify other nodes; they poll");
        }
        sleep(BETWEEN_NOTICES).await;
    }
}

async fn notify_of_work(pool: PgPool, mut worked: watch::Receiver<u64>, node: String) {
    while worked.changed().await.is_ok() {
        let notice = sqlx::query("SELECT pg_notify($1, $2)").bind(WORK_CHANNEL).bind(&node);
        if let Err(error) = notice.execute(&pool).await {
            tracing::debug!(%error, "could not notify other nodes of work; they poll");
        }
        sleep(BETWEEN_NOTICES_OF_WORK).await;
    }
}

async fn listen(pool: PgPool, wakeups: Wakeups, node: String) {
    loop {
        match hear(&pool, &wakeups, &node).await {
            Ok(()) => return,
            Err(error) => tracing::debug!(%error, "not listening to other nodes; polling goes on"),
        }
        sleep(BEFORE_LISTENING_AGAIN).await;
    }
}

async fn hear(pool: &PgPool, wakeups: &Wakeups, node: &str) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen_all([CHANNEL, WORK_CHANNEL]).await?;
    loop {
        let notice = listener.recv().await?;
        if notice.channel() == WORK_CHANNEL {
            if notice.payload() != node {
                count(&wakeups.work);
            }
        } else if let Ok(position) = notice.payload().parse() {
            raise(&wakeups.heard, position);
        }
    }
}
