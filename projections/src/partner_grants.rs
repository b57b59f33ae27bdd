//! A partner grant as it is shown: who, what, from when to when, why, and by whom.

use std::collections::BTreeSet;

use domain::Aggregate;
use domain::ids::{ActorId, SubjectId};
use domain::partner_grant::event::{Event, Granted};
use domain::partner_grant::{PartnerGrant, Scope, Shut, Status};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::terms::{facet, words};
use crate::view::{Column, Origin, Value, integer, moment, text};
use crate::{Decoded, View};

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PartnerGrantDetail {
    pub id: String,
    /// As the timers have it; what is let in is judged by the clock.
    pub status: Status,
    pub organisation: String,
    pub people: BTreeSet<SubjectId>,
    pub scope: Scope,
    pub from: Timestamp,
    pub until: Timestamp,
    pub reason: String,
    pub granted_by: Option<ActorId>,
    /// Null unless it is suspended now.
    pub suspended: Option<Because>,
    /// Null unless it is revoked.
    pub revoked: Option<Because>,
    pub renewed_times: u32,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// The aggregate's sequence, as in the ETag: every change raises it.
    pub version: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Because {
    pub by: ActorId,
    pub at: Timestamp,
    pub reason: String,
}

impl View for PartnerGrantDetail {
    const NAME: &'static str = "partner_grants";
    const VERSION: u32 = 1;
    const READS: &'static [&'static str] = &[PartnerGrant::TYPE];
    const ORIGIN: Origin = Origin::Stream;
    const COLUMNS: &'static [Column] = &[
        text("status"),
        text("organisation"),
        integer("starts_at"),
        integer("ends_at"),
        integer("created_at"),
        integer("updated_at"),
    ];
    const INDEXES: &'static [&'static [&'static str]] = &[
        &["organisation"],
        &["created_at"],
        &["updated_at"],
        &["ends_at"],
        &["status", "organisation"],
        &["status", "ends_at"],
    ];
    const SEARCHED: bool = true;

    fn keys(event: &Decoded) -> Vec<String> {
        event.of::<PartnerGrant>().map(|_| event.aggregate_id().to_owned()).into_iter().collect()
    }

    fn apply(&mut self, event: &Decoded) {
        let Some(fact) = event.of::<PartnerGrant>() else { return };
        event.aggregate_id().clone_into(&mut self.id);
        self.updated_at = event.at();
        self.version = event.sequence();
        self.fold(fact, event.at());
    }

    fn columns(&self) -> Vec<Value> {
        vec![
            Value::Text(self.status.as_str().to_owned()),
            Value::Text(self.organisation.clone()),
            moment(self.from),
            moment(self.until),
            moment(self.created_at),
            moment(self.updated_at),
        ]
    }

    fn terms(&self) -> Vec<String> {
        let mut terms: Vec<String> = words([self.organisation.as_str(), &self.reason]).into_iter().collect();
        terms.extend(self.scope.keys().map(|page| facet("page", page.as_ref())));
        terms.extend(self.people.iter().map(|person| facet("person", person.as_ref())));
        terms
    }

    fn counted(&self) -> Vec<(&'static str, String)> {
        vec![("status", self.status.as_str().to_owned())]
    }
}

impl PartnerGrantDetail {
    /// Whether it is open at `at`, by the one rule for that.
    pub fn open(&self, at: Timestamp) -> Result<(), Shut> {
        let Self { status, from, until, .. } = self;
        PartnerGrant { status: *status, from: *from, until: *until, ..PartnerGrant::default() }.open(at)
    }

    fn fold(&mut self, event: &Event, at: Timestamp) {
        let because = |by: &ActorId, reason: &str| Some(Because { by: by.clone(), at, reason: reason.to_owned() });
        match event {
            Event::Granted(granted) => self.grant(granted, at),
            Event::Edited { organisation, people, .. } => {
                if let Some(organisation) = organisation {
                    self.organisation.clone_from(organisation);
                }
                if let Some(people) = people {
                    self.people.clone_from(people);
                }
            }
            Event::ScopeChanged { scope, .. } => self.scope.clone_from(scope),
            Event::Renewed { from, until, .. } => {
                (self.from, self.until) = (*from, *until);
                self.renewed_times += 1;
                if self.suspended.is_none() {
                    self.status = Status::Pending;
                }
            }
            Event::Activated { .. } => self.status = Status::Active,
            Event::Suspended { by, reason } => {
                self.status = Status::Suspended;
                self.suspended = because(by, reason);
            }
            Event::Resumed { .. } => {
                self.status = Status::Pending;
                self.suspended = None;
            }
            Event::Revoked { by, reason } => {
                self.status = Status::Revoked;
                self.suspended = None;
                self.revoked = because(by, reason);
            }
            Event::Expired { .. } => {
                self.status = Status::Expired;
                self.suspended = None;
            }
        }
    }

    fn grant(&mut self, granted: &Granted, at: Timestamp) {
        let granted = granted.clone();
        self.status = Status::Pending;
        self.organisation = granted.organisation;
        self.people = granted.people;
        self.scope = granted.scope;
        self.from = granted.from;
        self.until = granted.until;
        self.reason = granted.reason;
        self.granted_by = Some(granted.by);
        self.created_at = at;
    }
}

#[cfg(test)]
mod tests {
    use domain::Aggregate;
    use domain::ids::ActorId;
    use domain::partner_grant::{Event, Extent, Granted, PartnerGrant, Status};

    use super::PartnerGrantDetail;
    use crate::given::{at, stream};
    use crate::{Decoded, View};

    fn ann() -> ActorId {
        ActorId::new("ann")
    }

    fn granted() -> Event {
        Event::Granted(Granted {
            by: ann(),
            organisation: "Cobbler".to_owned(),
            people: ["s1".into()].into(),
            scope: [("p1".into(), Extent::All)].into(),
            from: at(10),
            until: at(20),
            reason: "they sell with us".to_owned(),
        })
    }

    fn then(after: impl IntoIterator<Item = Event>) -> PartnerGrantDetail {
        let events: Vec<Event> = [granted()].into_iter().chain(after).collect();
        let mut detail = PartnerGrantDetail::default();
        for event in stream::<PartnerGrant>("g1", &events) {
            let event = Decoded::new(event).unwrap();
            assert_eq!(PartnerGrantDetail::keys(&event), ["g1"]);
            detail.apply(&event);
        }
        let stored = serde_json::to_value(&detail).unwrap();
        assert_eq!(serde_json::from_value::<PartnerGrantDetail>(stored).unwrap(), detail);
        let state = PartnerGrant::fold(&events);
        assert_eq!((detail.status, detail.version, &detail.scope), (state.status, state.version, &state.scope));
        assert_eq!((detail.from, detail.until, &detail.people), (state.from, state.until, &state.people));
        detail
    }

    #[test]
    fn a_grant_says_who_and_why() {
        let detail = then([]);
        assert_eq!((detail.id.as_str(), detail.status, detail.created_at), ("g1", Status::Pending, at(0)));
        assert_eq!((detail.granted_by, detail.reason.as_str()), (Some(ann()), "they sell with us"));
    }

    #[test]
    fn the_present_stop_is_shown_and_only_that() {
        let reason = || "x".to_owned();
        let suspended = Event::Suspended { by: ann(), reason: reason() };
        let detail = then([suspended.clone()]);
        assert_eq!(detail.suspended.map(|because| (because.by, because.at)), Some((ann(), at(1))));
        let resumed = then([suspended.clone(), Event::Resumed { by: ann(), reason: reason() }]);
        assert_eq!((resumed.suspended, resumed.status), (None, Status::Pending));
        let revoked = then([suspended.clone(), Event::Revoked { by: ann(), reason: reason() }]);
        assert_eq!((revoked.suspended.is_some(), revoked.revoked.is_some()), (false, true));
        let renewed = Event::Renewed { by: ann(), from: at(30), until: at(40), reason: reason() };
        assert_eq!(then([suspended, renewed.clone()]).status, Status::Suspended);
        let again = then([Event::Activated { from: at(10) }, Event::Expired { until: at(20) }, renewed]);
        assert_eq!((again.status, again.renewed_times, again.until), (Status::Pending, 1, at(40)));
    }
}
