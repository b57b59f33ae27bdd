//! Voting, whichever address it came from: the approval counts, and what it is about follows in the same append.

use domain::approval::{Approval, Cast, Command, Status, Subject, SubjectKind, Verdict, Voter};
use domain::ids::{ActorId, ApprovalId, UserId};
use domain::runbook::{self, Consent, Phase, Runbook};
use domain::user::User;
use domain::{Aggregate, Refusal};
use jiff::Timestamp;
use storage::StreamId;

use crate::runbooks::{Submit, submit};
use crate::{Actor, ActorKind, CommandError, Grant, Procedure, Unit, platform};

/// How many must approve a draft that is submitted by approving it: the one who does.
const ALONE: u32 = 1;

/// What is voted on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ballot {
    Approval(String),
    /// The draft of a runbook. To approve one that was not submitted yet submits it.
    Draft(String),
}

/// Somebody in whose name another one votes, with his rights.
struct Principal {
    id: ActorId,
    grants: Vec<Grant>,
}

#[derive(Debug, Clone)]
pub struct CastVote {
    pub on: Ballot,
    pub by: ActorId,
    /// Who has asked the voter to, for this time.
    pub standing_in_for: Option<UserId>,
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
        let principal = self.principal(unit).await?;
        if let Some(principal) = &principal {
            unit.lend(&principal.grants);
        }
        let another_platform_admin = platform::has_another_admin(unit, &self.by, self.at).await?;
        let mut voter = voter(&unit.request().actor, another_platform_admin);
        if let Some(Principal { id, grants }) = principal {
            (voter.standing_in_for, voter.grants) = (Some(id), grants);
        }
        let cast = Cast {
            voter,
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
    /// In whose name the vote is, if he has asked for it.
    async fn principal(&self, unit: &mut Unit<'_>) -> Result<Option<Principal>, CommandError> {
        let Some(id) = &self.standing_in_for else { return Ok(None) };
        // A token has the rights that it was given, and nobody else's.
        if unit.request().actor.kind != ActorKind::User {
            let detail = "only somebody who is signed in votes in another one's place; a token does not";
            return Err(Refusal::forbidden("not_stand_in", detail).into());
        }
        let user = unit.read::<User>(id.as_str()).await?;
        if user.stand_in(self.at).is_none_or(|stand_in| stand_in.as_str() != self.by.as_str()) {
            let detail = format!("{id} has not asked you to vote in his place now");
            return Err(Refusal::forbidden("not_stand_in", detail).into());
        }
        Ok(Some(Principal { id: ActorId::new(id.as_str()), grants: user.grants.iter().cloned().collect() }))
    }

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
        let standing_in_for = self.standing_in_for.as_ref().map(|principal| ActorId::new(principal.as_str()));
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

/// Who votes, as far as approvals ask.
pub fn voter(actor: &Actor, another_platform_admin: bool) -> Voter {
    Voter { by: actor.id.clone(), standing_in_for: None, grants: actor.grants.clone(), another_platform_admin }
}
