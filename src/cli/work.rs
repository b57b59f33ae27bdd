//! `pagefree work`: what waits in the queue and what has failed there, and what an operator does about it. Against the
//! database directly, also while a server runs.

use std::io::{Write, stdout};

use api::{pause_document, work_document};
use clap::{Args, Subcommand};
use domain::ids::is_sound;
use serde_json::{Value, json};
use storage::work::{Pause, WorkCursor, WorkFilter, WorkRow, WorkState};
use storage::{StorageError, Store};
use uuid::Uuid;

use super::Failure;
use super::settings::Place;
use super::table::{beginning, printable, table};

/// Characters of an error in a table.
const ERROR_CHARACTERS: usize = 60;
/// Rows read in one go.
const PAGE: usize = 200;

#[derive(Debug, Args)]
pub(crate) struct Work {
    #[command(subcommand)]
    command: Command,
    /// Prints JSON instead of a table.
    #[arg(long, global = true)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists what is open or has failed, newest first, and what is paused.
    List(List),
    /// Tries failed work again, or at once what waits for another attempt.
    Retry { id: Uuid },
    /// Passes over work for good; its lane goes on.
    Skip { id: Uuid },
    /// Lets no more work begin, until it is resumed. Nothing is lost.
    Pause {
        #[command(flatten)]
        what: What,
        /// For whoever wonders later.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Ends a pause.
    Resume {
        #[command(flatten)]
        what: What,
    },
}

#[derive(Debug, Args)]
struct List {
    /// `waiting`, `ready`, `claimed`, `done`, `failed` or `skipped`.
    #[arg(long)]
    state: Option<WorkState>,
    #[command(flatten)]
    what: What,
    #[arg(long)]
    lane: Option<String>,
    /// Rows at most.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
}

#[derive(Debug, Args)]
struct What {
    /// One kind of work; all kinds where none is named.
    #[arg(long, value_parser = kind)]
    kind: Option<String>,
}

impl Work {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let store = self.place.open_beside().await?;
        let text = self.command.carry_out(&store, self.json).await?;
        stdout().write_all(text.as_bytes()).map_err(|error| Failure::Failed(format!("standard output: {error}")))
    }
}

impl Command {
    /// What to print.
    async fn carry_out(self, store: &Store, json: bool) -> Result<String, Failure> {
        match self {
            Self::List(list) => {
                let (rows, pauses) = list.read(store).await.map_err(|error| failed(&error))?;
                Ok(if json { listed(&rows, &pauses) } else { in_a_table(&rows, &pauses) })
            }
            Self::Retry { id } => {
                let done = store.retry_by_hand(id).await.map_err(|error| failed(&error))?;
                moved(store, id, done, json, "only what has failed, or waits for another attempt, can be retried").await
            }
            Self::Skip { id } => {
                let done = store.skip_work(id).await.map_err(|error| failed(&error))?;
                moved(store, id, done, json, "only what nobody has begun, or what has failed, can be skipped").await
            }
            Self::Pause { what, reason } => {
                store.pause_work(what.kind.as_deref(), &reason).await.map_err(|error| failed(&error))?;
                paused(store, json).await
            }
            Self::Resume { what } => {
                store.resume_work(what.kind.as_deref()).await.map_err(|error| failed(&error))?;
                paused(store, json).await
            }
        }
    }
}

impl List {
    async fn read(self, store: &Store) -> Result<(Vec<WorkRow>, Vec<Pause>), StorageError> {
        let filter = WorkFilter { state: self.state, kind: self.what.kind, lane: self.lane };
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let mut rows: Vec<WorkRow> = Vec::new();
        loop {
            let after: Option<WorkCursor> = rows.last().map(WorkRow::cursor);
            let page = store.list_work(&filter, after, PAGE.min(limit - rows.len())).await?;
            let is_last = page.len() < PAGE;
            rows.extend(page);
            if is_last || rows.len() >= limit {
                return Ok((rows, store.work_pauses().await?));
            }
        }
    }
}

async fn moved(store: &Store, id: Uuid, done: bool, json: bool, why_not: &str) -> Result<String, Failure> {
    let row = store.work_row(id).await.map_err(|error| failed(&error))?;
    let row = row.ok_or_else(|| Failure::Failed(format!("there is no work {id}")))?;
    if !done {
        return Err(Failure::Failed(format!("the work is {}: {why_not}", row.state)));
    }
    Ok(if json { format!("{}\n", work_document(&row)) } else { in_a_table(&[row], &[]) })
}

async fn paused(store: &Store, json: bool) -> Result<String, Failure> {
    let pauses = store.work_pauses().await.map_err(|error| failed(&error))?;
    if json {
        let pauses: Vec<Value> = pauses.iter().map(pause_document).collect();
        return Ok(format!("{}\n", json!({ "pauses": pauses })));
    }
    Ok(if pauses.is_empty() { "nothing is paused\n".to_owned() } else { in_words(&pauses) })
}

fn listed(rows: &[WorkRow], pauses: &[Pause]) -> String {
    let items: Vec<Value> = rows.iter().map(work_document).collect();
    let pauses: Vec<Value> = pauses.iter().map(pause_document).collect();
    format!("{}\n", json!({ "items": items, "pauses": pauses }))
}

fn in_words(pauses: &[Pause]) -> String {
    let words = pauses.iter().map(|pause| {
        let document = pause_document(pause);
        let what = pause.kind.as_deref().unwrap_or("everything");
        let since = document["since"].as_str().unwrap_or_default();
        let reason = if pause.reason.is_empty() { String::new() } else { format!(": {}", printable(&pause.reason)) };
        format!("paused since {since}: {what}{reason}\n")
    });
    words.collect()
}

fn in_a_table(rows: &[WorkRow], pauses: &[Pause]) -> String {
    let head = ["ID", "KIND", "STATE", "ATTEMPT", "DUE", "LANE", "ERROR"];
    in_words(pauses) + &table(head, rows.iter().map(cells))
}

fn cells(row: &WorkRow) -> [String; 7] {
    let due = work_document(row)["run_at"].as_str().unwrap_or_default().to_owned();
    let error = beginning(row.last_error.as_deref().unwrap_or_default(), ERROR_CHARACTERS);
    let (id, state, attempt) = (row.id.to_string(), row.state.to_string(), row.attempt.to_string());
    [id, row.kind.clone(), state, attempt, due, row.lane.clone(), error]
}

fn failed(error: &StorageError) -> Failure {
    Failure::Failed(format!("the queue: {error}"))
}

fn kind(text: &str) -> Result<String, String> {
    if is_sound(text) { Ok(text.to_owned()) } else { Err("this is no kind of work".to_owned()) }
}

#[cfg(test)]
mod tests {
    use storage::work::{Pause, WorkRow, WorkState};
    use uuid::Uuid;

    use super::in_a_table;

    #[test]
    fn a_table_is_for_people() {
        let row = WorkRow {
            id: Uuid::from_u128(7),
            kind: "wake_snoozed".to_owned(),
            lane: "wake_snoozed:1".to_owned(),
            priority: 0,
            payload: "{}".to_owned(),
            state: WorkState::Failed,
            attempt: 3,
            tries: 2,
            run_at_us: 1_000_000,
            lease_until_us: None,
            last_error: Some("no\n\u{1b}[31mluck".to_owned()),
            created_position: 1,
            n: 0,
            finished_at_us: None,
        };
        let pause = Pause { kind: None, reason: "restored".to_owned(), since_us: 0 };
        let expected = "\
paused since 1970-01-01T00:00:00Z: everything: restored
ID                                    KIND          STATE   ATTEMPT  DUE                   LANE            ERROR
00000000-0000-0000-0000-000000000007  wake_snoozed  failed  3        1970-01-01T00:00:01Z  wake_snoozed:1  no  [31mluck
";
        assert_eq!(in_a_table(&[row], &[pause]), expected);
    }
}
