//! Voting, whichever address it came from: the approval counts, and what it is about follows in the same append.

use domain::approval::{Approval, Cast, Command, Status, Subject, SubjectKind, Verdict, Voter};
use domain::ids::{ActorId, ApprovalId};
use domain::runbook::{self, Consent, Phase, Runbook};
use domain::{Aggregate, Refusal};
use jiff::Timestamp;
use storage::{StorageError, Store, StreamId};

use crate::runbooks::{Submit, submit};
use crate::{Actor, CommandError, Grant, Procedure, Unit, tokens};

/// How many must approve a draft that is submitted by approving it: the one who does.
const ALONE: u32 = 1;

/// What is voted on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ballot {
    Approval(String),
    /// The draft of a runbook. To approve one that was not submitted yet submits it.
    Draft(String),
}

/// Somebody in whose name another one votes, with his rights. That he has asked for it is for the caller to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    pub id: ActorId,
    pub grants: Vec<Grant>,
}

#[derive(Debug, Clone)]
pub struct CastVote {
    pub on: Ballot,
    pub by: ActorId,
    pub standing_in_for: Option<Principal>,
    pub verdict: Verdict,
    /// Of what the voter has read. Without it, what there is now is meant.
    pub content_hash: Option<String>,
    pub reason: Option<String>,
    pub at: Timestamp,
}

impl Procedure for CastVote {
    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let approval_id = match &self.on {
            Ballot::Approval(id) => ApprovalId::new(&**id),
            Ballot::Draft(runbook_id) => self.approval_of(unit, runbook_id).await?,
        };
        let Some(terms) = &unit.read::<Approval>(approval_id.as_str()).await?.terms else {
            return Err(Refusal::missing("approval_missing", "there is no such approval").into());
        };
        let subject = terms.subject.clone();
        if let Some(principal) = &self.standing_in_for {
            unit.lend(&principal.grants);
        }
        let cast = Cast {
            voter: voter(unit.store(), &unit.request().actor, self.standing_in_for.as_ref()).await?,
            verdict: self.verdict,
            content_hash: self.content_hash.clone().unwrap_or_else(|| subject.content_hash.clone()),
            reason: self.reason.clone(),
            at: self.at,
        };
        if unit.decide::<Approval>(approval_id.as_str(), &Command::Vote(Box::new(cast))).await? == 0 {
            return Ok(());
        }
        let status = unit.read::<Approval>(approval_id.as_str()).await?.status;
        self.carry_out(unit, approval_id, &subject, status).await
    }

    fn contended(&self) -> Option<StreamId> {
        Some(match &self.on {
            Ballot::Approval(id) => StreamId::new(Approval::TYPE, &**id),
            Ballot::Draft(id) => StreamId::new(Runbook::TYPE, &**id),
        })
    }
}

impl CastVote {
    /// The approval that a runbook's draft waits for.
    async fn approval_of(&self, unit: &mut Unit<'_>, runbook_id: &str) -> Result<ApprovalId, CommandError> {
        let runbook = unit.read::<Runbook>(runbook_id).await?;
        match &runbook.draft {
            Some(draft) if draft.phase == Phase::Editing && self.verdict == Verdict::Approve => {
                let (runbook_id, by) = (runbook_id.to_owned(), self.by.clone());
                submit(unit, &Submit { runbook_id, by, quorum: ALONE, expires_at: None }).await?;
            }
            Some(_) => {}
            None if runbook.created_by.is_none() => {
                return Err(Refusal::missing("runbook_missing", "there is no such runbook").into());
            }
            None => return Err(Refusal::state("no_draft", "there is no draft to decide on").into()),
        }
        let submission = unit.read::<Runbook>(runbook_id).await?.submission();
        let approval_id = submission.map(|submission| submission.approval_id.clone());
        let nothing = || Refusal::state("draft_not_pending", "no draft is waiting for approval; submit it first");
        Ok(approval_id.ok_or_else(nothing)?)
    }

    async fn carry_out(
        &self,
        unit: &mut Unit<'_>,
        approval_id: ApprovalId,
        subject: &Subject,
        status: Status,
    ) -> Result<(), CommandError> {
        let (by, reason) = (self.by.clone(), self.reason.clone());
        let standing_in_for = self.standing_in_for.as_ref().map(|principal| principal.id.clone());
        match subject.kind {
            SubjectKind::RunbookVersion => {
                let command = match status {
                    Status::Rejected => runbook::Command::Reject {
                        approval_id,
                        by,
                        standing_in_for,
                        reason: reason.unwrap_or_default(),
                    },
                    Status::Approved => {
                        runbook::Command::Approve { approval_id, consent: Consent { by, standing_in_for, reason } }
                    }
                    _ => runbook::Command::CountVote { approval_id, consent: Consent { by, standing_in_for, reason } },
                };
                unit.decide::<Runbook>(&subject.id, &command).await.map(|_| ())
            }
        }
    }
}

/// Who votes, as far as approvals ask. Until people are aggregates of their own, platform admins are the tokens of that
/// role. A token that is made or withdrawn at this very moment may be overlooked; the event says `self_approved` either
/// way.
pub async fn voter(store: &Store, actor: &Actor, standing_in_for: Option<&Principal>) -> Result<Voter, StorageError> {
    Ok(Voter {
        by: actor.id.clone(),
        standing_in_for: standing_in_for.map(|principal| principal.id.clone()),
        grants: standing_in_for.map_or_else(|| actor.grants.clone(), |principal| principal.grants.clone()),
        another_platform_admin: tokens::another_platform_admin(store, &actor.id).await?,
    })
}
