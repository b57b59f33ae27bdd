//! What each command does in each status.
//!
//! | Status | edit, scope | renew | suspend | resume | revoke |
//! |---|---|---|---|---|---|
//! | pending | ✓ | → pending or active | → suspended | nothing | → revoked |
//! | active | ✓ | → pending or active | → suspended | nothing | → revoked |
//! | suspended | ✓ | ✓, stays | nothing | → pending or active | → revoked |
//! | expired | ✓ | → pending or active | – | – | → revoked |
//! | revoked | – | – | – | – | nothing |
//!
//! "–" is refused with the reason, "nothing" emits nothing. Timers are never refused for the status: they find
//! themselves stale. A grant whose time has come already is active at once, without waiting for one.

use jiff::Timestamp;

use crate::ids::ActorId;
use crate::partner_grant::command::{Command, Grant};
use crate::partner_grant::event::{Event, Granted};
use crate::partner_grant::limits;
use crate::partner_grant::state::{PartnerGrant, Status};
use crate::{Refusal, text};

/// What a decision comes to.
type Decision = Result<Vec<Event>, Refusal>;

impl PartnerGrant {
    pub(super) fn decide_on(&self, command: &Command) -> Decision {
        text::refuse_if_any(limits::faults(command))?;
        match (command, self.status) {
            (Command::Grant(grant), Status::Ungranted) => Ok(granted(grant)),
            (Command::Grant(_), _) => {
                Err(Refusal::state("partner_grant_exists", "a partner grant with this id exists already"))
            }
            (_, Status::Ungranted) => Err(Refusal::missing("partner_grant_missing", "there is no such partner grant")),
            (Command::Activate { from, at }, _) => self.activate(*from, *at),
            (Command::Expire { until, at }, _) => self.expire(*until, *at),
            (Command::Revoke { .. }, Status::Revoked) => Ok(vec![]),
            (_, Status::Revoked) => {
                Err(Refusal::state("grant_revoked", "the grant was revoked for good; make a new one"))
            }
            _ => self.change(command),
        }
    }

    fn change(&self, command: &Command) -> Decision {
        match command {
            // All three are decided by the caller.
            Command::Grant(_) | Command::Activate { .. } | Command::Expire { .. } => Ok(vec![]),
            Command::Edit { by, organisation, people } => {
                let organisation = organisation.as_deref().map(|name| name.trim().to_owned());
                let organisation = organisation.filter(|name| *name != self.organisation);
                let people = people.clone().filter(|people| *people != self.people);
                if organisation.is_none() && people.is_none() {
                    return Ok(vec![]);
                }
                Ok(vec![Event::Edited { by: by.clone(), organisation, people }])
            }
            Command::ChangeScope { scope, .. } if *scope == self.scope => Ok(vec![]),
            Command::ChangeScope { by, scope, reason } => {
                Ok(vec![Event::ScopeChanged { by: by.clone(), scope: scope.clone(), reason: trimmed(reason) }])
            }
            Command::Renew { by, from, until, reason, at } => Ok(self.renew(by, (*from, *until), reason, *at)),
            Command::Suspend { by, reason } => self.suspend(by, reason),
            Command::Resume { by, reason, at } => self.resume(by, reason, *at),
            Command::Revoke { by, reason } => Ok(vec![Event::Revoked { by: by.clone(), reason: trimmed(reason) }]),
        }
    }

    fn renew(&self, by: &ActorId, (from, until): (Timestamp, Timestamp), reason: &str, at: Timestamp) -> Vec<Event> {
        if (from, until) == (self.from, self.until) && self.status != Status::Expired {
            return vec![];
        }
        let mut events = vec![Event::Renewed { by: by.clone(), from, until, reason: trimmed(reason) }];
        if self.status != Status::Suspended {
            events.extend(begun(from, at));
        }
        events
    }

    fn suspend(&self, by: &ActorId, reason: &str) -> Decision {
        match self.status {
            Status::Suspended => Ok(vec![]),
            Status::Expired => Err(over()),
            _ => Ok(vec![Event::Suspended { by: by.clone(), reason: trimmed(reason) }]),
        }
    }

    fn resume(&self, by: &ActorId, reason: &str, at: Timestamp) -> Decision {
        match self.status {
            Status::Expired => Err(over()),
            Status::Suspended if at >= self.until => Err(over()),
            Status::Suspended => {
                let mut events = vec![Event::Resumed { by: by.clone(), reason: trimmed(reason) }];
                events.extend(begun(self.from, at));
                Ok(events)
            }
            _ => Ok(vec![]),
        }
    }

    fn activate(&self, from: Timestamp, at: Timestamp) -> Decision {
        if self.status != Status::Pending || self.from != from {
            return Ok(vec![]);
        }
        if at < from {
            return Err(Refusal::state("not_due", format!("the grant begins at {from}")));
        }
        Ok(vec![Event::Activated { from }])
    }

    fn expire(&self, until: Timestamp, at: Timestamp) -> Decision {
        let open = matches!(self.status, Status::Pending | Status::Active | Status::Suspended);
        if !open || self.until != until {
            return Ok(vec![]);
        }
        if at < until {
            return Err(Refusal::state("not_due", format!("the grant ends at {until}")));
        }
        Ok(vec![Event::Expired { until }])
    }
}

fn granted(grant: &Grant) -> Vec<Event> {
    let Grant { by, organisation, people, scope, from, until, reason, at } = grant.clone();
    let (organisation, reason) = (trimmed(&organisation), trimmed(&reason));
    let granted = Event::Granted(Granted { by, organisation, people, scope, from, until, reason });
    [granted].into_iter().chain(begun(from, at)).collect()
}

/// What has come already needs no timer.
fn begun(from: Timestamp, at: Timestamp) -> Option<Event> {
    (from <= at).then_some(Event::Activated { from })
}

fn over() -> Refusal {
    Refusal::state("grant_over", "the time of the grant is over; renew it")
}

fn trimmed(text: &str) -> String {
    text.trim().to_owned()
}
