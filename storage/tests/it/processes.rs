//! Writers in processes of their own: the example `append_load`, which cargo builds with the tests.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::{Output, Stdio};

use futures_util::future::join_all;
use storage::{Receipt, Recorded};
use tokio::process::Command;
use uuid::Uuid;

fn program() -> PathBuf {
    let mut path = std::env::current_exe().expect("this test is a program");
    path.pop();
    path.set_file_name("examples");
    path.push("append_load");
    assert!(path.exists(), "{} is not built; `cargo test -p storage` builds it", path.display());
    path
}

/// Runs so many writers at the same time, and returns what each of them was told when all have ended.
pub(crate) async fn writers(count: usize, url: &str, mode: &str, callers: usize, commands: u64) -> Vec<Output> {
    let spawn = |n: usize| {
        let (callers, commands) = (callers.to_string(), commands.to_string());
        Command::new(program())
            .args([url, mode, &format!("writer{n}"), &callers, &commands])
            .kill_on_drop(true)
            .stdin(Stdio::null())
            .output()
    };
    let outputs: Vec<Output> =
        join_all((0..count).map(spawn)).await.into_iter().map(|output| output.expect("the writer runs")).collect();
    for output in &outputs {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    outputs
}

/// The commands that were acknowledged, and where.
pub(crate) fn acknowledged(outputs: &[Output]) -> HashMap<Uuid, Receipt> {
    let line = |line: &str| {
        let parts: Vec<&str> = line.split(' ').collect();
        let number = |n: usize| parts[n].parse().expect("a position");
        (parts[0].parse().expect("a command id"), Receipt { first: number(1), last: number(2) })
    };
    let text = |output: &Output| String::from_utf8(output.stdout.clone()).expect("text");
    outputs.iter().flat_map(|output| text(output).lines().map(line).collect::<Vec<_>>()).collect()
}

/// The log holds each acknowledged command at its receipt and nothing else, and the writers took turns.
pub(crate) fn holds_exactly(log: &[Recorded], acknowledged: &HashMap<Uuid, Receipt>) {
    let mut found: HashMap<Uuid, Receipt> = HashMap::new();
    for event in log {
        let receipt = found.entry(event.command_id).or_insert(Receipt { first: event.position, last: event.position });
        assert_eq!(u64::from(event.command_ord), event.position - receipt.first, "a command lies in one piece");
        receipt.last = event.position;
    }
    assert_eq!(&found, acknowledged);
    let writer = |event: &Recorded| event.stream.aggregate_id.split(' ').next().map(str::to_owned);
    let turns = log.windows(2).filter(|pair| writer(&pair[0]) != writer(&pair[1])).count();
    println!("{} events, {turns} turns", log.len());
    assert!(turns > 2, "only {turns} turns: the writers did not run at the same time");
}
