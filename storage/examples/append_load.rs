//! Appends from one process as fast as it is answered, and writes down each answer: for tests and trials that need
//! several writers. `append_load URL log NAME CALLERS COMMANDS`; with `serial` instead of `log` it fills a table
//! numbered by a sequence, which is what our log is not.

use std::error::Error;
use std::io::Write as _;

use futures_util::future::try_join_all;
use sqlx::PgPool;
use storage::{Append, Config, NewEvent, Store, StreamId, StreamWrite, Verdict};
use uuid::Uuid;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, mode, name, callers, commands] = arguments.as_slice() else {
        return Err("usage: append_load URL log|serial NAME CALLERS COMMANDS".into());
    };
    let (callers, commands): (usize, u64) = (callers.parse()?, commands.parse()?);
    if mode == "serial" {
        let pool = PgPool::connect(url).await?;
        try_join_all((0..callers).map(|_| fill(&pool, name, commands))).await?;
    } else {
        let store = Store::open(&Config::new(url)).await?;
        try_join_all((0..callers).map(|caller| append(&store, name, caller, commands))).await?;
    }
    Ok(())
}

/// One caller on a stream of his own; each command holds one event more than the one before, up to three.
async fn append(store: &Store, name: &str, caller: usize, commands: u64) -> Result<(), Box<dyn Error>> {
    let mut expected = 0;
    for n in 0..commands {
        let id = |what: &str| Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{name} {caller} {n} {what}").as_bytes());
        let event = |m: u64| NewEvent {
            event_id: id(&m.to_string()),
            event_type: "load.applied".to_owned(),
            event_version: 1,
            payload: format!("{{\"name\":\"{name}\",\"n\":{n},\"m\":{m}}}"),
        };
        let stream = StreamId::new("load", format!("{name} {caller}"));
        let events: Vec<NewEvent> = (0..=n % 3).map(event).collect();
        let count = events.len() as u64;
        let command = id("command");
        match store.append(Append::new(command, vec![StreamWrite { stream, expected, events }])).await? {
            Verdict::Committed(receipt) => {
                expected += count;
                let mut out = std::io::stdout().lock();
                writeln!(out, "{command} {} {}", receipt.first, receipt.last)?;
                out.flush()?;
            }
            other => return Err(format!("nobody else is on this stream: {other:?}").into()),
        }
    }
    Ok(())
}

async fn fill(pool: &PgPool, name: &str, rows: u64) -> Result<(), sqlx::Error> {
    for _ in 0..rows {
        sqlx::query("INSERT INTO numbered (name) VALUES ($1)").bind(name).execute(pool).await?;
    }
    Ok(())
}
