//! A token as it is shown: never its secret, which nobody has but its holder.

use std::collections::BTreeSet;

use domain::Aggregate;
use domain::api_token::{ApiToken, Event};
use domain::ids::{ActorId, TeamId, UserId};
use domain::roles::Grant;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::view::{Column, Origin, Value, integer, moment, optional, text};
use crate::{Decoded, View};

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ApiTokenDetail {
    pub id: String,
    pub name: String,
    /// In whose name it acts; nobody's is a service's own.
    pub owner: Option<UserId>,
    pub roles: BTreeSet<Grant>,
    pub read_only: bool,
    pub expires_at: Option<Timestamp>,
    pub revoked: Option<Revoked>,
    pub created_by: Option<ActorId>,
    pub created_at: Timestamp,
    /// The aggregate's sequence, as in the ETag.
    pub version: u64,
    /// Belongs to no team: whoever may see tokens of others sees it.
    pub team_id: Option<TeamId>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Revoked {
    pub by: ActorId,
    pub at: Timestamp,
    pub reason: Option<String>,
}

impl View for ApiTokenDetail {
    const NAME: &'static str = "api_tokens";
    const VERSION: u32 = 1;
    const READS: &'static [&'static str] = &[ApiToken::TYPE];
    const ORIGIN: Origin = Origin::Stream;
    const COLUMNS: &'static [Column] = &[text("owner"), text("revoked"), integer("created_at")];
    const INDEXES: &'static [&'static [&'static str]] = &[&["owner", "created_at"], &["revoked", "created_at"]];

    fn keys(event: &Decoded) -> Vec<String> {
        event.of::<ApiToken>().map(|_| event.aggregate_id().to_owned()).into_iter().collect()
    }

    fn apply(&mut self, event: &Decoded) {
        let Some(fact) = event.of::<ApiToken>() else { return };
        event.aggregate_id().clone_into(&mut self.id);
        self.version = event.sequence();
        match fact {
            Event::Minted(minted) => {
                self.name.clone_from(&minted.name);
                self.owner.clone_from(&minted.owner);
                self.roles.clone_from(&minted.grants);
                self.read_only = minted.read_only;
                self.expires_at = minted.expires_at;
                self.created_by = Some(minted.by.clone());
                self.created_at = event.at();
            }
            Event::Revoked { by, reason } => {
                self.revoked = Some(Revoked { by: by.clone(), at: event.at(), reason: reason.clone() });
            }
        }
    }

    fn columns(&self) -> Vec<Value> {
        let revoked = self.revoked.is_some().to_string();
        vec![optional(self.owner.as_ref()), Value::Text(revoked), moment(self.created_at)]
    }
}
