//! A team as it is shown.

use domain::Aggregate;
use domain::ids::{ActorId, TeamId};
use domain::team::{Event, Team};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::terms::words;
use crate::view::{Column, Origin, Value, integer, moment, text};
use crate::{Decoded, View};

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TeamDetail {
    pub id: String,
    pub name: String,
    pub description: String,
    pub archived: bool,
    pub created_by: Option<ActorId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// The aggregate's sequence, as in the ETag.
    pub version: u64,
    /// Itself: who may change it is judged by that.
    pub team_id: Option<TeamId>,
}

impl View for TeamDetail {
    const NAME: &'static str = "teams";
    const VERSION: u32 = 1;
    const READS: &'static [&'static str] = &[Team::TYPE];
    const ORIGIN: Origin = Origin::Stream;
    const COLUMNS: &'static [Column] = &[text("name"), text("archived"), integer("created_at")];
    const INDEXES: &'static [&'static [&'static str]] = &[&["archived", "name"], &["archived", "created_at"]];
    const SEARCHED: bool = true;

    fn keys(event: &Decoded) -> Vec<String> {
        event.of::<Team>().map(|_| event.aggregate_id().to_owned()).into_iter().collect()
    }

    fn apply(&mut self, event: &Decoded) {
        let Some(fact) = event.of::<Team>() else { return };
        event.aggregate_id().clone_into(&mut self.id);
        self.team_id = Some(TeamId::new(event.aggregate_id()));
        self.updated_at = event.at();
        self.version = event.sequence();
        match fact {
            Event::Created { by, name, description, .. } => {
                self.created_by = Some(by.clone());
                self.created_at = event.at();
                self.name.clone_from(name);
                self.description.clone_from(description);
            }
            Event::Edited { name, description, .. } => {
                self.name = name.clone().unwrap_or_else(|| std::mem::take(&mut self.name));
                self.description = description.clone().unwrap_or_else(|| std::mem::take(&mut self.description));
            }
            Event::Archived { .. } => self.archived = true,
            Event::Restored { .. } => self.archived = false,
        }
    }

    fn columns(&self) -> Vec<Value> {
        vec![Value::Text(self.name.clone()), Value::Text(self.archived.to_string()), moment(self.created_at)]
    }

    fn terms(&self) -> Vec<String> {
        words([self.name.as_str(), &self.description]).into_iter().collect()
    }
}
