//! The one shape of every aggregate: a pure decision and a fold.

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};

use crate::{Refusal, StoredEvent};

/// A consistency boundary whose state is the fold of its own events.
pub trait Aggregate:
    Default + Clone + PartialEq + Debug + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// The name under which its streams are stored. Never changes once an event is stored.
    const TYPE: &'static str;
    type Command: Clone + Debug + Send + Sync + 'static;
    type Event: StoredEvent;

    /// What happens when `command` meets this state. Facts from outside, time included, stand in the command.
    /// A command that changes nothing decides on no events.
    fn decide(&self, command: &Self::Command) -> Result<Vec<Self::Event>, Refusal>;

    /// Folds a fact into the state. Total: no rule is checked here, the event has already happened.
    fn apply(&mut self, event: &Self::Event);

    /// The state after `events`.
    fn fold<'a>(events: impl IntoIterator<Item = &'a Self::Event>) -> Self
    where
        Self::Event: 'a,
    {
        let mut state = Self::default();
        for event in events {
            state.apply(event);
        }
        state
    }
}
