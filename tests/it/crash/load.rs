//! The load under which things are killed: incidents are declared under keys of their own, and now and then two are
//! merged, which is one command on two streams.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use tokio::task::JoinHandle;

use super::witness::{ABSORBED, Acknowledged, DECLARED, Unanswered, Witness};
use crate::client::{Client, Reply};

const CALLERS: usize = 16;

pub(super) struct Load {
    stop: Arc<AtomicBool>,
    callers: Vec<JoinHandle<()>>,
}

impl Load {
    /// Callers that go on until they are stopped, or until nobody answers them any more.
    pub(super) fn start(client: &Client, witness: &Arc<Witness>, round: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let callers = (0..CALLERS)
            .map(|caller| {
                let caller = Caller {
                    client: client.clone(),
                    witness: witness.clone(),
                    stop: stop.clone(),
                    name: format!("round-{round}-caller-{caller}"),
                };
                tokio::spawn(caller.go_on())
            })
            .collect();
        Self { stop, callers }
    }

    pub(super) async fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.ended().await;
    }

    /// Waits until every caller has noticed that nobody answers.
    pub(super) async fn ended(self) {
        for caller in self.callers {
            caller.await.unwrap();
        }
    }
}

struct Caller {
    client: Client,
    witness: Arc<Witness>,
    stop: Arc<AtomicBool>,
    name: String,
}

impl Caller {
    async fn go_on(self) {
        let mut last: Option<String> = None;
        for n in 0.. {
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            let Ok(declared) = self.declare(n).await else { return };
            if let (Some(into), Some(id)) = (&last, &declared)
                && n % 4 == 3
                && self.merge(id, into).await.is_err()
            {
                return;
            }
            last = declared.or(last);
        }
    }

    /// The id of what was declared, if the answer says that it was. An error: nobody answers.
    async fn declare(&self, n: usize) -> Result<Option<String>, ()> {
        // A title ends with a full stop, so that none is the beginning of another.
        let unanswered = Unanswered { key: format!("{}-{n}", self.name), title: format!("{}-{n}.", self.name) };
        self.witness.sent();
        let reply = declare(&self.client, &unanswered).await;
        self.witness.answered();
        let answer = note(&self.witness, &unanswered, reply.as_ref());
        if answer.is_none() {
            self.witness.leave_open(unanswered);
        }
        reply.map(|_| answer).map_err(|_| ())
    }

    async fn merge(&self, id: &str, into: &str) -> Result<(), ()> {
        self.witness.sent();
        let path = format!("/api/incidents/{id}/merge");
        let reply = self.client.ask("POST", &path).json(&json!({ "into": into })).try_send().await;
        self.witness.answered();
        let reply = reply.map_err(|_| ())?;
        if is_recorded(&reply) {
            let content = format!(r#""incident":"{id}""#);
            let acknowledged = Acknowledged { position: reply.number(), event_type: ABSORBED, content };
            self.witness.acknowledge(acknowledged);
        }
        Ok(())
    }
}

/// Sends what was never answered once more, under the same key, and writes down the answer.
pub(super) async fn send_again(client: &Client, witness: &Witness) -> usize {
    let open = witness.take_unanswered();
    for unanswered in &open {
        let reply = declare(client, unanswered).await;
        assert!(note(witness, unanswered, reply.as_ref()).is_some(), "{unanswered:?}: {reply:?}");
    }
    open.len()
}

async fn declare(client: &Client, request: &Unanswered) -> Result<Reply, reqwest::Error> {
    let ask = client.ask("POST", "/api/incidents").header("idempotency-key", &request.key);
    ask.json(&json!({ "title": request.title })).try_send().await
}

/// Shown at once, or recorded and not shown yet: both are promises.
fn is_recorded(reply: &Reply) -> bool {
    [200, 201, 202].contains(&reply.status)
}

/// The id in a good answer, once it is written down.
fn note(witness: &Witness, request: &Unanswered, reply: Result<&Reply, &reqwest::Error>) -> Option<String> {
    let reply = reply.ok().filter(|reply| is_recorded(reply))?;
    witness.acknowledge(Acknowledged {
        position: reply.number(),
        event_type: DECLARED,
        content: format!(r#""{}""#, request.title),
    });
    reply.location().rsplit('/').next().map(str::to_owned)
}
