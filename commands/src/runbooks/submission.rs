//! A runbook's submission and the approval that is opened for it: whatever makes or ends the one makes or ends the
//! other, in one append.

use domain::Aggregate;
use domain::approval::{self, Approval, Eligible, Subject, SubjectKind, Terms};
use domain::ids::{ActorId, ApprovalId};
use domain::roles::Role;
use domain::runbook::{Command, Runbook};
use jiff::Timestamp;
use storage::StreamId;

use crate::{CommandError, Procedure, Unit, ids};

/// The name of a submission's approval in the command that submits.
const APPROVAL: &str = "approval";

/// Submits the draft.
#[derive(Debug, Clone)]
pub struct Submit {
    pub runbook_id: String,
    pub by: ActorId,
    /// How many must approve.
    pub quorum: u32,
    pub expires_at: Option<Timestamp>,
}

/// Edits, discards or takes back a draft. If it was waiting for an approval, that is withdrawn.
#[derive(Debug, Clone)]
pub struct Revise {
    pub runbook_id: String,
    pub command: Command,
}

impl Procedure for Submit {
    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        submit(unit, self).await
    }

    fn contended(&self) -> Option<StreamId> {
        Some(StreamId::new(Runbook::TYPE, &*self.runbook_id))
    }
}

impl Procedure for Revise {
    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        decide(unit, &self.runbook_id, &self.command).await
    }

    fn contended(&self) -> Option<StreamId> {
        Some(StreamId::new(Runbook::TYPE, &*self.runbook_id))
    }
}

/// Submits as part of a larger procedure. A draft that is pending already stays with the approval that it has.
pub(crate) async fn submit(unit: &mut Unit<'_>, submit: &Submit) -> Result<(), CommandError> {
    let Submit { runbook_id, by, quorum, expires_at } = submit;
    let approval_id = ApprovalId::new(ids::derived(unit.request().command_id, APPROVAL));
    let command = Command::Submit { by: by.clone(), approval_id, quorum: *quorum, expires_at: *expires_at };
    decide(unit, runbook_id, &command).await
}

/// Lets a runbook decide, and lets its approval follow.
pub(super) async fn decide(unit: &mut Unit<'_>, id: &str, command: &Command) -> Result<(), CommandError> {
    // First, because If-Match is about the runbook.
    let before = waits_for(unit.read::<Runbook>(id).await?);
    unit.decide::<Runbook>(id, command).await?;
    let runbook = unit.read::<Runbook>(id).await?;
    let after = waits_for(runbook);
    if before == after {
        return Ok(());
    }
    let terms = terms(id, runbook);
    if let (Some(gone), Some(by)) = (before, command.by().cloned()) {
        let withdraw = approval::Command::Withdraw { by, reason: why(command).map(str::to_owned) };
        unit.decide::<Approval>(gone.as_str(), &withdraw).await?;
    }
    if let (Some(new), Some(terms), Some(by)) = (after, terms, command.by().cloned()) {
        unit.decide::<Approval>(new.as_str(), &approval::Command::Open { by, terms: Box::new(terms) }).await?;
    }
    Ok(())
}

fn waits_for(runbook: &Runbook) -> Option<ApprovalId> {
    runbook.submission().map(|submission| submission.approval_id.clone())
}

/// What a pending draft asks for: every platform admin who did not write at it may vote.
fn terms(id: &str, runbook: &Runbook) -> Option<Terms> {
    let (draft, submission) = (runbook.draft.as_ref()?, runbook.submission()?);
    Some(Terms {
        subject: Subject {
            kind: SubjectKind::RunbookVersion,
            id: id.to_owned(),
            version: runbook.next_version(),
            base_version: runbook.versions.last().map(|version| version.number),
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

/// Why the approval was withdrawn, for who reads its history.
fn why(command: &Command) -> Option<&'static str> {
    match command {
        Command::Edit { .. } => Some("the draft was edited"),
        Command::DiscardDraft { .. } => Some("the draft was discarded"),
        Command::Deprecate { .. } => Some("the runbook was deprecated"),
        Command::WithdrawSubmission { .. } => Some("the submission was taken back"),
        _ => None,
    }
}
