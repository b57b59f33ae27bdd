//! What each command does in each state.
//!
//! | State | acknowledge | unacknowledge | assign, responders | severity | edit | note | snooze | resolve | reopen | merge | absorb | unmerge |
//! |---|---|---|---|---|---|---|---|---|---|---|---|---|
//! | open | → acknowledged | nothing | ✓ | ✓ | ✓ | ✓ | → acknowledged until T | → resolved | – | → merged | ✓ | – |
//! | acknowledged | adds who | → open | ✓ | ✓ | ✓ | ✓ | until T, then → open | → resolved | – | → merged | ✓ | – |
//! | resolved | – | – | – | correction, with reason | ✓ | ✓ | – | nothing | → open | – | ✓ | – |
//! | merged | – | – | – | – | – | – | – | – | – | – | – | → open |
//!
//! "–" is refused with the reason, "nothing" emits nothing. What a timer fires (timing out, waking) is never refused
//! for the state: it finds itself stale and emits nothing. Releasing is open in every state, for X may itself have
//! been merged since.

use jiff::Timestamp;

use crate::ids::ActorId;
use crate::incident::command::{Command, Declare};
use crate::incident::event::{Declared, Event};
use crate::incident::limits;
use crate::incident::state::{Incident, Status};
use crate::{Refusal, text};

/// What a decision comes to.
pub(super) type Decision = Result<Vec<Event>, Refusal>;

impl Incident {
    pub(super) fn decide_on(&self, command: &Command) -> Decision {
        text::refuse_if_any(limits::faults(command))?;
        match (command, self.status) {
            (Command::Declare(declare), Status::Undeclared) => Ok(vec![declared(declare)]),
            (Command::Declare(_), _) => {
                Err(Refusal::state("incident_exists", "an incident with this id is declared already"))
            }
            (_, Status::Undeclared) => Err(Refusal::missing("incident_missing", "there is no such incident")),
            _ => self.work_on(command),
        }
    }

    fn work_on(&self, command: &Command) -> Decision {
        match command {
            // Decided by the caller, which knows the empty stream.
            Command::Declare(_) => Ok(vec![]),
            Command::Acknowledge { by, expires_at } => self.acknowledge(by, *expires_at),
            Command::Unacknowledge { by } => self.unacknowledge(by),
            Command::TimeOutAcknowledgement { number, at } => self.time_out(*number, *at),
            Command::Assign { by, to } => self.assign(by, to),
            Command::AddResponder { by, user, role } => self.add_responder(by, user, role),
            Command::RemoveResponder { by, user, role } => self.remove_responder(by, user, role),
            Command::ChangeSeverity { by, severity, reason } => self.change_severity(by, *severity, reason.as_deref()),
            Command::Edit { by, changes } => self.change(by, changes),
            Command::AddNote { by, text } => self.add_note(by, text),
            Command::Snooze { by, until, .. } => self.snooze(by, *until),
            Command::Wake { until, at } => self.wake(*until, *at),
            Command::Resolve { by, resolution } => self.resolve(by, resolution.as_deref()),
            Command::Reopen { by, reason } => self.reopen(by, reason.as_deref()),
            Command::MergeInto { by, into, into_merged, .. } => self.merge_into(by, into, *into_merged),
            Command::Absorb { by, incident, .. } => self.absorb(by, incident),
            Command::Unmerge { by } => self.unmerge(by),
            Command::Release { by, incident } => Ok(self.release(by, incident)),
        }
    }

    fn acknowledge(&self, by: &ActorId, expires_at: Option<Timestamp>) -> Decision {
        self.must_be_active()?;
        let number = match self.status {
            Status::Acknowledged if self.acknowledgement.by.contains(by) => return Ok(vec![]),
            // Who joins does not start the clock again.
            Status::Acknowledged => self.acknowledgement.number,
            _ => self.acknowledgement.number + 1,
        };
        let joins = self.status == Status::Acknowledged;
        let expires_at = if joins { self.acknowledgement.expires_at } else { expires_at };
        Ok(vec![Event::Acknowledged { by: by.clone(), number, expires_at }])
    }

    fn unacknowledge(&self, by: &ActorId) -> Decision {
        self.must_be_active()?;
        if self.status == Status::Open {
            return Ok(vec![]);
        }
        Ok(vec![Event::Unacknowledged { number: self.acknowledgement.number, by: Some(by.clone()) }])
    }

    fn time_out(&self, number: u32, at: Timestamp) -> Decision {
        let current = &self.acknowledgement;
        match current.expires_at {
            Some(due) if self.status == Status::Acknowledged && current.number == number => {
                if at < due {
                    return Err(Refusal::state("not_due", format!("the acknowledgement holds until {due}")));
                }
                Ok(vec![Event::Unacknowledged { number, by: None }])
            }
            _ => Ok(vec![]),
        }
    }

    fn snooze(&self, by: &ActorId, until: Timestamp) -> Decision {
        self.must_be_active()?;
        if self.snoozed_until == Some(until) {
            return Ok(vec![]);
        }
        // A number of its own: timers that were set for the acknowledgement before are stale.
        Ok(vec![Event::Snoozed { by: by.clone(), number: self.acknowledgement.number + 1, until }])
    }

    fn wake(&self, until: Timestamp, at: Timestamp) -> Decision {
        if self.snoozed_until != Some(until) {
            return Ok(vec![]);
        }
        if at < until {
            return Err(Refusal::state("not_due", format!("the incident is snoozed until {until}")));
        }
        Ok(vec![Event::Woken { until }])
    }

    fn resolve(&self, by: &ActorId, resolution: Option<&str>) -> Decision {
        self.must_not_be_merged()?;
        if self.status == Status::Resolved {
            return Ok(vec![]);
        }
        Ok(vec![Event::Resolved { by: by.clone(), resolution: text::trimmed(resolution) }])
    }

    fn reopen(&self, by: &ActorId, reason: Option<&str>) -> Decision {
        self.must_not_be_merged()?;
        if self.status != Status::Resolved {
            return Err(Refusal::state("not_resolved", "only a resolved incident can be reopened"));
        }
        Ok(vec![Event::Reopened { by: by.clone(), reason: text::trimmed(reason) }])
    }

    /// Open or acknowledged: somebody has, or should have, his hands on it.
    pub(super) fn must_be_active(&self) -> Result<(), Refusal> {
        self.must_not_be_merged()?;
        if self.status == Status::Resolved {
            return Err(Refusal::state("resolved", "the incident is resolved; reopen it first"));
        }
        Ok(())
    }

    pub(super) fn must_not_be_merged(&self) -> Result<(), Refusal> {
        match &self.merged_into {
            Some(into) => {
                Err(Refusal::state("merged", format!("the incident is merged into {into}; work on it there")))
            }
            None => Ok(()),
        }
    }
}

fn declared(declare: &Declare) -> Event {
    let Declare {
        by,
        title,
        summary,
        severity,
        labels,
        service_ids,
        team_id,
        source,
        links,
        custom_fields,
        responders,
    } = declare.clone();
    Event::Declared(Box::new(Declared {
        by,
        title: title.trim().to_owned(),
        summary,
        severity,
        labels,
        service_ids,
        team_id,
        source,
        links,
        custom_fields,
        responders,
    }))
}
