//! The two halves of a merge and of its undoing. Why they cannot make a cycle: see the module's documentation.

use crate::Refusal;
use crate::ids::{ActorId, IncidentId};
use crate::incident::decide::Decision;
use crate::incident::event::Event;
use crate::incident::state::Incident;

impl Incident {
    pub(super) fn merge_into(&self, by: &ActorId, into: &IncidentId, into_merged: bool) -> Decision {
        self.must_be_active()?;
        if into_merged {
            let detail = format!("{into} is itself merged into another incident");
            return Err(Refusal::state("target_merged", detail));
        }
        Ok(vec![Event::MergedInto { by: by.clone(), into: into.clone() }])
    }

    pub(super) fn absorb(&self, by: &ActorId, incident: &IncidentId) -> Decision {
        self.must_not_be_merged()?;
        if self.absorbed.contains(incident) {
            return Ok(vec![]);
        }
        Ok(vec![Event::Absorbed { by: by.clone(), incident: incident.clone() }])
    }

    pub(super) fn unmerge(&self, by: &ActorId) -> Decision {
        match &self.merged_into {
            Some(from) => Ok(vec![Event::Unmerged { by: by.clone(), from: from.clone() }]),
            None => Err(Refusal::state("not_merged", "only a merged incident can be unmerged")),
        }
    }

    pub(super) fn release(&self, by: &ActorId, incident: &IncidentId) -> Vec<Event> {
        if !self.absorbed.contains(incident) {
            return vec![];
        }
        vec![Event::Released { by: by.clone(), incident: incident.clone() }]
    }
}
