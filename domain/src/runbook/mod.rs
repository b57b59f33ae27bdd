//! A runbook: a procedure that is written, approved by somebody else, and executed exactly as it was approved.

mod approval;
pub mod command;
mod decide;
pub mod definition;
pub mod event;
pub mod state;

pub use command::Command;
pub use definition::Definition;
pub use event::{Approved, Consent, Drafted, Event};
pub use state::{Draft, Phase, Runbook, Status, Submission, Version};

use crate::{Aggregate, Refusal};

impl Aggregate for Runbook {
    const TYPE: &'static str = "runbook";
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        self.decide_on(command)
    }

    fn apply(&mut self, event: &Event) {
        self.fold_event(event);
    }
}
