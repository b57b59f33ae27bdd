//! Order: however slowly rows go in, and from however many processes, a reader who follows the positions sees every one
//! once and in order. Control: followed the same way, a table numbered by a sequence loses rows.

use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::{Connection, PgConnection, Row};

use crate::bed::Bed;
use crate::processes::{acknowledged, holds_exactly, writers};

const WRITERS: usize = 3;
const CALLERS: usize = 4;
const COMMANDS: u64 = 30;
/// SQLite does not queue its writers, so they need some time to get into each other's way.
const COMMANDS_SQLITE: u64 = 400;

/// Every row takes up to three milliseconds to go in.
const SLOW_ROWS: &str = "
CREATE TABLE numbered (position bigserial PRIMARY KEY, name text NOT NULL);
CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_sleep(random() * 0.003); RETURN NEW; END $$;
CREATE TRIGGER dawdle BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION dawdle();
CREATE TRIGGER dawdle BEFORE INSERT ON numbered FOR EACH ROW EXECUTE FUNCTION dawdle()";

#[tokio::test(flavor = "multi_thread")]
async fn postgres_shows_a_prefix_at_every_moment() {
    let bed = Bed::postgres().await;
    bed.outside().await.run(SLOW_ROWS).await;
    followed(&bed, COMMANDS).await;

    let url = &bed.config.url;
    let done = AtomicBool::new(false);
    let write = async {
        writers(WRITERS, url, "serial", CALLERS, COMMANDS).await;
        done.store(true, Ordering::SeqCst);
    };
    let ((), seen) = tokio::join!(write, follow_numbers(url, &done));
    let there = WRITERS * CALLERS * usize::try_from(COMMANDS).unwrap();
    println!("followed by a sequence: {} of {there} rows missed", there - seen);
    assert!(seen < there, "the control must lose rows, or this test shows nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_shows_a_prefix_at_every_moment() {
    followed(&Bed::sqlite().await, COMMANDS_SQLITE).await;
}

/// Lets the writers write while a tail follows them.
async fn followed(bed: &Bed, commands: u64) {
    let follow = async |done: &AtomicBool| {
        let (mut tail, mut seen) = (bed.store.tail(0), Vec::new());
        loop {
            let all_written = done.load(Ordering::SeqCst);
            let events = tail.ready(100).await.expect("no gap at any moment");
            if events.is_empty() && all_written {
                return seen;
            }
            seen.extend(events);
        }
    };
    let done = AtomicBool::new(false);
    let write = async {
        let outputs = writers(WRITERS, &bed.config.url, "log", CALLERS, commands).await;
        done.store(true, Ordering::SeqCst);
        acknowledged(&outputs)
    };
    let (told, seen) = tokio::join!(write, follow(&done));
    assert_eq!(told.len(), WRITERS * CALLERS * usize::try_from(commands).unwrap());
    assert!((1..).zip(&seen).all(|(position, event)| event.position == position));
    holds_exactly(&seen, &told);
}

/// How many rows a reader sees who remembers the highest number.
async fn follow_numbers(url: &str, done: &AtomicBool) -> usize {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let (mut last, mut seen) = (0_i64, 0);
    loop {
        let all_written = done.load(Ordering::SeqCst);
        let rows = sqlx::query("SELECT position FROM numbered WHERE position > $1 ORDER BY position")
            .bind(last)
            .fetch_all(&mut connection)
            .await
            .unwrap();
        if rows.is_empty() && all_written {
            return seen;
        }
        seen += rows.len();
        last = rows.last().map_or(last, |row| row.get(0));
    }
}
