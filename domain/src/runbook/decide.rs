//! What each command does to a runbook.
//!
//! | Draft | edit | submit | withdraw | count a vote, approve, reject | expire | discard |
//! |---|---|---|---|---|---|---|
//! | none | → editing | – | – | – | nothing | nothing |
//! | editing | ✓ | → pending | nothing | – | nothing | → none |
//! | pending | → editing, withdrawn | nothing | → editing | pending, → version, → editing | → editing | → none, withdrawn |
//!
//! Expiring comes from a timer, by way of the approval: it is never refused for the state.
//! Deprecating goes by the status: refused while nothing was approved, nothing when it is deprecated already; it takes a
//! submission back. A runbook that was discarded before any approval is gone, and every command but a repeated discard
//! says so.

use std::sync::Arc;

use jiff::Timestamp;

use crate::approval::terms::check_quorum;
use crate::ids::{self, ActorId, ApprovalId};
use crate::runbook::command::Command;
use crate::runbook::definition::{CHANGE_NOTE_CHARACTERS, Definition};
use crate::runbook::event::{Consent, Drafted, Event};
use crate::runbook::state::{Draft, Phase, Runbook, Status};
use crate::{Fault, Refusal, text};

/// What a decision comes to.
pub(super) type Decision = Result<Vec<Event>, Refusal>;

impl Runbook {
    pub(super) fn decide_on(&self, command: &Command) -> Decision {
        text::refuse_if_any(faults(command))?;
        if let Command::Create { by, definition, change_note } = command {
            if self.created_by.is_some() {
                return Err(Refusal::state("runbook_exists", "a runbook with this id exists already"));
            }
            return Ok(vec![Event::Created(self.drafted(by, definition, change_note.as_deref()))]);
        }
        if self.created_by.is_none() {
            return Err(Refusal::missing("runbook_missing", "there is no such runbook"));
        }
        if let Command::DiscardDraft { by } = command {
            return Ok(self.discard(by));
        }
        if let Command::ExpireSubmission { approval_id } = command {
            return Ok(self.expire(approval_id));
        }
        if self.is_discarded() {
            return Err(Refusal::missing("runbook_discarded", "the runbook was discarded before it was ever approved"));
        }
        match command {
            // All three are decided above.
            Command::Create { .. } | Command::DiscardDraft { .. } | Command::ExpireSubmission { .. } => Ok(vec![]),
            Command::Edit { by, definition, change_note } => Ok(self.edit(by, definition, change_note.as_deref())),
            Command::Submit { by, approval_id, quorum, expires_at } => {
                self.submit(by, approval_id, *quorum, *expires_at)
            }
            Command::WithdrawSubmission { by } => self.withdraw(by),
            Command::CountVote { approval_id, consent } => self.count_vote(approval_id, consent),
            Command::Approve { approval_id, consent } => self.approve_draft(approval_id, consent),
            Command::Reject { approval_id, by, standing_in_for, reason } => {
                self.reject(approval_id, by, standing_in_for.as_ref(), reason)
            }
            Command::Deprecate { by, another_platform_admin, reason } => {
                self.deprecate(by, *another_platform_admin, reason.as_deref())
            }
        }
    }

    fn edit(&self, by: &ActorId, definition: &Definition, change_note: Option<&str>) -> Vec<Event> {
        let drafted = self.drafted(by, definition, change_note);
        if self.says_already(&drafted) {
            return vec![];
        }
        let mut events: Vec<_> = self.pending().map(|draft| self.withdrawn(by, draft)).into_iter().collect();
        events.push(Event::DraftEdited(drafted));
        events
    }

    /// Whether an edit would change nothing. A deprecated runbook is revived by the very content that it had, so there
    /// only a draft counts.
    fn says_already(&self, drafted: &Drafted) -> bool {
        match (&self.draft, self.executable()) {
            (Some(draft), _) => {
                draft.content_hash == drafted.content_hash
                    && (drafted.change_note.is_none() || drafted.change_note == draft.change_note)
            }
            (None, Some((current, _))) => current.content_hash == drafted.content_hash,
            (None, None) => false,
        }
    }

    fn submit(&self, by: &ActorId, approval_id: &ApprovalId, quorum: u32, expires_at: Option<Timestamp>) -> Decision {
        let draft = self.must_have_draft()?;
        if draft.phase == Phase::Pending {
            return Ok(vec![]);
        }
        Ok(vec![Event::DraftSubmitted {
            by: by.clone(),
            of_version: self.next_version(),
            content_hash: draft.content_hash.clone(),
            approval_id: approval_id.clone(),
            quorum,
            expires_at,
        }])
    }

    fn expire(&self, approval_id: &ApprovalId) -> Vec<Event> {
        let of_it = self.submission().is_some_and(|submission| submission.approval_id == *approval_id);
        let draft = self.pending().filter(|_| of_it);
        let expired = |draft: &Draft| Event::SubmissionExpired {
            of_version: self.next_version(),
            content_hash: draft.content_hash.clone(),
        };
        draft.map(expired).into_iter().collect()
    }

    fn withdraw(&self, by: &ActorId) -> Decision {
        self.must_have_draft()?;
        Ok(self.pending().map(|draft| self.withdrawn(by, draft)).into_iter().collect())
    }

    fn discard(&self, by: &ActorId) -> Vec<Event> {
        if self.draft.is_none() {
            return vec![];
        }
        let mut events: Vec<_> = self.pending().map(|draft| self.withdrawn(by, draft)).into_iter().collect();
        events.push(Event::DraftDiscarded { by: by.clone(), of_version: self.next_version() });
        events
    }

    fn deprecate(&self, by: &ActorId, another_platform_admin: bool, reason: Option<&str>) -> Decision {
        let Some(version) = self.versions.last() else {
            let detail = "nothing of it was ever approved; discard the draft instead";
            return Err(Refusal::state("never_approved", detail));
        };
        if self.status == Status::Deprecated {
            return Ok(vec![]);
        }
        if another_platform_admin && version.authors.contains(by) {
            let detail = "who wrote this version does not judge it; another admin must";
            return Err(Refusal::forbidden("four_eyes", detail));
        }
        let withdrawn = self.pending().map(|draft| self.withdrawn(by, draft));
        let deprecated = Event::Deprecated {
            by: by.clone(),
            version: version.number,
            content_hash: version.content_hash.clone(),
            reason: text::trimmed(reason),
        };
        Ok(withdrawn.into_iter().chain([deprecated]).collect())
    }

    pub(super) fn pending(&self) -> Option<&Draft> {
        self.draft.as_ref().filter(|draft| draft.phase == Phase::Pending)
    }

    fn must_have_draft(&self) -> Result<&Draft, Refusal> {
        self.draft
            .as_ref()
            .ok_or_else(|| Refusal::state("no_draft", "there is no draft; edit the runbook to start one"))
    }

    fn withdrawn(&self, by: &ActorId, draft: &Draft) -> Event {
        Event::SubmissionWithdrawn {
            by: by.clone(),
            of_version: self.next_version(),
            content_hash: draft.content_hash.clone(),
        }
    }

    fn drafted(&self, by: &ActorId, definition: &Definition, change_note: Option<&str>) -> Drafted {
        Drafted {
            by: by.clone(),
            of_version: self.next_version(),
            definition: Arc::new(definition.clone()),
            content_hash: definition.content_hash(),
            change_note: text::trimmed(change_note),
        }
    }
}

/// What is wrong with a command in whatever state the runbook is. A definition is valid since it exists.
fn faults(command: &Command) -> Vec<Fault> {
    let mut faults = Vec::new();
    if let Some(by) = command.by() {
        ids::check(by, "/by", &mut faults);
    }
    match command {
        Command::Create { change_note: Some(note), .. } | Command::Edit { change_note: Some(note), .. } => {
            text::check(note, 0, CHANGE_NOTE_CHARACTERS, "/change_note", &mut faults);
        }
        Command::Submit { quorum, .. } => check_quorum(*quorum, &mut faults),
        Command::Deprecate { reason: Some(reason), .. }
        | Command::CountVote { consent: Consent { reason: Some(reason), .. }, .. }
        | Command::Approve { consent: Consent { reason: Some(reason), .. }, .. } => {
            text::check(reason, 0, text::REASON_CHARACTERS, "/reason", &mut faults);
        }
        Command::Reject { reason, .. } => text::check(reason, 1, text::REASON_CHARACTERS, "/reason", &mut faults),
        _ => {}
    }
    faults
}
