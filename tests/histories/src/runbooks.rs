//! Runbooks in random histories.

use domain::ids::ActorId;
use domain::runbook::definition::{Definition, parse};
use domain::runbook::{Command, Phase, Runbook};
use jiff::Timestamp;
use serde_json::json;
use storage::Append;

use crate::{Dice, Known, append, decided, person};

/// Runbooks that are worked on at the same time.
const ALIVE: usize = 100;

#[derive(Debug)]
pub(crate) struct Runbooks {
    alive: Vec<Known<Runbook>>,
    seed: u64,
    born: u64,
    length: u64,
}

impl Runbooks {
    pub(crate) fn new(seed: u64, length: u64) -> Self {
        Self { alive: Vec::new(), seed, born: 0, length }
    }

    pub(crate) fn next(&mut self, dice: &mut Dice) -> Append {
        if self.alive.len() < ALIVE || dice.one_in(self.length) {
            return self.create(dice);
        }
        let index = usize::try_from(dice.below(self.alive.len() as u64)).unwrap_or(0);
        let command = self.command(dice, index);
        let write = decided(&mut self.alive[index], &command);
        append(dice, vec![write])
    }

    fn create(&mut self, dice: &mut Dice) -> Append {
        self.born += 1;
        let known = Known { id: format!("r-{:x}-{:07}", self.seed, self.born), ..Known::default() };
        let index = if self.alive.len() < ALIVE {
            self.alive.push(known);
            self.alive.len() - 1
        } else {
            let index = usize::try_from(self.born).unwrap_or(0) % ALIVE;
            self.alive[index] = known;
            index
        };
        let (by, definition) = (ActorId::new(person(dice)), definition(dice));
        let write = decided(&mut self.alive[index], &Command::Create { by, definition, change_note: None });
        append(dice, vec![write])
    }

    fn command(&self, dice: &mut Dice, index: usize) -> Command {
        let state = &self.alive[index].state;
        let by = ActorId::new(person(dice));
        // Of somebody who never writes, so that he may judge.
        let judge = ActorId::new("the-judge");
        let content_hash = state.draft.as_ref().map(|draft| draft.content_hash.clone()).unwrap_or_default();
        let another_platform_admin = true;
        let reason = None;
        match state.draft.as_ref().map(|draft| draft.phase) {
            Some(Phase::Pending) => match dice.below(17) {
                0..=3 => Command::Approve { by: judge, content_hash, another_platform_admin, reason },
                4..=7 => {
                    Command::Reject { by: judge, content_hash, another_platform_admin, reason: "not yet".to_owned() }
                }
                8..=10 => Command::WithdrawSubmission { by },
                11..=15 => Command::ExpireSubmission { content_hash, expires_at: LATER, at: LATER },
                _ => Command::Edit { by, definition: definition(dice), change_note: Some("better".to_owned()) },
            },
            Some(Phase::Editing) => match dice.below(10) {
                0..=6 => Command::Submit { by, expires_at: (!dice.one_in(4)).then_some(LATER) },
                7 => Command::Edit { by, definition: definition(dice), change_note: None },
                _ => Command::DiscardDraft { by },
            },
            None if !dice.one_in(6) => Command::Deprecate { by: judge, another_platform_admin, reason },
            None => Command::Edit { by, definition: definition(dice), change_note: None },
        }
    }
}

const LATER: Timestamp = Timestamp::constant(1_900_000_000, 0);

fn definition(dice: &mut Dice) -> Definition {
    let body = json!({
        "name": format!("{} {}", dice.of(&["Restart", "Scale out", "Fail over", "Überprüfe"]), dice.below(50)),
        "description": "What to do, \"step by step\".",
        "team_id": if dice.one_in(3) { None } else { Some(format!("team-{}", dice.below(8))) },
        "tags": [*dice.of(&["database", "network", "web"])],
        "environment": if dice.one_in(2) { Some("production") } else { None },
        "webhook_url": format!("https://example.com/hook/{}", dice.below(1_000)),
        "payload_template": {},
    });
    parse(&body).expect("a sound definition").definition
}
