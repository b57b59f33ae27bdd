//! Every comparison runs, with every event counted on both sides. What the ratios are is not asserted here: a test
//! machine is shared, and only `make bench` measures.

use bench::scenarios::{self, Effort};
use testbed::{Cluster, Durability};

#[tokio::test(flavor = "multi_thread")]
async fn every_comparison_runs_and_counts() {
    let cluster = Cluster::start(Durability::Full);
    let folder = tempfile::tempdir().unwrap();
    let effort = Effort::QUICK;
    let mut lines = scenarios::bus_on_postgres(&cluster, effort).await;
    lines.extend(scenarios::hot_stream(&cluster, effort).await);
    lines.extend(scenarios::lone_caller(&cluster, effort).await);
    lines.extend(scenarios::append_alone(&cluster, effort).await);
    lines.extend(scenarios::growth(&cluster, effort).await);
    lines.extend(scenarios::bus_on_sqlite(folder.path(), effort).await);
    assert_eq!(lines.len(), 9);
    for line in lines {
        assert!(line.ratio().is_finite() && line.ratio() > 0.0, "{}: {:?}", line.what, line.ratios);
    }
}
