//! A snoozed incident wakes when its time has come.

use domain::incident::{Command, Event, Incident};
use jiff::Timestamp;

use crate::Timer;

#[derive(Debug)]
pub struct WakeSnoozed;

impl Timer for WakeSnoozed {
    type Of = Incident;
    type Memo = ();
    const NAME: &'static str = "wake_snoozed";

    fn set(event: &Event) -> Option<(Timestamp, ())> {
        match event {
            Event::Snoozed { until, .. } => Some((*until, ())),
            _ => None,
        }
    }

    fn fire((): (), due: Timestamp, at: Timestamp) -> Command {
        Command::Wake { until: due, at }
    }
}
