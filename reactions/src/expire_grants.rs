//! A partner grant ends when its time is over.

use domain::partner_grant::{Command, Event, PartnerGrant};
use jiff::Timestamp;

use crate::Timer;

#[derive(Debug)]
pub struct ExpireGrants;

impl Timer for ExpireGrants {
    type Of = PartnerGrant;
    type Memo = ();
    const NAME: &'static str = "expire_grants";

    fn set(event: &Event) -> Option<(Timestamp, ())> {
        match event {
            Event::Granted(granted) => Some((granted.until, ())),
            Event::Renewed { until, .. } => Some((*until, ())),
            _ => None,
        }
    }

    fn fire((): (), due: Timestamp, at: Timestamp) -> Command {
        Command::Expire { until: due, at }
    }
}
