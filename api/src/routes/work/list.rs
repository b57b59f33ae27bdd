//! Lists what is open or has failed, or what is in a state, newest first; and says what is paused.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use commands::Bus;
use commands::authorize::Action;
use domain::ids::is_sound;
use serde_json::{Value, json};
use storage::work::{WorkCursor, WorkFilter};

use super::{pause_document, work_document};
use crate::Answer;
use crate::problem::Problem;
use crate::query::Query;
use crate::respond;
use crate::routes::{Access, Route};

pub(in crate::routes) const ROUTE: Route = Route {
    method: "GET",
    path: "/api/work",
    access: Access::Holding(Action::ReadWork),
    handle: |route| route.to(list),
};

async fn list(request: HttpRequest, bus: web::Data<Bus>) -> Answer {
    let (filter, after, limit) = wanted(request.query_string())?;
    let store = bus.store();
    // One more than asked for tells whether there is more.
    let mut rows = store.list_work(&filter, after, limit + 1).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next_cursor = rows.last().filter(|_| more).map(|row| row.cursor().to_string());
    let items: Vec<Value> = rows.iter().map(work_document).collect();
    let pauses: Vec<Value> = store.work_pauses().await?.iter().map(pause_document).collect();
    respond::json(StatusCode::OK, &json!({ "items": items, "next_cursor": next_cursor, "pauses": pauses }))
}

fn wanted(query: &str) -> Result<(WorkFilter, Option<WorkCursor>, usize), Problem> {
    let mut query = Query::parse(query)?;
    let limit = query.limit();
    let after = query.named("cursor");
    let filter = WorkFilter { state: query.named("state"), kind: query.take("kind"), lane: query.take("lane") };
    if filter.kind.as_ref().is_some_and(|kind| !is_sound(kind)) {
        query.fault("kind", "must be a kind of work");
    }
    if filter.lane.as_ref().is_some_and(|lane| lane.contains('\0')) {
        query.fault("lane", "must not contain the NUL character");
    }
    query.close()?;
    Ok((filter, after, limit))
}

#[cfg(test)]
mod tests {
    use storage::work::WorkState;

    use super::wanted;

    #[test]
    fn what_is_wanted_is_read_or_refused() {
        let (filter, after, limit) = wanted("state=failed&kind=wake_snoozed&lane=a%20b&limit=7").unwrap();
        assert_eq!((filter.state, filter.kind.as_deref()), (Some(WorkState::Failed), Some("wake_snoozed")));
        assert_eq!((filter.lane.as_deref(), after, limit), (Some("a b"), None, 7));
        for wrong in ["state=asleep", "kind=a%20b", "kind=", "lane=%00", "cursor=x", "limit=0", "limit=201", "as_of=1"]
        {
            assert!(wanted(wrong).is_err(), "{wrong}");
        }
    }
}
