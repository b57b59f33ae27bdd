//! A person who works here: what he is called (sealed), what he may do where, and who stands in for him. How he proves
//! who he is (passwords, sessions) are registers, whose changes are told here.

pub mod command;
mod decide;
pub mod event;
pub mod state;

pub use command::Command;
pub use event::{Created, Event};
pub use state::{Delegation, Origin, PasswordBy, Standing, User};

use crate::{Aggregate, Refusal};

impl Aggregate for User {
    const TYPE: &'static str = "user";
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        self.decide_on(command)
    }

    fn apply(&mut self, event: &Event) {
        self.fold_event(event);
    }
}
