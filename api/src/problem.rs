//! Errors as clients see them: RFC 9457, and the one mapping from what went wrong inside.

use std::fmt;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use commands::CommandError;
use domain::{Fault, Refusal};
use projections::ReadError;
use serde_json::json;
use storage::{StorageError, Token};
use vault::VaultError;

/// When to try again after an outage, in seconds.
const RETRY_SECONDS: u16 = 2;

#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    /// The end of the type, `urn:pagefree:problem:<code>`: stable, for programs.
    code: &'static str,
    title: &'static str,
    detail: String,
    errors: Vec<Fault>,
    headers: Vec<(&'static str, String)>,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, title, detail: detail.into(), errors: Vec::new(), headers: Vec::new() }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// What was sent cannot be right. Pointers go into the body, or begin with `/query` or `/header`.
    pub(crate) fn invalid(errors: Vec<Fault>) -> Self {
        let detail = match errors.as_slice() {
            [only] => format!("{} {}", only.pointer, only.message),
            all => format!("{} things are wrong with the request; all are listed", all.len()),
        };
        let detail = detail.trim_start().to_owned();
        Self { errors, ..Self::new(StatusCode::BAD_REQUEST, "invalid", "The request is not valid", detail) }
    }

    pub(crate) fn fault(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self::invalid(vec![Fault::new(pointer, message)])
    }

    pub(crate) fn unreadable(why: impl fmt::Display) -> Self {
        let detail = format!("the body is not JSON: {why}");
        Self::new(StatusCode::BAD_REQUEST, "malformed", "The body cannot be read", detail)
    }

    pub(crate) fn media_type() -> Self {
        let detail = "send the body as application/json, in UTF-8";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type", "The media type is not supported", detail)
    }

    pub(crate) fn too_large(most: usize) -> Self {
        let detail = format!("a body may have at most {} KiB", most / 1024);
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "The body is too large", detail)
    }

    pub(crate) fn too_slow() -> Self {
        let detail = "the body did not arrive in time";
        Self::new(StatusCode::REQUEST_TIMEOUT, "too_slow", "The request took too long", detail)
            .with("connection", "close")
    }

    pub(crate) fn unauthenticated(presented: bool) -> Self {
        let (detail, challenge) = if presented {
            ("the token is not known", r#"Bearer realm="pagefree", error="invalid_token""#)
        } else {
            ("sign in, or send an API token as 'Authorization: Bearer …'", r#"Bearer realm="pagefree""#)
        };
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", "Who are you?", detail)
            .with(WWW_AUTHENTICATE.as_str(), challenge)
    }

    /// A session that is over, or never was.
    pub(crate) fn signed_out() -> Self {
        let detail = "the session has ended; sign in again";
        Self::new(StatusCode::UNAUTHORIZED, "signed_out", "Who are you?", detail)
            .with(WWW_AUTHENTICATE.as_str(), r#"Bearer realm="pagefree""#)
    }

    /// Not told apart: unknown, wrong, or not allowed any more.
    pub(crate) fn wrong_credentials() -> Self {
        let detail = "the e-mail address or the password is wrong";
        Self::new(StatusCode::UNAUTHORIZED, "wrong_credentials", "Who are you?", detail)
            .with(WWW_AUTHENTICATE.as_str(), r#"Bearer realm="pagefree""#)
    }

    /// A change in a session that no page of ours asked for.
    pub(crate) fn forged() -> Self {
        let detail = "a change in a session needs the X-CSRF-Token that GET /api/session shows";
        Self::new(StatusCode::FORBIDDEN, "csrf", "The request may be forged", detail)
    }

    pub(crate) fn too_many(wait: Duration, detail: &str) -> Self {
        let seconds = wait.as_secs().max(1);
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many", "Too many requests", detail)
            .with(RETRY_AFTER.as_str(), seconds.to_string())
    }

    pub(crate) fn denied(what: &str) -> Self {
        let detail = format!("you may not {what}");
        Self::new(StatusCode::FORBIDDEN, "denied", "Your role does not allow this", detail)
    }

    /// A partner whose grant is not open now.
    pub(crate) fn shut(reason: &str) -> Self {
        let detail = format!("your access is not open: {reason}");
        Self::new(StatusCode::FORBIDDEN, "grant_shut", "Your access is not open", detail)
    }

    /// What must be recorded to be served cannot be.
    pub(crate) fn unrecorded(error: &dyn fmt::Display) -> Self {
        tracing::error!(%error, "a partner was not served");
        Self::unavailable("what you ask for cannot be recorded at the moment, so it is not served")
    }

    pub(crate) fn missing(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is nothing here", detail)
    }

    pub(crate) fn method(allowed: &str) -> Self {
        let detail = format!("this resource answers {allowed}");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method", "The method is not allowed", detail)
            .with(ALLOW.as_str(), allowed)
    }

    /// A position of another history: it may never have happened in this one.
    pub(crate) fn other_history(present: &Token) -> Self {
        let detail = format!(
            "the position belongs to another history (epoch) than this log's, {}: after a restore or a failover, \
             forget what you knew and read again",
            present.epoch
        );
        Self::new(StatusCode::PRECONDITION_FAILED, "other_history", "The position is of another history", detail)
            .with("pagefree-position", present.to_string())
    }

    pub(crate) fn behind(present: &Token) -> Self {
        let detail = format!("only {present} is reached; try again");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "behind", "Not there yet", detail)
            .with(RETRY_AFTER.as_str(), "1")
            .with("pagefree-position", present.to_string())
    }

    /// The process lives, but requests had better go to another one.
    pub(crate) fn not_ready(detail: impl Into<String>, errors: Vec<Fault>) -> Self {
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", "Not ready to serve", detail);
        Self { errors, ..problem }.with(RETRY_AFTER.as_str(), RETRY_SECONDS.to_string())
    }

    fn moved(actual: u64) -> Self {
        let detail = format!("it has moved: the present version is {actual}; read it again");
        Self::new(StatusCode::PRECONDITION_FAILED, "moved", "If-Match does not name the present version", detail)
            .with("etag", format!("\"{actual}\""))
    }

    pub(crate) fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, "The present state does not allow this", detail)
    }

    pub(crate) fn unavailable(detail: &str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not available at the moment", detail)
            .with(RETRY_AFTER.as_str(), RETRY_SECONDS.to_string())
    }

    /// A fault of ours: what it is goes to the log, not to the client.
    pub(crate) fn internal(error: &dyn fmt::Display) -> Self {
        tracing::error!(%error, "a fault of ours");
        let detail = "the fault is ours, and is logged under this request's id";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something is broken here", detail)
    }
}

impl Problem {
    pub(crate) fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// As it is sent.
    pub(crate) fn document(&self) -> serde_json::Value {
        let mut document = json!({
            "type": format!("urn:pagefree:problem:{}", self.code),
            "title": self.title,
            "status": self.status(),
            "detail": self.detail,
        });
        if !self.errors.is_empty() {
            document["errors"] = json!(self.errors);
        }
        document
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.title, self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        for (name, value) in &self.headers {
            response.insert_header((*name, value.as_str()));
        }
        response.insert_header((CONTENT_TYPE, "application/problem+json")).body(self.document().to_string())
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Invalid(faults) => Self::invalid(faults),
            Refusal::Missing { code, detail } => Self { code, ..Self::missing(detail) },
            Refusal::State { code, detail } => Self::conflict(code, detail),
            Refusal::Forbidden { code, detail } => {
                Self::new(StatusCode::FORBIDDEN, code, "You may not do this here", detail)
            }
        }
    }
}

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Refused(refusal) => refusal.into(),
            CommandError::Denied(action) => Self::denied(action.describe()),
            // Sequences begin with 1: there is nothing whose version could have been named.
            CommandError::Moved { actual: 0, .. } => Self::missing("there is nothing with this id"),
            CommandError::Moved { actual, .. } => Self::moved(actual),
            CommandError::KeyReused => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "key_reused",
                "The idempotency key was used for another request",
                "use a new Idempotency-Key for each new request, and the same one only to repeat a request unchanged",
            ),
            CommandError::Fenced => Self::conflict("fenced", error.to_string()),
            CommandError::Contended => Self { code: "contended", ..Self::unavailable(&error.to_string()) },
            CommandError::Storage(error) => error.into(),
            CommandError::Vault(error) => error.into(),
            CommandError::Busy => Self::too_many(Duration::from_secs(2), &error.to_string()),
            CommandError::Impersonation { .. } | CommandError::Undecodable(_) => Self::internal(&error),
        }
    }
}

impl From<VaultError> for Problem {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Storage(error) => error.into(),
            VaultError::Erased(_) => Self::conflict("user_erased", "this person was erased, for good"),
            error if error.is_transient() => Self::unavailable("the keys are not available at the moment"),
            error => Self::internal(&error),
        }
    }
}

impl From<StorageError> for Problem {
    fn from(error: StorageError) -> Self {
        match &error {
            StorageError::Unavailable(why) | StorageError::Superseded(why) => {
                tracing::warn!(%why, "the database is not available");
                Self::unavailable("the database is not available; nothing was changed")
            }
            StorageError::Unknown(why) => {
                tracing::error!(%why, "the outcome of an append is unknown");
                let detail = "the database went away before it answered, so this may or may not have happened; \
                              repeat the request under the same Idempotency-Key, or look";
                Self { code: "outcome_unknown", ..Self::unavailable(detail) }
            }
            StorageError::Full(why) => {
                tracing::error!(%why, "no space left");
                let detail = "no space is left to record anything; an operator must make room";
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "full", "The disk is full", detail)
                    .with(RETRY_AFTER.as_str(), "60")
            }
            // What a client can send is checked before it gets there.
            StorageError::Rejected(_)
            | StorageError::Gap { .. }
            | StorageError::Incompatible(_)
            | StorageError::InUse(_)
            | StorageError::Configuration(_) => Self::internal(&error),
        }
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Storage(error) => error.into(),
            ReadError::NotBuilt { .. } => Self { code: "not_built", ..Self::unavailable(&error.to_string()) },
            ReadError::Undecodable { .. } => Self::internal(&error),
        }
    }
}
