//! An incident: something is wrong, people work on it, until it is over. The states and what each allows are
//! the table in `decide.rs`.
//!
//! **Merging** touches two streams: [`Command::MergeInto`] on the incident that goes, [`Command::Absorb`] on X, which
//! stays. Both are decided on loaded states and appended as ONE multi-stream append that expects both sequences.
//! So when it is stored, X was not merged and the other one was not merged either: only a root is ever hung under a
//! root, which keeps the incidents a forest. A cycle would need a root to be merged already. Two merges that race
//! (A into X, X into A) expect the same two sequences, and the second conflicts. Unmerging is the same with
//! [`Command::Unmerge`] and [`Command::Release`].

mod changes;
pub mod command;
mod decide;
pub mod event;
pub mod fields;
pub mod limits;
mod merging;
mod people;
pub mod state;

pub use command::{Changes, Command, Declare};
pub use event::{Declared, Edited, Event};
pub use fields::{CustomFields, Labels, Link, Responder, ResponderRole, Severity, Source};
pub use state::{Acknowledgement, Incident, Status};

use crate::{Aggregate, Refusal};

impl Aggregate for Incident {
    const TYPE: &'static str = "incident";
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        self.decide_on(command)
    }

    fn apply(&mut self, event: &Event) {
        self.fold_event(event);
    }
}
