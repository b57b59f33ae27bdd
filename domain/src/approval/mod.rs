//! An approval: what exactly is asked for, who may say so, and how they have voted. As many approve as its quorum
//! says, one rejects, and time alone never approves.

pub mod command;
mod decide;
pub mod event;
pub mod state;
pub mod terms;

pub use command::{Cast, Command};
pub use event::Event;
pub use state::{Approval, Status, Verdict, Vote};
pub use terms::{Eligible, QUORUM, Subject, SubjectKind, Terms, Voter};

use crate::{Aggregate, Refusal};

impl Aggregate for Approval {
    const TYPE: &'static str = "approval";
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        self.decide_on(command)
    }

    fn apply(&mut self, event: &Event) {
        self.fold_event(event);
    }
}
