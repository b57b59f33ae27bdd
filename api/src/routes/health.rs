//! Whether the process lives, and whether it can serve. For machines, so without a token.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use commands::Bus;
use serde_json::json;
use storage::{StorageError, Token};
use tokio::time::timeout;

use super::{Access, Route};
use crate::Answer;
use crate::respond;

/// A database that takes longer is not one to send requests to.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) const ALIVE: Route =
    Route { method: "GET", path: "/healthz", access: Access::Open, handle: |route| route.to(alive) };

pub(super) const READY: Route =
    Route { method: "GET", path: "/readyz", access: Access::Open, handle: |route| route.to(ready) };

async fn alive() -> Answer {
    respond::json(StatusCode::OK, &json!({ "status": "alive" }))
}

async fn ready(bus: web::Data<Bus>) -> Answer {
    let engine = bus.store().engine();
    match timeout(PATIENCE, present(&bus)).await {
        Ok(Ok(token)) => {
            let position = token.to_string();
            respond::json(StatusCode::OK, &json!({ "status": "ready", "engine": engine, "position": position }))
        }
        failed => {
            tracing::warn!(?failed, "not ready");
            let status = json!({ "status": "not ready", "engine": engine, "detail": "the database does not answer" });
            let mut response: HttpResponse = respond::json(StatusCode::SERVICE_UNAVAILABLE, &status)?;
            response
                .headers_mut()
                .insert(actix_web::http::header::RETRY_AFTER, actix_web::http::header::HeaderValue::from_static("2"));
            Ok(response)
        }
    }
}

async fn present(bus: &Bus) -> Result<Token, StorageError> {
    let store = bus.store();
    store.token(store.head().await?).await
}
