//! Completes what erasing a person began: whoever decided it may have died before every key was destroyed.

use commands::{Bus, Keys, users};
use domain::Aggregate;
use domain::user::{Event, User};
use futures_util::future::BoxFuture;
use projections::Decoded;
use serde_json::json;

use crate::reactor::{Reactor, Work};
use crate::worker::{Assignment, Outcome, Worker};

const NAME: &str = "forget_erased";

#[derive(Debug)]
pub(crate) struct ForgetErased {
    bus: Bus,
    keys: Keys,
}

impl ForgetErased {
    pub(crate) fn new(bus: &Bus, keys: &Keys) -> Self {
        Self { bus: bus.clone(), keys: keys.clone() }
    }
}

/// Sees who was erased.
#[derive(Debug)]
pub(crate) struct Erasures;

impl Reactor for Erasures {
    fn name(&self) -> &'static str {
        NAME
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &[User::TYPE]
    }

    fn react(&self, event: &Decoded) -> Vec<Work> {
        let Some(Event::Erased { .. }) = event.of::<User>() else { return vec![] };
        let user = event.aggregate_id();
        let lane = format!("{NAME}:{user}");
        vec![Work { kind: NAME, lane, priority: 0, payload: json!({ "user": user }), run_at: None }]
    }
}

impl Worker for ForgetErased {
    fn kind(&self) -> &'static str {
        NAME
    }

    fn run(&self, assignment: Assignment) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            let Some(user) = assignment.payload["user"].as_str() else {
                return Outcome::Fail { error: "the work names nobody".to_owned() };
            };
            match users::forget(&self.bus, &self.keys, user).await {
                Ok(()) => Outcome::Done,
                Err(error) => Outcome::Retry { after: None, error: error.to_string() },
            }
        })
    }
}
