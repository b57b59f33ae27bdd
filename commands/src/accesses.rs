//! The log of what partners ask for: rows beside the log, and their count and digest in it. Whoever asks waits until his
//! row is recorded, together with those of everybody who asks meanwhile; what cannot be recorded is not served.

use std::collections::BTreeMap;

use domain::ids::{ComponentId, PartnerGrantId, StatusPageId};
use domain::partner_access::{Batch, Command, PartnerAccess, ROWS};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use storage::bulk::{BulkRow, StoredBulk, digest};
use storage::{StorageError, Store};
use tokio::sync::{mpsc, oneshot};

use crate::{Actor, ActorKind, Bus, CommandError, Procedure, Request, Unit, ids};

/// What the rows are called beside the log. Never changes.
const KIND: &str = "partner_access";
/// Who records them.
const RECORDER: &str = "partner_door";
/// Requests that may wait to be recorded; whoever comes then waits to wait.
const WAITING: usize = 1_000;

/// One thing that a partner asked for, and what he got. Addresses and clients are pseudonyms: the same one is the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Access {
    pub at: Timestamp,
    pub request_id: String,
    pub grant_id: PartnerGrantId,
    pub grant_version: u64,
    /// Which of his secrets stands behind it.
    pub secret_id: String,
    /// Which token that was made of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_id: Option<String>,
    pub method: String,
    pub route: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_id: Option<StatusPageId>,
    /// What he was shown of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<ComponentId>,
    pub allowed: bool,
    /// Why not, where he was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub status: u16,
    pub bytes: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
}

/// It is not in the log, so it must not be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the access was not recorded: {0}")]
pub struct NotRecorded(String);

type Waiting = (Access, oneshot::Sender<Result<(), NotRecorded>>);

/// Cheap to clone; one per process. Ends with its last clone.
#[derive(Debug, Clone)]
pub struct AccessLog(mpsc::Sender<Waiting>);

impl AccessLog {
    pub fn start(bus: &Bus) -> Self {
        let (send, receive) = mpsc::channel(WAITING);
        tokio::spawn(write(bus.clone(), receive));
        Self(send)
    }

    /// Ready when it is in the log.
    pub async fn record(&self, access: Access) -> Result<(), NotRecorded> {
        let gone = || NotRecorded("the recorder has ended".to_owned());
        let (tell, told) = oneshot::channel();
        self.0.send((access, tell)).await.map_err(|_| gone())?;
        told.await.map_err(|_| gone())?
    }
}

/// Whoever asked while the last batch was under way makes the next one.
async fn write(bus: Bus, mut waiting: mpsc::Receiver<Waiting>) {
    let most = usize::try_from(ROWS).unwrap_or(usize::MAX);
    loop {
        let mut batch = Vec::new();
        if waiting.recv_many(&mut batch, most).await == 0 {
            return;
        }
        let (rows, askers): (Vec<Access>, Vec<_>) = batch.into_iter().unzip();
        let recorded = record(&bus, rows).await.map_err(|error| NotRecorded(error.to_string()));
        if let Err(error) = &recorded {
            tracing::error!(%error, "partners are not served: what they ask for cannot be recorded");
        }
        for asker in askers {
            let _gone_meanwhile = asker.send(recorded.clone());
        }
    }
}

async fn record(bus: &Bus, rows: Vec<Access>) -> Result<(), CommandError> {
    let request = Request::new(Actor::system(ActorKind::System, RECORDER));
    bus.run(&request, &RecordAccesses { id: ids::fresh().to_string(), rows }).await.map(drop)
}

/// One batch, on a stream of its own.
#[derive(Debug)]
struct RecordAccesses {
    id: String,
    rows: Vec<Access>,
}

impl Procedure for RecordAccesses {
    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let bodies: Vec<Vec<u8>> =
            self.rows.iter().map(|row| serde_json::json!(row).to_string().into_bytes()).collect();
        let proof = digest(bodies.iter().map(Vec::as_slice));
        let mut grants: BTreeMap<PartnerGrantId, u64> = BTreeMap::new();
        for row in &self.rows {
            *grants.entry(row.grant_id.clone()).or_default() += 1;
        }
        let times = || self.rows.iter().map(|row| row.at);
        let batch = Batch {
            count: proof.count,
            sha256: proof.hex(),
            grants,
            first_at: times().min().unwrap_or_default(),
            last_at: times().max().unwrap_or_default(),
        };
        unit.suppose_new::<PartnerAccess>(&self.id);
        unit.decide::<PartnerAccess>(&self.id, &Command::Record(batch)).await?;
        let row = |(row, body): (&Access, Vec<u8>)| BulkRow {
            event: 0,
            kind: KIND.to_owned(),
            subject: row.grant_id.to_string(),
            body,
        };
        unit.attach(self.rows.iter().zip(bodies).map(row).collect());
        Ok(())
    }
}

/// The accesses under a grant, oldest first, after the row `(position, ord)`.
pub async fn of_grant(
    store: &Store,
    grant: &str,
    after: (u64, u32),
    limit: usize,
) -> Result<Vec<StoredBulk>, StorageError> {
    store.bulk_about(KIND, grant, after, limit).await
}
