//! Status pages follow the incidents: after every change of an incident that a page might show, and after every change
//! of what a page's components are linked to. The work names what to look at; what there is to tell is read then.

use std::collections::BTreeSet;
use std::time::Duration;

use commands::status_pages::{FollowIncidents, reach_of};
use commands::{Bus, CommandError, Outcome as Told, Request};
use domain::Aggregate;
use domain::ids::{IncidentId, ServiceId, StatusPageId};
use domain::incident::{self, Incident, Status};
use domain::status_page::{self, StatusPage};
use futures_util::future::BoxFuture;
use projections::incidents::IncidentDetail;
use projections::lists::{IncidentList, StatusPageList};
use projections::status_pages::StatusPageDetail;
use projections::{Decoded, ReadError, View, Views};
use serde::{Deserialize, Serialize};
use serde_json::json;
use storage::documents::{Query, Sort};

use crate::reactor::{Reactor, Work};
use crate::worker::{Assignment, Outcome, Worker};

const NAME: &str = "follow_incidents";
/// How long a run waits for a view to have seen what led to it.
const PATIENCE: Duration = Duration::from_secs(10);
/// Documents in one page of an answer.
const PAGE: usize = 200;
/// Merged incidents of one service that are looked at, the latest first: what is long over need not be.
const MERGED: usize = 200;
/// Pages, or incidents, that one append is about.
const AT_ONCE: usize = 100;

/// What is to be looked at.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Look {
    /// At all pages that it may touch.
    Incident(IncidentId),
    /// At all incidents that may touch it: those that it knows, and those of these services.
    Page { page: StatusPageId, services: BTreeSet<ServiceId> },
}

#[derive(Debug)]
pub(crate) struct IncidentsToFollow;

impl Reactor for IncidentsToFollow {
    fn name(&self) -> &'static str {
        NAME
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &[Incident::TYPE, StatusPage::TYPE]
    }

    fn react(&self, event: &Decoded) -> Vec<Work> {
        let look = match (event.of::<Incident>(), event.of::<StatusPage>()) {
            (Some(fact), _) => matters(fact).then(|| Look::Incident(IncidentId::new(event.aggregate_id()))),
            (_, Some(fact)) => {
                linked(fact).map(|services| Look::Page { page: StatusPageId::new(event.aggregate_id()), services })
            }
            _ => None,
        };
        let Some(look) = look else { return vec![] };
        // One after the other for each: who looks later sees more.
        let lane = format!("{NAME}:{}:{}", event.recorded().stream.aggregate_type, event.aggregate_id());
        vec![Work { kind: NAME, lane, priority: 5, payload: json!(look), run_at: None }]
    }
}

/// Whether pages may show something else after it.
fn matters(fact: &incident::Event) -> bool {
    use incident::Event as E;
    match fact {
        E::Declared(declared) => !declared.service_ids.is_empty(),
        E::Edited(edited) => edited.service_ids.is_some(),
        E::SeverityChanged { .. }
        | E::Resolved { .. }
        | E::Reopened { .. }
        | E::MergedInto { .. }
        | E::Absorbed { .. }
        | E::Unmerged { .. }
        | E::Released { .. } => true,
        E::Acknowledged { .. }
        | E::Unacknowledged { .. }
        | E::Assigned { .. }
        | E::ResponderAdded { .. }
        | E::ResponderRemoved { .. }
        | E::NoteAdded { .. }
        | E::Snoozed { .. }
        | E::Woken { .. } => false,
    }
}

/// The services that are newly linked to something, where links have changed at all.
fn linked(fact: &status_page::Event) -> Option<BTreeSet<ServiceId>> {
    use status_page::Event as E;
    match fact {
        E::ComponentAdded(added) if !added.service_ids.is_empty() => Some(added.service_ids.clone()),
        E::ComponentEdited(edited) => edited.service_ids.clone(),
        E::ComponentRemoved { .. } => Some(BTreeSet::new()),
        _ => None,
    }
}

pub(crate) struct Follower {
    bus: Bus,
    views: Views,
}

impl Worker for Follower {
    fn kind(&self) -> &'static str {
        NAME
    }

    fn run(&self, assignment: Assignment) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            let look = match assignment.read::<Look>() {
                Ok(look) => look,
                Err(outcome) => return outcome,
            };
            match self.look(look, &assignment).await {
                Ok(told) => Outcome::of(told),
                Err(error) => Outcome::Retry { after: None, error },
            }
        })
    }
}

impl Follower {
    pub(crate) fn new(bus: Bus, views: Views) -> Self {
        Self { bus, views }
    }

    async fn look(&self, look: Look, assignment: &Assignment) -> Result<Result<Told, CommandError>, String> {
        let found = match look {
            Look::Incident(incident) => self.pages_of(incident, assignment).await?,
            Look::Page { page, services } => self.incidents_of(page, services, assignment).await?,
        };
        match found {
            Ok(all) => Ok(self.follow(all, assignment).await),
            Err(error) => Ok(Err(error)),
        }
    }

    async fn pages_of(&self, incident: IncidentId, assignment: &Assignment) -> Result<Found, String> {
        self.reaches::<StatusPageDetail>(assignment).await?;
        let (root, services) = match reach_of(&self.bus, &assignment.request, &incident).await {
            Ok(reach) => reach,
            Err(error) => return Ok(Err(error)),
        };
        let incidents = BTreeSet::from([incident, root]);
        let all = StatusPageList { limit: PAGE, ..StatusPageList::default() };
        let by_service = services.into_iter().map(|id| StatusPageList { service: Some(id), ..all.clone() });
        let by_incident = incidents.iter().map(|id| StatusPageList { incident: Some(id.clone()), ..all.clone() });
        let mut pages = BTreeSet::new();
        for list in by_service.chain(by_incident) {
            let keys = self.keys::<StatusPageDetail>(list.query(), usize::MAX).await?;
            pages.extend(keys.into_iter().map(StatusPageId::new));
        }
        Ok(Ok(FollowIncidents { incidents, pages }))
    }

    async fn incidents_of(
        &self,
        page: StatusPageId,
        services: BTreeSet<ServiceId>,
        assignment: &Assignment,
    ) -> Result<Found, String> {
        self.reaches::<IncidentDetail>(assignment).await?;
        let mut incidents = match self.bus.look::<StatusPage>(page.as_str()).await {
            Ok(known) => known.map(|(page, ..)| page.incidents.keys().cloned().collect()).unwrap_or_default(),
            Err(error) => return Ok(Err(error)),
        };
        let by = |service: &ServiceId, statuses: &[Status]| IncidentList {
            service: Some(service.clone()),
            statuses: statuses.to_vec(),
            sort: Some(Sort { column: Some("updated_at"), descending: true }),
            limit: PAGE,
            ..IncidentList::default()
        };
        for service in &services {
            let active = by(service, &IncidentList::ACTIVE).query();
            let merged = by(service, &[Status::Merged]).query();
            let found = [
                self.keys::<IncidentDetail>(active, usize::MAX).await?,
                self.keys::<IncidentDetail>(merged, MERGED).await?,
            ];
            BTreeSet::extend(&mut incidents, found.into_iter().flatten().map(IncidentId::new));
        }
        Ok(Ok(FollowIncidents { incidents, pages: [page].into() }))
    }

    /// In as many appends as it takes; the last one closes the work.
    async fn follow(&self, all: FollowIncidents, assignment: &Assignment) -> Result<Told, CommandError> {
        let mut parts = parts(all);
        let last = parts.pop().unwrap_or_default();
        for part in parts {
            let mut request = Request::new(assignment.request.actor.clone());
            request.causation_id.clone_from(&assignment.request.causation_id);
            request.correlation_id.clone_from(&assignment.request.correlation_id);
            self.bus.run(&request, &part).await?;
        }
        self.bus.run(&assignment.request, &last).await
    }

    /// The keys of the documents that a question finds, `most` at most.
    async fn keys<V: View>(&self, query: Query, most: usize) -> Result<Vec<String>, String> {
        let in_words = |error: ReadError| error.to_string();
        let (mut keys, mut cursor) = (Vec::new(), None);
        loop {
            let page = self.views.page::<V>(query.clone(), cursor.as_ref()).await.map_err(in_words)?;
            let Some(page) = page else { return Ok(keys) };
            keys.extend(page.items.into_iter().map(|document| document.key));
            if page.next.is_none() || keys.len() >= most {
                keys.truncate(most);
                return Ok(keys);
            }
            cursor = page.next;
        }
    }

    /// Whatever led to the work is in the view.
    async fn reaches<V: View>(&self, assignment: &Assignment) -> Result<(), String> {
        let position = assignment.work.created_position;
        let reached = self.views.reach(V::NAME, position, PATIENCE).await;
        reached.map_err(|behind| format!("the view {} is at {}, not at {position}", V::NAME, behind.position))
    }
}

/// What is to be followed, unless the command says why it cannot be known.
type Found = Result<FollowIncidents, CommandError>;

fn parts(all: FollowIncidents) -> Vec<FollowIncidents> {
    let pages: Vec<StatusPageId> = all.pages.into_iter().collect();
    let incidents: Vec<IncidentId> = all.incidents.into_iter().collect();
    let part = |pages: &[StatusPageId], incidents: &[IncidentId]| FollowIncidents {
        pages: pages.iter().cloned().collect(),
        incidents: incidents.iter().cloned().collect(),
    };
    pages.chunks(AT_ONCE).flat_map(|pages| incidents.chunks(AT_ONCE).map(move |some| part(pages, some))).collect()
}

#[cfg(test)]
mod tests {
    use commands::status_pages::FollowIncidents;
    use domain::ids::{IncidentId, StatusPageId};

    use super::{AT_ONCE, Look, parts};

    #[test]
    fn what_is_to_be_looked_at_is_stored_like_this() {
        let incident = serde_json::json!(Look::Incident(IncidentId::new("i1")));
        assert_eq!(incident, serde_json::json!({ "incident": "i1" }));
        let page = Look::Page { page: StatusPageId::new("p1"), services: ["s".into()].into() };
        assert_eq!(serde_json::json!(page), serde_json::json!({ "page": { "page": "p1", "services": ["s"] } }));
    }

    #[test]
    fn an_append_stays_small_and_nothing_is_left_out() {
        let pages = (0..=AT_ONCE * 2).map(|n| StatusPageId::new(format!("p{n}")));
        let all = FollowIncidents { pages: pages.collect(), incidents: ["i1".into(), "i2".into()].into() };
        let parts = parts(all);
        assert_eq!(parts.iter().map(|part| part.pages.len()).collect::<Vec<_>>(), [AT_ONCE, AT_ONCE, 1]);
        assert!(parts.iter().all(|part| part.incidents.len() == 2));
    }
}
