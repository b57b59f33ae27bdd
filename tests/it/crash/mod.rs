//! kill -9 under load, in a loop: whatever was acknowledged is in the log afterwards, as it was acknowledged, and no
//! command is there by half. Ten rounds here, more when `PAGEFREE_TORTURE_ROUNDS` says so (`make torture`).

mod flush;
mod load;
mod postmaster;
mod report;
mod server;
mod witness;

use storage::{Config, Recorded, Store};

fn rounds() -> usize {
    std::env::var("PAGEFREE_TORTURE_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(10)
}

/// The whole log, read past the server; that it has no gap is checked by the reading.
async fn whole_log(url: &str) -> Vec<Recorded> {
    let store = Store::open(&Config::new(url)).await.unwrap();
    let mut events: Vec<Recorded> = Vec::new();
    loop {
        let page = store.read_after(events.last().map_or(0, |event| event.position), 5_000).await.unwrap();
        if page.is_empty() {
            return events;
        }
        events.extend(page);
    }
}
