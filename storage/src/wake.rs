//! Wake-ups for readers: hints that the log has grown. Losing one costs a reader a poll, never an event.

use std::time::Duration;

use sqlx::postgres::{PgListener, PgPool, PgPoolOptions};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

const CHANNEL: &str = "pagefree_log";

/// Between two notices to other nodes: a burst of batches is one notice.
const BETWEEN_NOTICES: Duration = Duration::from_millis(20);
const BEFORE_LISTENING_AGAIN: Duration = Duration::from_secs(1);

/// The highest position that anybody here has heard of.
#[derive(Debug, Clone)]
pub(crate) struct Wakeups {
    appended: watch::Sender<u64>,
    heard: watch::Sender<u64>,
}

impl Default for Wakeups {
    fn default() -> Self {
        Self { appended: watch::Sender::new(0), heard: watch::Sender::new(0) }
    }
}

impl Wakeups {
    /// This process appended up to `position`.
    pub(crate) fn appended(&self, position: u64) {
        raise(&self.appended, position);
        raise(&self.heard, position);
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.heard.subscribe()
    }
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
        Self(vec![
            tokio::spawn(notify(pool.clone(), wakeups.appended.subscribe())),
            tokio::spawn(listen(pool, wakeups.heard.clone())),
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

async fn listen(pool: PgPool, heard: watch::Sender<u64>) {
    loop {
        match hear(&pool, &heard).await {
            Ok(()) => return,
            Err(error) => tracing::debug!(%error, "not listening to other nodes; polling goes on"),
        }
        sleep(BEFORE_LISTENING_AGAIN).await;
    }
}

async fn hear(pool: &PgPool, heard: &watch::Sender<u64>) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    loop {
        let notice = listener.recv().await?;
        if let Ok(position) = notice.payload().parse() {
            raise(heard, position);
        }
    }
}
