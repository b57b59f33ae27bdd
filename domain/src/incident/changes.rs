//! What is said about an incident: severity, details, notes.

use crate::ids::ActorId;
use crate::incident::command::Changes;
use crate::incident::decide::Decision;
use crate::incident::event::{Edited, Event};
use crate::incident::fields::Severity;
use crate::incident::state::{Incident, Status};
use crate::{Fault, Refusal, text};

impl Incident {
    pub(super) fn change_severity(&self, by: &ActorId, severity: Severity, reason: Option<&str>) -> Decision {
        self.must_not_be_merged()?;
        if severity == self.severity {
            return Ok(vec![]);
        }
        let correction = self.status == Status::Resolved;
        let reason = text::trimmed(reason);
        if correction && reason.is_none() {
            let message = "correcting the severity of a resolved incident needs a reason";
            return Err(Refusal::Invalid(vec![Fault::new("/reason", message)]));
        }
        Ok(vec![Event::SeverityChanged { by: by.clone(), from: self.severity, to: severity, reason, correction }])
    }

    /// Details may still be put right after the end: that is when the postmortem is written.
    pub(super) fn change(&self, by: &ActorId, changes: &Changes) -> Decision {
        self.must_not_be_merged()?;
        let title = changes.title.as_deref().map(|title| title.trim().to_owned());
        let edited = Edited {
            by: by.clone(),
            title: differing(title.as_ref(), &self.title),
            summary: differing(changes.summary.as_ref(), &self.summary),
            labels: differing(changes.labels.as_ref(), &self.labels),
            service_ids: differing(changes.service_ids.as_ref(), &self.service_ids),
            team_id: differing(changes.team_id.as_ref(), &self.team_id),
            links: differing(changes.links.as_ref(), &self.links),
            custom_fields: differing(changes.custom_fields.as_ref(), &self.custom_fields),
        };
        let nothing = Edited {
            by: by.clone(),
            title: None,
            summary: None,
            labels: None,
            service_ids: None,
            team_id: None,
            links: None,
            custom_fields: None,
        };
        Ok(if edited == nothing { vec![] } else { vec![Event::Edited(Box::new(edited))] })
    }

    /// Two equal notes are two notes; a note that is sent twice is recognised by its command's id.
    pub(super) fn add_note(&self, by: &ActorId, text: &str) -> Decision {
        self.must_not_be_merged()?;
        Ok(vec![Event::NoteAdded { by: by.clone(), text: text.to_owned() }])
    }
}

fn differing<T: Clone + PartialEq>(new: Option<&T>, old: &T) -> Option<T> {
    new.filter(|new| *new != old).cloned()
}
