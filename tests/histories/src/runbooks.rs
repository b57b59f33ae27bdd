//! Runbooks in random histories, and the approvals that they wait for.

use domain::approval::{self, Approval, Cast, Eligible, Subject, SubjectKind, Terms, Verdict, Voter};
use domain::ids::{ActorId, ApprovalId};
use domain::roles::{Grant, Role};
use domain::runbook::definition::{Definition, parse};
use domain::runbook::{Command, Consent, Phase, Runbook};
use jiff::Timestamp;
use serde_json::json;
use storage::{Append, StreamWrite};

use crate::{Dice, Known, append, decided, person};

/// Runbooks that are worked on at the same time.
const ALIVE: usize = 100;
const LATER: Timestamp = Timestamp::constant(1_900_000_000, 0);

#[derive(Debug)]
pub(crate) struct Runbooks {
    alive: Vec<Worked>,
    seed: u64,
    born: u64,
    /// Approvals that were ever asked for.
    asked: u64,
    length: u64,
}

/// A runbook and the approval that was last asked for it.
#[derive(Debug, Default)]
struct Worked {
    runbook: Known<Runbook>,
    approval: Known<Approval>,
}

impl Runbooks {
    pub(crate) fn new(seed: u64, length: u64) -> Self {
        Self { alive: Vec::new(), seed, born: 0, asked: 0, length }
    }

    pub(crate) fn next(&mut self, dice: &mut Dice) -> Append {
        if self.alive.len() < ALIVE || dice.one_in(self.length) {
            return self.create(dice);
        }
        let index = usize::try_from(dice.below(self.alive.len() as u64)).unwrap_or(0);
        let writes = match self.alive[index].runbook.state.draft.as_ref().map(|draft| draft.phase) {
            Some(Phase::Pending) => self.pending(dice, index),
            Some(Phase::Editing) => self.editing(dice, index),
            None => self.without_draft(dice, index),
        };
        append(dice, writes)
    }

    fn create(&mut self, dice: &mut Dice) -> Append {
        self.born += 1;
        let runbook = Known { id: format!("r-{:x}-{:07}", self.seed, self.born), ..Known::default() };
        let worked = Worked { runbook, approval: Known::default() };
        let index = if self.alive.len() < ALIVE {
            self.alive.push(worked);
            self.alive.len() - 1
        } else {
            let index = usize::try_from(self.born).unwrap_or(0) % ALIVE;
            self.alive[index] = worked;
            index
        };
        let (by, definition) = (ActorId::new(person(dice)), definition(dice));
        let create = Command::Create { by, definition, change_note: None };
        let writes = self.revise(index, &create);
        append(dice, writes)
    }

    fn pending(&mut self, dice: &mut Dice, index: usize) -> Vec<StreamWrite> {
        let by = ActorId::new(person(dice));
        match dice.below(40) {
            0..=18 => self.vote(dice, index, Verdict::Approve),
            19..=25 => self.vote(dice, index, Verdict::Reject),
            26..=30 => self.revise(index, &Command::WithdrawSubmission { by }),
            31..=38 => self.expire(index),
            _ => {
                let change_note = Some("better".to_owned());
                self.revise(index, &Command::Edit { by, definition: definition(dice), change_note })
            }
        }
    }

    fn editing(&mut self, dice: &mut Dice, index: usize) -> Vec<StreamWrite> {
        let by = ActorId::new(person(dice));
        match dice.below(20) {
            0..=16 => {
                self.asked += 1;
                let approval_id = ApprovalId::new(format!("a-{:x}-{:07}", self.seed, self.asked));
                let quorum = 1 + u32::try_from(dice.below(2)).unwrap_or(0);
                let expires_at = (!dice.one_in(5)).then_some(LATER);
                self.revise(index, &Command::Submit { by, approval_id, quorum, expires_at })
            }
            17 => self.revise(index, &Command::Edit { by, definition: definition(dice), change_note: None }),
            _ => self.revise(index, &Command::DiscardDraft { by }),
        }
    }

    fn without_draft(&mut self, dice: &mut Dice, index: usize) -> Vec<StreamWrite> {
        if dice.one_in(4) {
            let by = ActorId::new(person(dice));
            return self.revise(index, &Command::Edit { by, definition: definition(dice), change_note: None });
        }
        // Of somebody who never writes, so that he may judge.
        let by = ActorId::new("the-judge");
        self.revise(index, &Command::Deprecate { by, another_platform_admin: true, reason: None })
    }

    /// As the procedures do: the approval follows the submission, in the same append.
    fn revise(&mut self, index: usize, command: &Command) -> Vec<StreamWrite> {
        let Worked { runbook, approval } = &mut self.alive[index];
        let before = runbook.state.submission().map(|submission| submission.approval_id.clone());
        let mut writes = vec![decided(runbook, command)];
        let after = runbook.state.submission().map(|submission| submission.approval_id.clone());
        let Some(by) = command.by().filter(|_| before != after) else { return writes };
        if before.is_some() {
            let withdraw = approval::Command::Withdraw { by: by.clone(), reason: Some("not any more".to_owned()) };
            writes.push(decided(approval, &withdraw));
        }
        if let Some((id, terms)) = after.zip(terms(runbook)) {
            *approval = Known { id: id.to_string(), ..Known::default() };
            let open = approval::Command::Open { by: by.clone(), terms: Box::new(terms) };
            writes.push(decided(approval, &open));
        }
        writes
    }

    fn vote(&mut self, dice: &mut Dice, index: usize, verdict: Verdict) -> Vec<StreamWrite> {
        let Worked { runbook, approval } = &mut self.alive[index];
        let by = ActorId::new(format!("judge-{}", dice.below(9)));
        let approval_id = ApprovalId::new(&*approval.id);
        let grants = vec![Grant { role: Role::PlatformAdmin, team: None }];
        let looked = format!("looked at it for {} minutes", dice.below(50));
        let voter = Voter { by: by.clone(), standing_in_for: None, grants, another_platform_admin: true };
        let hash = runbook.state.draft.as_ref().map(|draft| draft.content_hash.clone());
        let (content_hash, at) = (hash.unwrap_or_default(), Timestamp::UNIX_EPOCH);
        let cast = Cast { voter, verdict, content_hash, reason: Some(looked.clone()), at };
        let counted = decided(approval, &approval::Command::Vote(Box::new(cast)));
        if counted.events.is_empty() {
            return vec![];
        }
        let consent = Consent { by: by.clone(), standing_in_for: None, reason: Some(looked.clone()) };
        let command = match approval.state.status {
            approval::Status::Approved => Command::Approve { approval_id, consent },
            approval::Status::Rejected => Command::Reject { approval_id, by, standing_in_for: None, reason: looked },
            _ => Command::CountVote { approval_id, consent },
        };
        vec![counted, decided(runbook, &command)]
    }

    fn expire(&mut self, index: usize) -> Vec<StreamWrite> {
        let Worked { runbook, approval } = &mut self.alive[index];
        let expired = decided(approval, &approval::Command::Expire { expires_at: LATER, at: LATER });
        if expired.events.is_empty() {
            return vec![];
        }
        let approval_id = ApprovalId::new(&*approval.id);
        vec![expired, decided(runbook, &Command::ExpireSubmission { approval_id })]
    }
}

fn terms(runbook: &Known<Runbook>) -> Option<Terms> {
    let (draft, submission) = (runbook.state.draft.as_ref()?, runbook.state.submission()?);
    Some(Terms {
        subject: Subject {
            kind: SubjectKind::RunbookVersion,
            id: runbook.id.clone(),
            version: runbook.state.next_version(),
            base_version: runbook.state.versions.last().map(|version| version.number),
            content_hash: draft.content_hash.clone(),
            team_id: draft.definition.team_id().cloned(),
            title: Some(draft.definition.name().to_owned()),
        },
        eligible: Eligible { roles: [Role::PlatformAdmin].into(), ..Eligible::default() },
        quorum: submission.quorum,
        four_eyes: true,
        authors: draft.authors.clone(),
        expires_at: submission.expires_at,
    })
}

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
