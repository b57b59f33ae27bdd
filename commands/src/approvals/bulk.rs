//! Many votes in one request, each recorded or refused on its own.

use domain::approval::Verdict;
use futures_util::future::try_join_all;
use jiff::Timestamp;
use storage::KeyUse;

use super::vote::{Ballot, CastVote};
use crate::{Bus, CommandError, Outcome, Request};

/// Decisions in one request.
pub const DECISIONS: usize = 100;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub approval_id: String,
    pub verdict: Verdict,
    pub content_hash: Option<String>,
    pub reason: Option<String>,
}

/// What comes of each decision, in their order. An error is of the whole: nothing was decided.
pub async fn decide_each(
    bus: &Bus,
    request: &Request,
    decisions: &[Decision],
    at: Timestamp,
) -> Result<Vec<Result<Outcome, CommandError>>, CommandError> {
    not_of_another(bus, request).await?;
    let mut outcomes = Vec::with_capacity(decisions.len());
    for (n, decision) in decisions.iter().enumerate() {
        let vote = CastVote {
            on: Ballot::Approval(decision.approval_id.clone()),
            by: request.actor.id.clone(),
            standing_in_for: None,
            verdict: decision.verdict,
            content_hash: decision.content_hash.clone(),
            reason: decision.reason.clone(),
            at,
        };
        outcomes.push(bus.run(&request.part(n), &vote).await);
    }
    Ok(outcomes)
}

/// The key of the whole stands for its parts: under it no other body was ever decided on, as far as anything was.
async fn not_of_another(bus: &Bus, request: &Request) -> Result<(), CommandError> {
    let keys: Vec<_> = (0..DECISIONS).filter_map(|n| request.part(n).idempotency).collect();
    let uses = try_join_all(keys.iter().map(|key| bus.store().key_use(key))).await?;
    if uses.contains(&KeyUse::OtherBody) { Err(CommandError::KeyReused) } else { Ok(()) }
}
