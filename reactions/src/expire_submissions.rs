//! A submitted draft that nobody decides on in time goes back to its authors.

use domain::runbook::{Command, Event, Runbook};
use jiff::Timestamp;

use crate::Timer;

#[derive(Debug)]
pub struct ExpireSubmissions;

impl Timer for ExpireSubmissions {
    type Of = Runbook;
    /// The hash of what was submitted.
    type Memo = String;
    const NAME: &'static str = "expire_submissions";

    fn set(event: &Event) -> Option<(Timestamp, String)> {
        match event {
            Event::DraftSubmitted { content_hash, expires_at: Some(expires_at), .. } => {
                Some((*expires_at, content_hash.clone()))
            }
            _ => None,
        }
    }

    fn fire(content_hash: String, due: Timestamp, at: Timestamp) -> Command {
        Command::ExpireSubmission { content_hash, expires_at: due, at }
    }
}
