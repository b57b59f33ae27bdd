//! Incidents in random histories.

use std::collections::BTreeSet;

use domain::ids::{ActorId, IncidentId, ServiceId, TeamId, UserId};
use domain::incident::{Changes, Command, Declare, Incident, ResponderRole, Severity, Status};
use jiff::Timestamp;
use storage::{Append, StreamWrite};

use crate::{Dice, Known, append, decided, person};

/// Incidents that things happen to at the same time.
const ALIVE: usize = 400;
const TITLES: &[&str] = &[
    "Checkout answers slowly in Zürich",
    "Payment API returns 502",
    "Disk full on db-3",
    "Queue of e-mails grows",
    "Certificate of the partner portal expires",
    "データベース停止",
    "Login fails for \"single sign-on\" users \\ all regions",
];

#[derive(Debug)]
pub(crate) struct Incidents {
    alive: Vec<Known<Incident>>,
    seed: u64,
    born: u64,
    length: u64,
    /// The clock of the history: a second for each command.
    now: i64,
}

impl Incidents {
    pub(crate) fn new(seed: u64, length: u64) -> Self {
        Self { alive: Vec::new(), seed, born: 0, length, now: 1_700_000_000 }
    }

    pub(crate) fn next(&mut self, dice: &mut Dice) -> Append {
        self.now += 1;
        if self.alive.len() < ALIVE || dice.one_in(self.length) {
            return self.declare(dice);
        }
        let index = usize::try_from(dice.below(self.alive.len() as u64)).unwrap_or(0);
        if self.alive[index].state.status == Status::Merged {
            return self.unmerge(dice, index);
        }
        if dice.one_in(20) {
            return self.merge(dice, index);
        }
        let command = self.command(dice, index);
        let write = decided(&mut self.alive[index], &command);
        append(dice, vec![write])
    }

    fn at(&self, seconds: i64) -> Timestamp {
        Timestamp::from_second(self.now + seconds).expect("a time of our days")
    }

    fn declare(&mut self, dice: &mut Dice) -> Append {
        self.born += 1;
        let known = Known { id: format!("i-{:x}-{:07}", self.seed, self.born), ..Known::default() };
        let mut declare = Declare::new(ActorId::new(person(dice)), *dice.of(TITLES), *dice.of(&Severity::ALL));
        declare.summary = format!("Seen {} times since {}.", dice.below(90), self.now);
        declare.team_id = (!dice.one_in(4)).then(|| TeamId::new(format!("team-{}", dice.below(8))));
        declare.labels.insert("region".to_owned(), (*dice.of(&["eu", "us", "ap"])).to_owned());
        declare.service_ids.insert(ServiceId::new(format!("service-{}", dice.below(20))));
        let known = if self.alive.len() < ALIVE {
            self.alive.push(known);
            self.alive.last_mut()
        } else {
            // The oldest ones are left as they are.
            let index = usize::try_from(self.born).unwrap_or(0) % ALIVE;
            self.alive[index] = known;
            self.alive.get_mut(index)
        };
        let write = decided(known.expect("it was put there"), &Command::Declare(Box::new(declare)));
        append(dice, vec![write])
    }

    fn command(&self, dice: &mut Dice, index: usize) -> Command {
        let state = &self.alive[index].state;
        let by = ActorId::new(person(dice));
        let reason = Some(format!("because of {}", dice.below(1_000)));
        match state.status {
            Status::Resolved if dice.one_in(2) => return Command::Reopen { by, reason },
            Status::Acknowledged if dice.one_in(3) => {
                return match state.snoozed_until {
                    Some(until) => Command::Wake { until, at: until },
                    None => {
                        Command::TimeOutAcknowledgement { number: state.acknowledgement.number, at: self.at(9_000) }
                    }
                };
            }
            _ => {}
        }
        match dice.below(16) {
            0 | 1 => {
                let expires_at = dice.one_in(2).then(|| self.at(300));
                Command::Acknowledge { by, expires_at }
            }
            2 | 13 => Command::Unacknowledge { by },
            3 | 4 => {
                let to = (0..dice.below(3)).map(|_| UserId::new(person(dice))).collect::<BTreeSet<_>>();
                Command::Assign { by, to }
            }
            5 => Command::AddResponder { by, user: UserId::new(person(dice)), role: role(dice) },
            6 | 7 => match state.responders.iter().next() {
                Some(one) => Command::RemoveResponder { by, user: one.user.clone(), role: one.role.clone() },
                None => Command::AddResponder { by, user: UserId::new(person(dice)), role: role(dice) },
            },
            8 => Command::ChangeSeverity { by, severity: *dice.of(&Severity::ALL), reason },
            9 => {
                let title = Some(format!("{} ({})", dice.of(TITLES), dice.below(100)));
                Command::Edit { by, changes: Box::new(Changes { title, ..Changes::default() }) }
            }
            10 => Command::AddNote { by, text: format!("Note: the pool was raised to {}.", dice.below(500)) },
            11 | 12 => {
                let until = 60 + i64::try_from(dice.below(3_600)).unwrap_or(0);
                Command::Snooze { by, until: self.at(until), at: self.at(0) }
            }
            _ => Command::Resolve { by, resolution: reason },
        }
    }

    fn merge(&mut self, dice: &mut Dice, index: usize) -> Append {
        let other = usize::try_from(dice.below(self.alive.len() as u64)).unwrap_or(0);
        let (this, into) = (self.alive[index].id.clone(), self.alive[other].id.clone());
        let into_merged = self.alive[other].state.status == Status::Merged;
        if this == into || into_merged {
            return append(dice, vec![]);
        }
        let (by, this, into) = (ActorId::new(person(dice)), IncidentId::new(this), IncidentId::new(into));
        let merge = Command::MergeInto { by: by.clone(), this: this.clone(), into: into.clone(), into_merged };
        let first = decided(&mut self.alive[index], &merge);
        if first.events.is_empty() {
            return append(dice, vec![]);
        }
        let second = decided(&mut self.alive[other], &Command::Absorb { by, this: into, incident: this });
        append(dice, vec![first, second])
    }

    fn unmerge(&mut self, dice: &mut Dice, index: usize) -> Append {
        let merged = self.alive[index].state.merged_into.clone();
        let other = merged.and_then(|id| self.alive.iter().position(|known| known.id == id.as_ref()));
        let Some(other) = other else { return append(dice, vec![]) };
        let by = ActorId::new(person(dice));
        let incident = IncidentId::new(self.alive[index].id.clone());
        let first = decided(&mut self.alive[index], &Command::Unmerge { by: by.clone() });
        let second: StreamWrite = decided(&mut self.alive[other], &Command::Release { by, incident });
        append(dice, vec![first, second])
    }
}

fn role(dice: &mut Dice) -> ResponderRole {
    dice.of(&[ResponderRole::Commander, ResponderRole::Scribe, ResponderRole::Responder]).clone()
}
