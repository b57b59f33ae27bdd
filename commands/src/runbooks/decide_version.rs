//! Deciding on a runbook's version: by whom, and whether he is the only one who could, are facts of other places.

use domain::ids::ActorId;
use domain::runbook::{Command, Phase, Runbook};
use domain::{Aggregate, Refusal};
use jiff::Timestamp;
use storage::StreamId;

use crate::{CommandError, Procedure, Unit, platform};

/// What is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Of the pending draft; a draft that was not submitted yet is submitted with it.
    Approve {
        content_hash: Option<String>,
        reason: Option<String>,
    },
    Reject {
        content_hash: Option<String>,
        reason: String,
    },
    Deprecate {
        reason: Option<String>,
    },
}

#[derive(Debug, Clone)]
pub struct DecideVersion {
    pub runbook_id: String,
    pub by: ActorId,
    pub at: Timestamp,
    pub decision: Decision,
}

impl Procedure for DecideVersion {
    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        // First, because If-Match is about the runbook.
        unit.read::<Runbook>(&self.runbook_id).await?;
        let another_platform_admin = platform::has_another_admin(unit, &self.by, self.at).await?;
        let by = self.by.clone();
        let id = &self.runbook_id;
        let command = match self.decision.clone() {
            Decision::Deprecate { reason } => Command::Deprecate { by, another_platform_admin, reason },
            Decision::Reject { content_hash, reason } => {
                let content_hash = self.content_hash(unit, content_hash).await?;
                Command::Reject { by, content_hash, another_platform_admin, reason }
            }
            Decision::Approve { content_hash, reason } => {
                let content_hash = self.content_hash(unit, content_hash).await?;
                let editing = unit.read::<Runbook>(id).await?.draft.as_ref().is_some_and(|d| d.phase == Phase::Editing);
                if editing {
                    unit.decide::<Runbook>(id, &Command::Submit { by: by.clone(), expires_at: None }).await?;
                }
                Command::Approve { by, content_hash, another_platform_admin, reason }
            }
        };
        unit.decide::<Runbook>(id, &command).await.map(|_| ())
    }

    fn contended(&self) -> Option<StreamId> {
        Some(StreamId::new(Runbook::TYPE, &*self.runbook_id))
    }
}

impl DecideVersion {
    /// What the decision is about: what the asker has read, or else the present draft.
    async fn content_hash(&self, unit: &mut Unit<'_>, named: Option<String>) -> Result<String, CommandError> {
        if let Some(hash) = named {
            return Ok(hash);
        }
        let runbook = unit.read::<Runbook>(&self.runbook_id).await?;
        match &runbook.draft {
            Some(draft) => Ok(draft.content_hash.clone()),
            None if runbook.created_by.is_none() => {
                Err(Refusal::missing("runbook_missing", "there is no such runbook").into())
            }
            None => Err(Refusal::state("no_draft", "there is no draft to decide on").into()),
        }
    }
}
