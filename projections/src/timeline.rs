//! What happened to an incident, in words, one entry for each event. Entries are only ever inserted.

use std::collections::BTreeSet;

use domain::Aggregate;
use domain::incident::event::{Edited, Event};
use domain::incident::{Incident, ResponderRole};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use storage::Store;

use crate::as_of::{self, Until};
use crate::incidents::IncidentDetail;
use crate::view::{Column, Origin, Value, position_key, text};
use crate::{Actor, Decoded, ReadError, View};

/// Incidents whose entries one timeline shows: the incident, what was merged into it, what was merged into that…
pub(crate) const INCIDENTS: usize = 100;

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Entry {
    pub position: u64,
    /// Where it happened: after a merge, a timeline shows those of several incidents.
    pub incident_id: String,
    pub at: Timestamp,
    pub actor: Option<Actor>,
    /// The stored name of the event, for programs.
    pub what: String,
    /// For people; the text itself where the entry is a note.
    pub text: String,
}

impl View for Entry {
    const NAME: &'static str = "incident_timeline";
    const VERSION: u32 = 1;
    const READS: &'static [&'static str] = &[Incident::TYPE];
    const ORIGIN: Origin = Origin::Event;
    const COLUMNS: &'static [Column] = &[text("incident_id")];
    const INDEXES: &'static [&'static [&'static str]] = &[&["incident_id"]];

    fn keys(event: &Decoded) -> Vec<String> {
        event.of::<Incident>().map(|_| position_key(event.position())).into_iter().collect()
    }

    fn apply(&mut self, event: &Decoded) {
        let Some(fact) = event.of::<Incident>() else { return };
        *self = Self {
            position: event.position(),
            incident_id: event.aggregate_id().to_owned(),
            at: event.at(),
            actor: event.actor(),
            what: event.recorded().event_type.clone(),
            text: in_words(fact),
        };
    }

    fn columns(&self) -> Vec<Value> {
        vec![Value::Text(self.incident_id.clone())]
    }
}

/// The entries of an incident and of all that is merged into it, oldest first, with their positions.
pub async fn read(store: &Store, incident_id: &str, until: Until) -> Result<Vec<(u64, Entry)>, ReadError> {
    let mut known = BTreeSet::from([incident_id.to_owned()]);
    let mut wave = vec![incident_id.to_owned()];
    let mut entries: Vec<(u64, Entry)> = Vec::new();
    while !wave.is_empty() {
        let streams = as_of::read_all(store, Incident::TYPE, &wave, until).await?;
        wave.clear();
        for stream in streams {
            entries.extend(stream.entries::<Entry>());
            let absorbed = stream.document::<IncidentDetail>().map(|incident| incident.document.absorbed);
            for id in absorbed.into_iter().flatten().map(|id| id.to_string()) {
                if known.len() < INCIDENTS && known.insert(id.clone()) {
                    wave.push(id);
                }
            }
        }
    }
    entries.sort_by_key(|(position, _)| *position);
    Ok(entries)
}

fn in_words(event: &Event) -> String {
    match event {
        Event::Declared(declared) => format!("declared as {}: {}", declared.severity.as_str(), declared.title),
        Event::Acknowledged { expires_at: None, .. } => "acknowledged".to_owned(),
        Event::Acknowledged { expires_at: Some(until), .. } => format!("acknowledged until {until}"),
        Event::Unacknowledged { by: Some(_), .. } => "acknowledgement taken back".to_owned(),
        Event::Unacknowledged { by: None, .. } => "the acknowledgement timed out".to_owned(),
        Event::Assigned { to, .. } if to.is_empty() => "assigned to nobody".to_owned(),
        Event::Assigned { to, .. } => format!("assigned to {}", list(to.iter().map(AsRef::as_ref))),
        Event::ResponderAdded { user, role, .. } => format!("{user} joined as {}", named(role)),
        Event::ResponderRemoved { user, role, .. } => format!("{user} is no longer {}", named(role)),
        Event::SeverityChanged { from, to, reason, correction, .. } => {
            let verb = if *correction { "corrected" } else { "changed" };
            let change = format!("severity {verb} from {} to {}", from.as_str(), to.as_str());
            because(change, reason.as_deref())
        }
        Event::Edited(edited) => format!("edited: {}", list(touched(edited))),
        Event::NoteAdded { text, .. } => text.clone(),
        Event::Snoozed { until, .. } => format!("snoozed until {until}"),
        Event::Woken { .. } => "the snooze is over".to_owned(),
        Event::Resolved { resolution, .. } => because("resolved".to_owned(), resolution.as_deref()),
        Event::Reopened { reason, .. } => because("reopened".to_owned(), reason.as_deref()),
        Event::MergedInto { into, .. } => format!("merged into {into}"),
        Event::Absorbed { incident, .. } => format!("{incident} was merged into this incident"),
        Event::Unmerged { from, .. } => format!("taken out of {from} again"),
        Event::Released { incident, .. } => format!("{incident} was taken out of this incident again"),
    }
}

fn because(what: String, reason: Option<&str>) -> String {
    match reason {
        Some(reason) => format!("{what}: {reason}"),
        None => what,
    }
}

fn named(role: &ResponderRole) -> String {
    role.clone().into()
}

fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().collect::<Vec<_>>().join(", ")
}

fn touched(edited: &Edited) -> Vec<&'static str> {
    let fields = [
        ("title", edited.title.is_some()),
        ("summary", edited.summary.is_some()),
        ("labels", edited.labels.is_some()),
        ("services", edited.service_ids.is_some()),
        ("team", edited.team_id.is_some()),
        ("links", edited.links.is_some()),
        ("custom fields", edited.custom_fields.is_some()),
    ];
    fields.into_iter().filter_map(|(name, changed)| changed.then_some(name)).collect()
}

#[cfg(test)]
mod tests {
    use domain::ids::{ActorId, IncidentId, UserId};
    use domain::incident::event::{Edited, Event};
    use domain::incident::{Declare, Incident, ResponderRole, Severity};
    use domain::{Aggregate, StoredEvent, incident};

    use super::Entry;
    use crate::given::{at, stream};
    use crate::{Decoded, View};

    fn in_words(event: Event) -> String {
        let name = event.name();
        let event = Decoded::new(stream::<Incident>("i1", &[event]).remove(0)).unwrap();
        assert_eq!(Entry::keys(&event), ["0000000000000000011"]);
        let mut entry = Entry::default();
        entry.apply(&event);
        assert_eq!((entry.position, entry.incident_id.as_str(), entry.at), (11, "i1", at(0)));
        assert_eq!((entry.what.as_str(), entry.actor.unwrap().id.as_str()), (name, "ann"));
        entry.text
    }

    #[test]
    fn every_event_has_its_words() {
        let by = || ActorId::new("ann");
        let other = || IncidentId::new("i2");
        let (user, role) = (|| UserId::new("bob"), || ResponderRole::Custom("pilot".to_owned()));
        let reason = || Some("why".to_owned());
        let declare = incident::Command::Declare(Box::new(Declare::new(by(), "Down", Severity::Sev1)));
        let (from, to) = (Severity::Sev3, Severity::Sev1);
        let edited = Edited {
            by: by(),
            title: Some("t".to_owned()),
            summary: None,
            labels: None,
            service_ids: None,
            team_id: Some(None),
            links: None,
            custom_fields: None,
        };
        let words = [
            (Incident::default().decide(&declare).unwrap().remove(0), "declared as sev1: Down"),
            (Event::Acknowledged { by: by(), number: 1, expires_at: None }, "acknowledged"),
            (
                Event::Acknowledged { by: by(), number: 1, expires_at: Some(at(0)) },
                "acknowledged until 2023-11-14T22:13:20Z",
            ),
            (Event::Unacknowledged { number: 1, by: Some(by()) }, "acknowledgement taken back"),
            (Event::Unacknowledged { number: 1, by: None }, "the acknowledgement timed out"),
            (Event::Assigned { by: by(), to: [].into() }, "assigned to nobody"),
            (Event::Assigned { by: by(), to: [user()].into() }, "assigned to bob"),
            (Event::ResponderAdded { by: by(), user: user(), role: role() }, "bob joined as pilot"),
            (Event::ResponderRemoved { by: by(), user: user(), role: role() }, "bob is no longer pilot"),
            (
                Event::SeverityChanged { by: by(), from, to, reason: None, correction: false },
                "severity changed from sev3 to sev1",
            ),
            (
                Event::SeverityChanged { by: by(), from, to, reason: reason(), correction: true },
                "severity corrected from sev3 to sev1: why",
            ),
            (Event::Edited(Box::new(edited)), "edited: title, team"),
            (Event::NoteAdded { by: by(), text: "look here".to_owned() }, "look here"),
            (Event::Snoozed { by: by(), number: 1, until: at(0) }, "snoozed until 2023-11-14T22:13:20Z"),
            (Event::Woken { until: at(0) }, "the snooze is over"),
            (Event::Resolved { by: by(), resolution: reason() }, "resolved: why"),
            (Event::Reopened { by: by(), reason: None }, "reopened"),
            (Event::MergedInto { by: by(), into: other() }, "merged into i2"),
            (Event::Absorbed { by: by(), incident: other() }, "i2 was merged into this incident"),
            (Event::Unmerged { by: by(), from: other() }, "taken out of i2 again"),
            (Event::Released { by: by(), incident: other() }, "i2 was taken out of this incident again"),
        ];
        let covered: std::collections::BTreeSet<_> = words.iter().map(|(event, _)| event.name()).collect();
        assert_eq!(covered, Event::NAMES.iter().copied().collect(), "every stored name has a case here");
        for (event, text) in words {
            assert_eq!(in_words(event), text);
        }
    }
}
