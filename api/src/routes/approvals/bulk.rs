//! Many votes at once, each counted or refused on its own: one result for each, in their order.

use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use commands::approvals::{DECISIONS, Decision, decide_each};
use commands::authorize::Action;
use commands::{CommandError, Outcome};
use domain::Fault;
use domain::approval::Approval;
use domain::ids::ApprovalId;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::Answer;
use crate::clock::now;
use crate::fields::Fields;
use crate::problem::Problem;
use crate::respond;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "POST",
    path: "/api/approvals/bulk",
    access: Access::Holding(Action::VoteOnApprovals),
    handle: |route| route.to(bulk),
};

/// What came of one decision. A status of 202 was counted, but is not shown yet.
#[derive(Serialize)]
struct Decided<'a> {
    id: &'a str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Value>,
}

async fn bulk(write: Write) -> Answer {
    if write.request.if_match.is_some() {
        let message = "names one version of one thing; say with each decision which content_hash it is about";
        return Err(Problem::fault("/header/if-match", message));
    }
    let decisions = decisions(&write)?;
    let outcomes = decide_each(&write.bus, &write.request, &decisions, now()).await?;
    let replayed = outcomes.iter().flatten().all(|outcome| outcome.replayed) && outcomes.iter().any(Result::is_ok);
    let position = outcomes.iter().flatten().map(|outcome| outcome.position).max();
    let mut results = Vec::with_capacity(decisions.len());
    for (decision, outcome) in decisions.iter().zip(outcomes) {
        results.push(decided(&write, &decision.approval_id, outcome).await);
    }
    let mut response = respond::json(StatusCode::OK, &serde_json::json!({ "results": results }))?;
    let position = match position {
        Some(position) => position,
        None => write.bus.store().head().await?,
    };
    respond::stamp(&mut response, &write.bus.token(position).await?);
    if replayed {
        let name = HeaderName::from_static("idempotent-replayed");
        response.headers_mut().insert(name, HeaderValue::from_static("true"));
    }
    Ok(response)
}

fn decisions(write: &Write) -> Result<Vec<Decision>, Problem> {
    let mut fields = write.fields()?;
    fields.require("decisions");
    let decisions = fields.objects("decisions", decision);
    let sent = write.body.get("decisions").and_then(Value::as_array).map(Vec::len);
    if sent.is_some_and(|sent| sent > DECISIONS || sent == 0) {
        fields.fault("decisions", format!("must be 1 to {DECISIONS}"));
    }
    fields.close()?;
    let decisions = decisions.unwrap_or_default();
    let mut known = BTreeSet::new();
    let twice = decisions.iter().enumerate().filter(|(_, decision)| !known.insert(&decision.approval_id));
    let fault = |(n, _)| Fault::new(format!("/decisions/{n}/id"), "stands in an earlier decision already");
    let faults: Vec<Fault> = twice.map(fault).collect();
    if faults.is_empty() { Ok(decisions) } else { Err(Problem::invalid(faults)) }
}

fn decision(fields: &mut Fields<'_>) -> Option<Decision> {
    let id: Option<ApprovalId> = fields.identifier("id");
    fields.require("verdict");
    let verdict = fields.named("verdict");
    let (content_hash, reason) = (fields.optional("content_hash"), fields.optional("reason"));
    Some(Decision { approval_id: id?.to_string(), verdict: verdict?, content_hash, reason })
}

async fn decided<'a>(write: &Write, id: &'a str, outcome: Result<Outcome, CommandError>) -> Decided<'a> {
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(error) => {
            let problem = Problem::from(error);
            return Decided { id, status: problem.status(), approval: None, problem: Some(problem.document()) };
        }
    };
    let shown = write.document::<Approval>(id, &outcome).await;
    let approval = shown.ok().and_then(|shown| RawValue::from_string(shown.body).ok());
    let status = if approval.is_some() { StatusCode::OK } else { StatusCode::ACCEPTED };
    Decided { id, status: status.as_u16(), approval, problem: None }
}
