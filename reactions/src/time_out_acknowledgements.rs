//! An acknowledgement that was given for a time ends with it, unless the incident was resolved.

use domain::incident::{Command, Event, Incident};
use jiff::Timestamp;

use crate::Timer;

#[derive(Debug)]
pub struct TimeOutAcknowledgements;

impl Timer for TimeOutAcknowledgements {
    type Of = Incident;
    /// The number of the acknowledgement.
    type Memo = u32;
    const NAME: &'static str = "time_out_acknowledgements";

    fn set(event: &Event) -> Option<(Timestamp, u32)> {
        match event {
            // Who joins sets it once more, for the same time: the second one finds itself stale.
            Event::Acknowledged { number, expires_at: Some(expires_at), .. } => Some((*expires_at, *number)),
            _ => None,
        }
    }

    fn fire(number: u32, _: Timestamp, at: Timestamp) -> Command {
        Command::TimeOutAcknowledgement { number, at }
    }
}
