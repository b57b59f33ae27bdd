//! A partner grant begins when its time has come. Nobody waits for it: who is let in is judged by the clock.

use domain::partner_grant::{Command, Event, PartnerGrant};
use jiff::Timestamp;

use crate::Timer;

#[derive(Debug)]
pub struct ActivateGrants;

impl Timer for ActivateGrants {
    type Of = PartnerGrant;
    type Memo = ();
    const NAME: &'static str = "activate_grants";

    fn set(event: &Event) -> Option<(Timestamp, ())> {
        match event {
            Event::Granted(granted) => Some((granted.from, ())),
            // After a suspension that outlived the beginning nothing is left to be done: resuming begins it.
            Event::Renewed { from, .. } => Some((*from, ())),
            _ => None,
        }
    }

    fn fire((): (), due: Timestamp, at: Timestamp) -> Command {
        Command::Activate { from: due, at }
    }
}
