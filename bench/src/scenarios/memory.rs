//! What a rebuild of a large view takes: memory and time, in a process of its own.

use std::path::Path;

use testbed::Cluster;

use super::Effort;
use crate::report::{Line, Promise, median};
use crate::{child, logs};

/// Events of one document.
const LENGTH: u64 = 4;

pub async fn memory(cluster: &Cluster, program: &Path, effort: Effort) -> Vec<Line> {
    let (url, events) = logs::filled(cluster, effort.large, LENGTH).await;
    // Both are told from the same events: one document a stream, and one an event.
    let mut lines = Vec::new();
    for (view, documents) in [("incidents", events / LENGTH), ("incident_timeline", events)] {
        let (mut megabytes, mut rates) = (Vec::new(), Vec::new());
        for _ in 0..effort.rounds.min(3) {
            let built = child::rebuilt(program, &url, view).await;
            assert_eq!((built.events, built.documents), (events, documents), "every event and document counts");
            megabytes.push(built.megabytes);
            #[expect(clippy::cast_precision_loss, reason = "a million is far from the limit")]
            rates.push(built.events as f64 / built.seconds);
        }
        lines.push(Line {
            what: format!("most memory resident in a rebuild of `{view}`: {events} events, {documents} documents"),
            promise: Promise::Within(400.0, " MB"),
            ours: format!("{:.0} events/s", median(&rates)),
            peer: "–".to_owned(),
            ratios: megabytes,
        });
    }
    lines
}
