//! What the bus must know of an aggregate to judge who may command it.

use domain::Aggregate;
use domain::ids::{ActorId, TeamId};

use crate::authorize::Action;

pub trait Governed: Aggregate {
    fn action(command: &Self::Command) -> Action;

    /// The same, where it depends on whose it is.
    fn action_here(&self, command: &Self::Command) -> Action {
        Self::action(command)
    }

    /// In whose name the command speaks, where it says so.
    fn by(command: &Self::Command) -> Option<&ActorId>;

    /// The teams that must be within the actor's reach: the resource's own, and where the command would move it.
    fn teams<'a>(&'a self, command: &'a Self::Command) -> Vec<Option<&'a TeamId>>;
}
