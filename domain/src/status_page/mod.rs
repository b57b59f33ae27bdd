//! A status page: what outsiders are told about how things are doing, component by component.
//!
//! **Where a status comes from.** A component's status is what somebody has set by hand, or else the worst that the
//! open incidents of its services make of it. The page keeps the incidents that touch one of its components, because a
//! fold reads its own stream only: a reactor brings it up to date after every change of an incident or a component.
//!
//! **Identity.** A component's id is never used again after it was removed. So a partner grant that names components
//! stays sound whatever happens to the page: what was removed opens nothing, and nothing new steps into its place.

pub mod command;
mod components;
mod decide;
pub mod event;
pub mod fields;
pub mod limits;
pub mod order;
pub mod state;

pub use command::{AddComponent, Changes, Command, ComponentChanges, Create};
pub use event::Event;
pub use fields::{Audience, ByHand, Component, ComponentStatus, Effect};
pub use state::StatusPage;

use crate::{Aggregate, Refusal};

impl Aggregate for StatusPage {
    const TYPE: &'static str = "status_page";
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        self.decide_on(command)
    }

    fn apply(&mut self, event: &Event) {
        self.fold_event(event);
    }
}
