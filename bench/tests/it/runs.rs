//! Every comparison runs, with every event counted on both sides. What the ratios are is not asserted here: a test
//! machine is shared, and only `make bench` measures.

use std::path::Path;

use bench::report::Line;
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
    lines.extend(scenarios::anatomy(&cluster, effort).await);
    lines.extend(scenarios::growth(&cluster, effort).await);
    lines.extend(scenarios::bus_on_sqlite(folder.path(), effort).await);
    assert_eq!(lines.len(), 14);
    check(&lines);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_comparison_of_views_and_queue_runs_and_counts() {
    let cluster = Cluster::start(Durability::Full);
    let effort = Effort::QUICK;
    let program = Path::new(env!("CARGO_BIN_EXE_bench"));
    let mut lines = scenarios::views(&cluster, effort).await;
    lines.extend(scenarios::memory(&cluster, program, effort).await);
    lines.extend(scenarios::reads(&cluster, effort).await);
    lines.extend(scenarios::queue(&cluster, effort).await);
    assert_eq!(lines.len(), 19);
    check(&lines);
    let idle = scenarios::idle(&cluster, program, effort).await.remove(0);
    assert!(idle.ratio().is_finite(), "it may have used less than can be measured: {:?}", idle.ratios);
}

fn check(lines: &[Line]) {
    for line in lines {
        assert!(line.ratio().is_finite() && line.ratio() > 0.0, "{}: {:?}", line.what, line.ratios);
    }
}
