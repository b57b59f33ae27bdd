//! Approving and rejecting a pending draft. Who may is the bus's question; that it is not the author, and that it is
//! about exactly what was read, is decided here.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::ids::ActorId;
use crate::runbook::decide::Decision;
use crate::runbook::event::{Approved, Event};
use crate::runbook::state::{Draft, Runbook};
use crate::{Refusal, text};

impl Runbook {
    pub(super) fn decide_approval(
        &self,
        by: &ActorId,
        content_hash: &str,
        another_platform_admin: bool,
        reason: Option<&str>,
    ) -> Decision {
        let draft = self.must_be_pending(content_hash)?;
        four_eyes(by, &draft.authors, another_platform_admin)?;
        Ok(vec![Event::Approved(Approved {
            by: by.clone(),
            version: self.next_version(),
            definition: Arc::clone(&draft.definition),
            content_hash: draft.content_hash.clone(),
            authors: draft.authors.clone(),
            self_approved: draft.authors.contains(by),
            change_note: draft.change_note.clone(),
            reason: text::trimmed(reason),
        })])
    }

    pub(super) fn reject(
        &self,
        by: &ActorId,
        content_hash: &str,
        another_platform_admin: bool,
        reason: &str,
    ) -> Decision {
        let draft = self.must_be_pending(content_hash)?;
        four_eyes(by, &draft.authors, another_platform_admin)?;
        Ok(vec![Event::Rejected {
            by: by.clone(),
            of_version: self.next_version(),
            content_hash: draft.content_hash.clone(),
            reason: reason.trim().to_owned(),
        }])
    }

    fn must_be_pending(&self, content_hash: &str) -> Result<&Draft, Refusal> {
        let Some(draft) = self.pending() else {
            return Err(Refusal::state("draft_not_pending", "no draft is waiting for approval; submit it first"));
        };
        if draft.content_hash != content_hash {
            let detail = format!("the draft was changed: it is {} now, read it again", draft.content_hash);
            return Err(Refusal::state("content_changed", detail));
        }
        Ok(draft)
    }
}

/// Nobody judges what he wrote, as long as there is somebody else who could.
pub(super) fn four_eyes(
    by: &ActorId,
    authors: &BTreeSet<ActorId>,
    another_platform_admin: bool,
) -> Result<(), Refusal> {
    if another_platform_admin && authors.contains(by) {
        return Err(Refusal::forbidden("four_eyes", "who wrote this version does not judge it; another admin must"));
    }
    Ok(())
}
