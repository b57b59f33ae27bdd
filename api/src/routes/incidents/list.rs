//! Lists incidents: filtered, searched and sorted.

use commands::authorize::Action;
use domain::incident::{Severity, Status};
use projections::incidents::IncidentDetail;
use projections::lists::IncidentList;

use crate::Answer;
use crate::collection::Collection;
use crate::routes::{Access, Route};

pub(in crate::routes) const ROUTE: Route = Route {
    method: "GET",
    path: "/api/incidents",
    access: Access::Holding(Action::ReadIncidents),
    handle: |route| route.to(list),
};

/// Stands for every status in which there is still something to do.
const ACTIVE: &str = "active";

async fn list(mut collection: Collection) -> Answer {
    let wanted = wanted(&mut collection);
    collection.answer::<IncidentDetail>(wanted.query()).await
}

fn wanted(collection: &mut Collection) -> IncidentList {
    let teams = collection.teams(Action::ReadIncidents);
    let labels = collection.facets("label");
    if labels.iter().any(|label| !label.contains('=')) {
        collection.query.fault("label", "must be name=value");
    }
    let pair = |label: &String| label.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    let query = &mut collection.query;
    let statuses = query.words("status", "open, acknowledged, resolved, merged or active", statuses);
    IncidentList {
        teams,
        statuses: statuses.concat(),
        severities: query.words("severity", "sev1 to sev5", |word| word.parse::<Severity>().ok()),
        limit: query.limit(),
        service: collection.identifier("service_id"),
        assignee: collection.identifier("assignee"),
        labels: labels.iter().filter_map(pair).collect(),
        created_after: collection.time("created_after"),
        created_before: collection.time("created_before"),
        search: collection.search(),
        sort: collection.sort(IncidentList::SORTS),
    }
}

fn statuses(word: &str) -> Option<Vec<Status>> {
    if word == ACTIVE {
        return Some(IncidentList::ACTIVE.to_vec());
    }
    Status::ALL.into_iter().find(|status| status.as_str() == word).map(|status| vec![status])
}
