//! What is different between two versions, or between a version and the draft.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpRequest};
use commands::authorize::Action;
use domain::runbook::Runbook;
use domain::runbook::definition::Definition;
use projections::runbooks::{RunbookDetail, RunbookVersion};
use serde_json::{Value, json};

use crate::Answer;
use crate::door::Caller;
use crate::problem::Problem;
use crate::query::Query;
use crate::read::{Logged, Read};
use crate::respond;
use crate::routes::{Access, Route};

pub(in crate::routes) const ROUTE: Route = Route {
    method: "GET",
    path: "/api/runbooks/{id}/diff",
    access: Access::Holding(Action::ReadRunbooks),
    handle: |route| route.to(diff),
};

/// What stands for the draft where a version is asked for.
const DRAFT: &str = "draft";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Version(u32),
    Draft,
}

struct Comparing {
    read: Read,
    from: Option<Side>,
    to: Option<Side>,
}

impl FromRequest for Comparing {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let caller = Caller::from_request(&request, payload);
        Box::pin(async move {
            let mut query = Query::parse(request.query_string())?;
            let (from, to) = (query.named("from"), query.named("to"));
            Ok(Self { read: Read::extract(request, caller.await?.0, query).await?, from, to })
        })
    }
}

impl std::str::FromStr for Side {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = || text.parse().ok().filter(|number| *number > 0).map(Self::Version);
        let draft = (text == DRAFT).then_some(Self::Draft);
        draft.or_else(number).ok_or("must be the number of a version, or draft")
    }
}

async fn diff(Comparing { read, from, to }: Comparing) -> Answer {
    // From the log: all that is compared is of one moment.
    let logged = read.log::<Runbook>().await?;
    let last = logged.folded.document.versions.last().map(|version| version.number);
    // What somebody asks who decides on the draft: how does it differ from what was approved last?
    let to = to.or_else(|| logged.folded.document.draft.as_ref().map(|_| Side::Draft)).or(last.map(Side::Version));
    let from = from.or_else(|| before(to?, last));
    let side = |side: Option<Side>, name: &str| match side {
        Some(side) => find(&logged, side),
        None => Err(Problem::fault(format!("/query/{name}"), "must be given: there is nothing to compare with")),
    };
    let ((from, from_card), (to, to_card)) = (side(from, "from")?, side(to, "to")?);
    let changes = to.differences(&from);
    let body = json!({ "from": from_card, "to": to_card, "changes": changes });
    let mut response = respond::json(StatusCode::OK, &body)?;
    respond::stamp(&mut response, &read.token(logged.folded.position).await?);
    Ok(response)
}

/// The version that a side is compared with where none is said.
fn before(side: Side, last: Option<u32>) -> Option<Side> {
    match side {
        Side::Draft => last.map(Side::Version),
        Side::Version(number) => number.checked_sub(1).filter(|number| *number > 0).map(Side::Version),
    }
}

/// A definition, and what is said of it in the answer.
fn find(logged: &Logged<RunbookDetail>, side: Side) -> Result<(Definition, Value), Problem> {
    match side {
        Side::Draft => {
            let draft = logged.folded.document.draft.as_ref();
            let draft = draft.ok_or_else(|| Problem::missing("there is no draft"))?;
            let card = json!({ "version": DRAFT, "of_version": draft.of_version, "content_hash": draft.content_hash });
            Ok(((*draft.definition).clone(), card))
        }
        Side::Version(number) => {
            let mut versions = logged.history.entries::<RunbookVersion>().map(|(_, version)| version);
            let version = versions.find(|version| version.summary.number == number);
            let version = version.ok_or_else(|| Problem::missing(format!("there is no version {number}")))?;
            let card = json!({ "version": number, "content_hash": version.summary.content_hash });
            let definition = version.definition.ok_or_else(|| Problem::internal(&"a version without a definition"))?;
            Ok(((*definition).clone(), card))
        }
    }
}
