//! Lists runbooks: filtered, searched and sorted. Those that were discarded are in no list.

use commands::authorize::Action;
use domain::runbook::{Phase, Status};
use projections::lists::RunbookList;
use projections::runbooks::RunbookDetail;

use crate::Answer;
use crate::collection::Collection;
use crate::query::Query;
use crate::routes::{Access, Route};

pub(in crate::routes) const ROUTE: Route = Route {
    method: "GET",
    path: "/api/runbooks",
    access: Access::Holding(Action::ReadRunbooks),
    handle: |route| route.to(list),
};

/// Characters of an environment's name.
const ENVIRONMENT_CHARACTERS: usize = 200;

async fn list(mut collection: Collection) -> Answer {
    let wanted = wanted(&mut collection);
    collection.answer::<RunbookDetail>(wanted.query()).await
}

fn wanted(collection: &mut Collection) -> RunbookList {
    let teams = collection.teams(Action::ReadRunbooks);
    let query = &mut collection.query;
    let status = |word: &str| Status::ALL.into_iter().find(|status| status.as_str().eq_ignore_ascii_case(word));
    let phase = |word: &str| Phase::ALL.into_iter().find(|phase| phase.as_str() == word);
    RunbookList {
        teams,
        status: one(query, "status", "must be DRAFT, APPROVED or DEPRECATED", status),
        draft: one(query, "draft", "must be editing or pending", phase),
        environment: one(query, "environment", "must be the name of an environment", environment),
        limit: query.limit(),
        tags: collection.facets("tag"),
        search: collection.search(),
        sort: collection.sort(RunbookList::SORTS),
    }
}

fn one<T>(query: &mut Query, name: &str, expected: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
    let value = read(&query.take(name)?);
    if value.is_none() {
        query.fault(name, expected);
    }
    value
}

fn environment(name: &str) -> Option<String> {
    let sound = (1..=ENVIRONMENT_CHARACTERS).contains(&name.chars().count()) && !name.contains('\0');
    sound.then(|| name.to_owned())
}
