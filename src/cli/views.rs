//! `pagefree views`: where the views stand, and what an operator does about one that has stopped. Against the database
//! directly, also while a server runs, which takes a moment to see it.

use std::io::{Write, stdout};

use api::view_document;
use clap::{Args, Subcommand};
use projections::oversight::{self, Overseen, Skipped};
use projections::registry::{self, Registration};
use serde_json::{Value, json};
use storage::{StorageError, Store};

use super::Failure;
use super::settings::Place;
use super::table::{beginning, table};

/// Characters of a reason in a table.
const WHY_CHARACTERS: usize = 60;

#[derive(Debug, Args)]
pub(crate) struct Views {
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
    /// Lists every version of every view that there is in the database.
    List,
    /// Folds a parked document again, after what kept it from being folded was put right.
    Retry { name: String, key: String },
    /// Leads a view past the event that it, or one of its documents, has stopped at.
    Skip {
        name: String,
        position: u64,
        /// For whoever wonders later.
        #[arg(long)]
        reason: String,
    },
    /// Stops a view until it is resumed. What is read meanwhile is what it was.
    Pause { name: String },
    /// Lets a paused or halted view go on.
    Resume { name: String },
    /// Removes a version that no binary needs any more.
    Drop { name: String, version: u32 },
}

impl Views {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let store = self.place.open_beside().await?;
        let shown = self.command.carry_out(&store).await?;
        let text = if self.json { listed(&shown) } else { in_a_table(&shown) };
        stdout().write_all(text.as_bytes()).map_err(|error| Failure::Failed(format!("standard output: {error}")))
    }
}

impl Command {
    /// Does it. What is to be shown afterwards: the view that it was done to, or all.
    async fn carry_out(self, store: &Store) -> Result<Vec<Overseen>, Failure> {
        let view = match self {
            Self::List => return oversight::all(store).await.map_err(|error| failed(&error)),
            Self::Drop { name, version } => {
                drop_version(store, &name, version).await?;
                return oversight::all(store).await.map_err(|error| failed(&error));
            }
            Self::Retry { name, key } => {
                let view = known(&name)?;
                if !view.unpark(store, &key).await.map_err(|error| failed(&error))? {
                    let why = "it cannot be folded still, there is no such document, or the view does not move";
                    return Err(Failure::Failed(why.to_owned()));
                }
                view
            }
            Self::Skip { name, position, reason } => {
                let view = known(&name)?;
                let skipped = oversight::skip(store, view, position, &reason).await.map_err(|error| failed(&error))?;
                if skipped == Skipped::NothingStopped {
                    let why = format!("neither {name} nor one of its documents has stopped at {position}");
                    return Err(Failure::Failed(why));
                }
                view
            }
            Self::Pause { name } => {
                let view = known(&name)?;
                let done = store.pause_view(view.name, view.version).await.map_err(|error| failed(&error))?;
                there(view, done)?
            }
            Self::Resume { name } => {
                let view = known(&name)?;
                let done = store.resume_view(view.name, view.version).await.map_err(|error| failed(&error))?;
                there(view, done)?
            }
        };
        let one = oversight::one(store, view).await.map_err(|error| failed(&error))?;
        Ok(one.into_iter().collect())
    }
}

async fn drop_version(store: &Store, name: &str, version: u32) -> Result<(), Failure> {
    if registry::view(name).is_some_and(|view| view.version == version) {
        let why = format!("this binary needs {name} {version}; `pagefree replay rebuild` builds it anew");
        return Err(Failure::Failed(why));
    }
    let rows = store.view_rows().await.map_err(|error| failed(&error))?;
    if rows.iter().all(|row| (row.name.as_str(), row.version) != (name, version)) {
        return Err(Failure::Failed(format!("there is no version {version} of a view {name}")));
    }
    store.drop_view(name, version).await.map_err(|error| failed(&error))
}

fn known(name: &str) -> Result<&'static Registration, Failure> {
    registry::view(name).ok_or_else(|| Failure::Usage(format!("this binary has no view '{name}'")))
}

fn there(view: &'static Registration, done: bool) -> Result<&'static Registration, Failure> {
    let nothing = || Failure::Failed(format!("the database has no view {} yet: no server has opened it", view.name));
    done.then_some(view).ok_or_else(nothing)
}

fn listed(views: &[Overseen]) -> String {
    let items: Vec<Value> = views.iter().map(view_document).collect();
    format!("{}\n", json!({ "items": items }))
}

fn in_a_table(views: &[Overseen]) -> String {
    let head = ["VIEW", "VERSION", "GENERATION", "POSITION", "BEHIND", "STATE", "PARKED", "WHY"];
    table(head, views.iter().map(cells))
}

fn cells(view: &Overseen) -> [String; 8] {
    let Overseen { row, behind, parked, .. } = view;
    let halted = row.halt.as_ref().map(|halt| format!("at {}: {}", halt.position, halt.why));
    let parked_at = || parked.first.first().map(|(key, one)| format!("{key} at {}: {}", one.at, one.why));
    let why = beginning(&halted.or_else(parked_at).unwrap_or_default(), WHY_CHARACTERS);
    [
        row.name.clone(),
        row.version.to_string(),
        row.generation.to_string(),
        row.position.to_string(),
        behind.to_string(),
        view.state().to_owned(),
        parked.count.to_string(),
        why,
    ]
}

fn failed(error: &StorageError) -> Failure {
    Failure::Failed(format!("the views: {error}"))
}
