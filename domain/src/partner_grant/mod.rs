//! A partner grant: which outsiders may see which pages and components, from when to when, why, and by whom.
//!
//! What a partner may see is resolved from this aggregate at each of his requests, so that a change acts at once; tokens
//! carry no scope. The status follows the clock by timers, but [`PartnerGrant::open`] asks the clock itself.

pub mod command;
mod decide;
pub mod event;
pub mod limits;
pub mod scope;
pub mod state;

pub use command::{Command, Grant};
pub use event::{Event, Granted};
pub use scope::{Extent, Scope};
pub use state::{PartnerGrant, Shut, Status};

use crate::{Aggregate, Refusal};

impl Aggregate for PartnerGrant {
    const TYPE: &'static str = "partner_grant";
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        self.decide_on(command)
    }

    fn apply(&mut self, event: &Event) {
        self.fold_event(event);
    }
}
