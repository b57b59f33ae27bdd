//! Partner grants in random histories, and what was written down of their accesses.

use std::collections::BTreeSet;

use domain::ids::{ActorId, ComponentId, PartnerGrantId, StatusPageId, SubjectId};
use domain::partner_access::{self, Batch, PartnerAccess};
use domain::partner_grant::{Command, Extent, Grant, PartnerGrant, Scope, Status};
use jiff::Timestamp;
use storage::Append;

use crate::{Dice, Known, append, decided, person};

/// Grants that things happen to at the same time.
const ALIVE: usize = 60;
/// Seconds that a grant is for.
const SPAN: i64 = 4_000;

#[derive(Debug)]
pub(crate) struct PartnerGrants {
    alive: Vec<Known<PartnerGrant>>,
    seed: u64,
    born: u64,
    batches: u64,
    /// The clock of the history.
    now: i64,
}

impl PartnerGrants {
    pub(crate) fn new(seed: u64) -> Self {
        Self { alive: Vec::new(), seed, born: 0, batches: 0, now: 1_700_000_000 }
    }

    /// `pages` are what may be granted, each with a component if it has one.
    pub(crate) fn next<'p>(
        &mut self,
        dice: &mut Dice,
        pages: impl Iterator<Item = (&'p str, Option<&'p ComponentId>)>,
    ) -> Append {
        self.now += 10;
        let pages: Vec<_> = pages.collect();
        if self.alive.len() < ALIVE {
            self.alive.push(Known::default());
            return self.grant(dice, self.alive.len() - 1, &pages);
        }
        let index = usize::try_from(dice.below(self.alive.len() as u64)).unwrap_or(0);
        if dice.one_in(10) {
            return self.access(dice, index);
        }
        if self.alive[index].state.status == Status::Revoked {
            return self.grant(dice, index, &pages);
        }
        let command = self.command(dice, index, &pages);
        let write = decided(&mut self.alive[index], &command);
        append(dice, vec![write])
    }

    fn at(&self, seconds: i64) -> Timestamp {
        Timestamp::from_second(self.now + seconds).expect("a time of our days")
    }

    fn grant(&mut self, dice: &mut Dice, index: usize, pages: &[(&str, Option<&ComponentId>)]) -> Append {
        self.born += 1;
        let from = self.at(if dice.one_in(2) { 0 } else { 500 });
        let grant = Grant {
            by: ActorId::new(person(dice)),
            organisation: (*dice.of(&["Cobbler & Sons", "Überlandwerke", "製鉄所"])).to_owned(),
            people: people(dice),
            scope: scope(dice, pages),
            from,
            until: self.at(SPAN),
            reason: "they sell with us".to_owned(),
            at: self.at(0),
        };
        self.alive[index] = Known { id: format!("g-{:x}-{:07}", self.seed, self.born), ..Known::default() };
        let write = decided(&mut self.alive[index], &Command::Grant(Box::new(grant)));
        append(dice, vec![write])
    }

    fn command(&self, dice: &mut Dice, index: usize, pages: &[(&str, Option<&ComponentId>)]) -> Command {
        let state = &self.alive[index].state;
        let by = ActorId::new(person(dice));
        let (reason, at) = (format!("because of {}", dice.below(100)), self.at(0));
        let next =
            Command::Renew { by: by.clone(), from: self.at(200), until: self.at(SPAN), reason: reason.clone(), at };
        match (state.status, dice.below(10)) {
            (_, 0) => Command::Edit { by, organisation: None, people: Some(people(dice)) },
            (_, 1 | 2) => Command::ChangeScope { by, scope: scope(dice, pages), reason },
            (_, 3) => Command::Revoke { by, reason },
            (Status::Pending, 4..=6) => Command::Activate { from: state.from, at: state.from },
            (Status::Suspended, 4..=6) => Command::Resume { by, reason, at },
            (Status::Expired, 4..=8) => next,
            (_, 4 | 5) => Command::Suspend { by, reason },
            (_, 6 | 7) => Command::Expire { until: state.until, at: state.until },
            _ => next,
        }
    }

    /// A batch is a stream of its own.
    fn access(&mut self, dice: &mut Dice, index: usize) -> Append {
        self.batches += 1;
        let count = 1 + dice.below(9);
        let grants = [(PartnerGrantId::new(&*self.alive[index].id), count)].into();
        let sha256 = format!("{:064x}", self.batches);
        let batch = Batch { count, sha256, grants, first_at: self.at(0), last_at: self.at(1) };
        let mut known: Known<PartnerAccess> =
            Known { id: format!("a-{:x}-{:07}", self.seed, self.batches), ..Known::default() };
        let write = decided(&mut known, &partner_access::Command::Record(batch));
        append(dice, vec![write])
    }
}

fn people(dice: &mut Dice) -> BTreeSet<SubjectId> {
    (0..dice.below(3)).map(|_| SubjectId::new(format!("subject-{}", dice.below(30)))).collect()
}

fn scope(dice: &mut Dice, pages: &[(&str, Option<&ComponentId>)]) -> Scope {
    let mut scope = Scope::new();
    for _ in 0..=dice.below(2) {
        let (page, component) = match pages {
            [] => ("p-unknown", None),
            pages => *dice.of(pages),
        };
        let extent = match component {
            Some(component) if dice.one_in(2) => Extent::Components([component.clone()].into()),
            _ => Extent::All,
        };
        scope.insert(StatusPageId::new(page), extent);
    }
    scope
}
