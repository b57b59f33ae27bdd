//! Carrying out what was decided on a pending draft. Who may decide, and that it is not the author, is the affair of the
//! approval that was opened for it; here it must be the very one that the draft waits for.

use std::sync::Arc;

use crate::ids::{ActorId, ApprovalId};
use crate::runbook::decide::Decision;
use crate::runbook::event::{Approved, Consent, Event};
use crate::runbook::state::{Draft, Runbook, Submission};
use crate::{Refusal, text};

impl Runbook {
    pub(super) fn count_vote(&self, approval_id: &ApprovalId, consent: &Consent) -> Decision {
        let (draft, submission) = self.must_wait_for(approval_id)?;
        if submission.consents.iter().any(|known| known.by == consent.by) {
            return Ok(vec![]);
        }
        Ok(vec![Event::VoteCounted {
            of_version: self.next_version(),
            content_hash: draft.content_hash.clone(),
            consent: sound(consent),
        }])
    }

    pub(super) fn approve_draft(&self, approval_id: &ApprovalId, consent: &Consent) -> Decision {
        let (draft, submission) = self.must_wait_for(approval_id)?;
        let consents: Vec<Consent> = submission.consents.iter().cloned().chain([sound(consent)]).collect();
        let by_author = |consent: &Consent| {
            let behind = [Some(&consent.by), consent.standing_in_for.as_ref()];
            behind.into_iter().flatten().any(|who| draft.authors.contains(who))
        };
        Ok(vec![Event::Approved(Approved {
            by: consent.by.clone(),
            approval_id: approval_id.clone(),
            self_approved: consents.iter().any(by_author),
            consents,
            version: self.next_version(),
            definition: Arc::clone(&draft.definition),
            content_hash: draft.content_hash.clone(),
            authors: draft.authors.clone(),
            change_note: draft.change_note.clone(),
        })])
    }

    pub(super) fn reject(
        &self,
        approval_id: &ApprovalId,
        by: &ActorId,
        standing_in_for: Option<&ActorId>,
        reason: &str,
    ) -> Decision {
        let (draft, _) = self.must_wait_for(approval_id)?;
        Ok(vec![Event::Rejected {
            by: by.clone(),
            standing_in_for: standing_in_for.cloned(),
            of_version: self.next_version(),
            content_hash: draft.content_hash.clone(),
            reason: reason.trim().to_owned(),
        }])
    }

    fn must_wait_for(&self, approval_id: &ApprovalId) -> Result<(&Draft, &Submission), Refusal> {
        let waiting = self.draft.as_ref().and_then(|draft| Some((draft, draft.submission.as_ref()?)));
        let Some((draft, submission)) = waiting else {
            return Err(Refusal::state("draft_not_pending", "no draft is waiting for approval; submit it first"));
        };
        if submission.approval_id != *approval_id {
            let detail = format!("the draft was submitted anew, and waits for the approval {}", submission.approval_id);
            return Err(Refusal::state("submitted_anew", detail));
        }
        Ok((draft, submission))
    }
}

fn sound(consent: &Consent) -> Consent {
    Consent { reason: text::trimmed(consent.reason.as_deref()), ..consent.clone() }
}
