//! The entries of an incident and of all that is merged into it, from the view.

use std::collections::BTreeSet;

use serde::Deserialize;
use storage::StorageError;
use storage::documents::{Filter, Query, Sort, Stored, Value};

use crate::incidents::IncidentDetail;
use crate::timeline::{Entry, INCIDENTS};
use crate::view::position_key;
use crate::{ReadError, Views};

/// A part of a timeline, oldest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    pub items: Vec<Stored>,
    /// The position to read after, if there is more.
    pub next: Option<u64>,
    /// It holds everything up to here.
    pub position: u64,
}

/// All of an incident's document that matters here.
#[derive(Deserialize)]
struct Absorbing {
    absorbed: Vec<String>,
}

/// Up to `limit` entries after the position `after`.
pub async fn timeline(views: &Views, incident_id: &str, after: u64, limit: usize) -> Result<Told, ReadError> {
    let (incidents, known_at) = absorbed(views, incident_id).await?;
    let query = Query {
        filters: vec![Filter::In("incident_id", incidents.into_iter().map(Value::Text).collect())],
        sort: Sort { column: None, descending: false },
        after: Some((Value::Null, position_key(after))),
        limit: limit + 1,
        ..Query::default()
    };
    let (found, position) = views.query::<Entry>(&query).await?;
    let more = found.len() > limit;
    let items: Vec<Stored> = found.into_iter().take(limit).map(|found| found.document).collect();
    let next = items.last().filter(|_| more).map(|last| last.position);
    Ok(Told { items, next, position: position.min(known_at) })
}

/// The incident, what was merged into it, what was merged into that…, and up to where that is known.
async fn absorbed(views: &Views, incident_id: &str) -> Result<(BTreeSet<String>, u64), ReadError> {
    let mut known = BTreeSet::from([incident_id.to_owned()]);
    let (mut wave, mut position) = (vec![incident_id.to_owned()], u64::MAX);
    while !wave.is_empty() {
        let (found, at) = views.find_all::<IncidentDetail>(&wave).await?;
        position = position.min(at);
        wave.clear();
        for Stored { key, body, .. } in found {
            let Absorbing { absorbed } = serde_json::from_str(&body)
                .map_err(|error| StorageError::Incompatible(format!("the incident {key}: {error}")))?;
            for id in absorbed {
                if known.len() < INCIDENTS && known.insert(id.clone()) {
                    wave.push(id);
                }
            }
        }
    }
    Ok((known, position))
}
