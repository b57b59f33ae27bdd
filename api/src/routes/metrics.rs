//! Figures for Prometheus. Without a token, as is its habit: nothing here says what is in the log, only how much.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use projections::{Phase, Standing, Views};
use storage::{StorageError, Store};
use tokio::time::timeout;

use super::{Access, Route};
use crate::Answer;
use crate::metrics::{Family, Kind, Requests, Sources, number, text};
use crate::server::Started;

/// For the figures that the database is asked for; without it the others are shown.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) const ROUTE: Route =
    Route { method: "GET", path: "/metrics", access: Access::Open, handle: |route| route.to(metrics) };

async fn metrics(
    views: web::Data<Views>,
    requests: web::Data<Requests>,
    sources: web::Data<Sources>,
    started: web::Data<Started>,
) -> Answer {
    let asked = timeout(PATIENCE, of_the_database(&views)).await;
    let answers = matches!(asked, Ok(Ok(_)));
    let mut families = vec![
        Family::new("process_start_time_seconds", Kind::Gauge, "When the process began, in seconds since 1970.")
            .with(&[], started.0),
        Family::new("pagefree_build_info", Kind::Gauge, "Which version this is.")
            .with(&[("version", env!("CARGO_PKG_VERSION"))], 1.0),
        Family::new("pagefree_database_up", Kind::Gauge, "Whether the database answered while this was written.")
            .with(&[("engine", views.store().engine())], f64::from(u8::from(answers))),
    ];
    families.extend(of_the_views(&views.standings()));
    if let Ok(Ok(asked)) = asked {
        families.extend(asked);
    }
    families.extend(sources.0.iter().flat_map(|source| source()));
    let body = text(&families) + &requests.text();
    Ok(HttpResponse::build(StatusCode::OK).content_type("text/plain; version=0.0.4; charset=utf-8").body(body))
}

/// What this process knows of its views without asking anybody.
fn of_the_views(standings: &[Standing]) -> Vec<Family> {
    let gauge = |name, help| Family::new(name, Kind::Gauge, help);
    let mut position = gauge("pagefree_view_position", "Up to where a view is folded.");
    let mut halted = gauge("pagefree_view_halted", "Whether a view stands before an event that it cannot pass.");
    let mut paused = gauge("pagefree_view_paused", "Whether somebody has paused a view.");
    let mut troubled =
        gauge("pagefree_view_troubled", "Whether what failed when a view was moved is being tried again.");
    let mut failures = Family::new(
        "pagefree_view_failures_total",
        Kind::Counter,
        "How often moving a view failed and was tried again.",
    );
    let mut phase = gauge("pagefree_view_phase", "Which phase a view is in here: 1 for that one.");
    for standing in standings {
        let labels = [("view", standing.name), ("version", &standing.version.to_string())];
        let flag = |is| f64::from(u8::from(is));
        position.add(&labels, number(standing.position));
        halted.add(&labels, flag(standing.halt.is_some()));
        paused.add(&labels, flag(standing.paused));
        troubled.add(&labels, flag(standing.trouble.is_some()));
        failures.add(&labels, number(standing.failures));
        for (word, of) in [("waking", Phase::Waking), ("building", Phase::Building), ("live", Phase::Live)] {
            let labels: Vec<_> = labels.into_iter().chain([("phase", word)]).collect();
            phase.add(&labels, flag(standing.phase == of));
        }
    }
    vec![position, halted, paused, troubled, failures, phase]
}

async fn of_the_database(views: &Views) -> Result<Vec<Family>, StorageError> {
    let store = views.store();
    // Before the head: what they have reached by now is in it.
    let (standings, reactors) = (views.standings(), store.reactors().await?);
    let head = store.head().await?;
    let gauge = |name, help| Family::new(name, Kind::Gauge, help);
    let mut behind = gauge("pagefree_view_behind_events", "Events in the log that are not in a view.");
    let mut parked = gauge("pagefree_view_parked_documents", "Documents that stand still at an event of theirs.");
    for standing in &standings {
        let labels = [("view", standing.name), ("version", &standing.version.to_string())];
        behind.add(&labels, number(head.saturating_sub(standing.position)));
        if let Some(table) = &standing.table {
            // A table that is being replaced has nothing to say.
            let count = store.parked_documents(table, 0).await.map_or(0, |parked| parked.count);
            parked.add(&labels, number(count));
        }
    }
    let mut reacted = gauge("pagefree_reactor_position", "Up to where a reactor has turned the log into work.");
    let mut unreacted = gauge("pagefree_reactor_behind_events", "Events in the log that a reactor has not read.");
    for (name, position) in &reactors {
        reacted.add(&[("reactor", name)], number(*position));
        unreacted.add(&[("reactor", name)], number(head.saturating_sub(*position)));
    }
    let log = gauge("pagefree_log_head_position", "The position of the last event.").with(&[], number(head));
    let mut families = vec![log, behind, parked, reacted, unreacted];
    families.extend(of_the_queue(store).await?);
    Ok(families)
}

async fn of_the_queue(store: &Store) -> Result<Vec<Family>, StorageError> {
    let gauge = |name, help| Family::new(name, Kind::Gauge, help);
    let mut items = gauge("pagefree_work_items", "Work that is open or has failed, by kind and state.");
    let mut oldest = gauge("pagefree_work_oldest_due_seconds", "For how long the oldest of it has been due.");
    for figure in store.work_figures().await? {
        let labels = [("kind", figure.kind.as_str()), ("state", figure.state.as_str())];
        items.add(&labels, number(figure.count));
        oldest.add(&labels, figure.oldest_due_seconds);
    }
    let mut paused = gauge("pagefree_work_paused", "Kinds of work that are paused; * is all of them.");
    for pause in store.work_pauses().await? {
        paused.add(&[("kind", pause.kind.as_deref().unwrap_or("*"))], 1.0);
    }
    Ok(vec![items, oldest, paused])
}
