//! Whether the process lives, and whether it can serve. For machines, so without a token.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web;
use commands::Bus;
use domain::Fault;
use projections::{Phase, Standing, Trouble, Views};
use serde_json::json;
use storage::{StorageError, Token};
use tokio::time::timeout;

use super::{Access, Route};
use crate::Answer;
use crate::problem::Problem;
use crate::readiness::Watches;
use crate::respond;

/// A database that takes longer is not one to send requests to.
const PATIENCE: Duration = Duration::from_secs(2);
/// For how long a view may be in trouble: what one more try puts right is none.
const TROUBLED: Duration = Duration::from_secs(1);
/// Events that a view may be behind the log.
const BEHIND: u64 = 10_000;

pub(super) const ALIVE: Route =
    Route { method: "GET", path: "/healthz", access: Access::Open, handle: |route| route.to(alive) };

pub(super) const READY: Route =
    Route { method: "GET", path: "/readyz", access: Access::Open, handle: |route| route.to(ready) };

async fn alive() -> Answer {
    respond::json(StatusCode::OK, &json!({ "status": "alive" }))
}

async fn ready(bus: web::Data<Bus>, views: web::Data<Views>, watches: web::Data<Watches>) -> Answer {
    let engine = bus.store().engine();
    match timeout(PATIENCE, present(&bus)).await {
        Ok(Ok(token)) => {
            let of_views = views.standings();
            let of_views = of_views.iter().filter_map(|standing| fault(standing, token.position));
            let faults: Vec<Fault> = of_views.chain(watches.0.iter().flat_map(|watch| watch())).collect();
            if !faults.is_empty() {
                return Err(Problem::not_ready("not everything goes on as it should; what does not is listed", faults));
            }
            let position = token.to_string();
            respond::json(StatusCode::OK, &json!({ "status": "ready", "engine": engine, "position": position }))
        }
        failed => {
            tracing::warn!(?failed, "not ready");
            Err(Problem::not_ready(format!("the database ({engine}) does not answer"), Vec::new()))
        }
    }
}

/// Why a view cannot answer for a log that ends at `head`.
fn fault(standing: &Standing, head: u64) -> Option<Fault> {
    let behind = head.saturating_sub(standing.position);
    let why = match standing {
        Standing { halt: Some(halt), .. } => format!("halted before position {}: {}", halt.position, halt.why),
        Standing { paused: true, .. } => "paused".to_owned(),
        Standing { phase: Phase::Waking, trouble: Some(Trouble { why, .. }), .. } => format!("cannot be opened: {why}"),
        Standing { phase: Phase::Building, trouble: Some(Trouble { why, .. }), .. } => {
            format!("being built, and tried again: {why}")
        }
        Standing { phase: Phase::Waking | Phase::Building, .. } => "being built".to_owned(),
        Standing { trouble: Some(Trouble { why, since }), .. } if since.elapsed() > TROUBLED => {
            format!("in trouble, and tried again: {why}")
        }
        Standing { phase: Phase::Live, .. } if behind > BEHIND => format!("{behind} events behind the log"),
        Standing { phase: Phase::Live, .. } => return None,
    };
    Some(Fault::new(format!("/views/{}", standing.name), why))
}

async fn present(bus: &Bus) -> Result<Token, StorageError> {
    let store = bus.store();
    store.token(store.head().await?).await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use projections::{Phase, Standing, Trouble};
    use storage::documents::{Halt, HaltKind};
    use tokio::time::Instant;

    use super::fault;

    #[test]
    fn a_view_is_ready_when_it_follows() {
        let live = Standing {
            name: "incidents",
            version: 1,
            phase: Phase::Live,
            table: None,
            position: 5,
            behind: 0,
            halt: None,
            paused: false,
            trouble: None,
            failures: 0,
        };
        assert_eq!(fault(&live, 10_005), None);
        let trouble = |since| Some(Trouble { why: "no table".to_owned(), since });
        let passing = Standing { trouble: trouble(Instant::now()), ..live.clone() };
        assert_eq!(fault(&passing, 5), None, "what passes at once is no matter");
        let lasting = trouble(Instant::now().checked_sub(Duration::from_mins(1)).unwrap());
        let troubled = Standing { trouble: lasting.clone(), ..live.clone() };
        let halt = Halt { kind: HaltKind::Poison, position: 6, why: "no".to_owned() };
        let not_ready = [
            (live.clone(), 10_006, "10001 events behind the log"),
            (Standing { halt: Some(halt), ..live.clone() }, 5, "halted before position 6: no"),
            (Standing { paused: true, ..live.clone() }, 5, "paused"),
            (Standing { phase: Phase::Building, ..live.clone() }, 5, "being built"),
            (Standing { phase: Phase::Waking, ..live }, 5, "being built"),
            (troubled.clone(), 5, "in trouble, and tried again: no table"),
            (Standing { phase: Phase::Building, ..troubled.clone() }, 5, "being built, and tried again: no table"),
            (Standing { phase: Phase::Waking, ..troubled }, 5, "cannot be opened: no table"),
        ];
        for (standing, head, why) in not_ready {
            let fault = fault(&standing, head).unwrap();
            assert_eq!((fault.pointer.as_str(), fault.message.as_str()), ("/views/incidents", why));
        }
    }
}
