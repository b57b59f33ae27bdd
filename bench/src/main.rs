//! Runs every comparison in one run and prints the table; `--write FILE` keeps it. Exit 1: a promise does not hold.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use bench::child;
use bench::report::{Line, samples, table};
use bench::scenarios::{self, Effort};
use testbed::{Cluster, Durability};

/// What both sides do, and where they are not alike.
const METHOD: &str = include_str!("method.md");

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == child::CHILD) {
        child::be(&arguments[1..]).await;
        return ExitCode::SUCCESS;
    }
    let mut write: Option<PathBuf> = None;
    let mut effort = Effort::FULL;
    let mut only: Option<String> = None;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match (argument.as_str(), rest.clone().next()) {
            ("--quick", _) => effort = Effort::QUICK,
            ("--write", Some(file)) => {
                write = Some(file.into());
                rest.next();
            }
            ("--only", Some(name)) => {
                only = Some(name.clone());
                rest.next();
            }
            _ => {
                eprintln!("usage: bench [--quick] [--only NAME] [--write FILE]");
                return ExitCode::from(2);
            }
        }
    }
    let lines = run(effort, only.as_deref()).await;
    println!("{}", table(&lines));
    if let Some(file) = write {
        std::fs::write(&file, page(&lines, &arguments)).expect("the page is written");
    }
    if lines.iter().all(Line::holds) { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

async fn run(effort: Effort, only: Option<&str>) -> Vec<Line> {
    let cluster = Cluster::start(Durability::Full);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let program = std::env::current_exe().expect("this program's file");
    let wanted = |name: &str| {
        let wanted = only.is_none_or(|only| only == name);
        if wanted {
            eprintln!("measuring: {name}");
        }
        wanted
    };
    let mut lines = Vec::new();
    if wanted("bus") {
        lines.extend(scenarios::bus_on_postgres(&cluster, effort).await);
    }
    if wanted("hot") {
        lines.extend(scenarios::hot_stream(&cluster, effort).await);
    }
    if wanted("lone") {
        lines.extend(scenarios::lone_caller(&cluster, effort).await);
    }
    if wanted("append") {
        lines.extend(scenarios::append_alone(&cluster, effort).await);
    }
    if wanted("anatomy") {
        lines.extend(scenarios::anatomy(&cluster, effort).await);
    }
    if wanted("growth") {
        lines.extend(scenarios::growth(&cluster, effort).await);
    }
    if wanted("views") {
        lines.extend(scenarios::views(&cluster, effort).await);
    }
    if wanted("memory") {
        lines.extend(scenarios::memory(&cluster, &program, effort).await);
    }
    if wanted("reads") {
        lines.extend(scenarios::reads(&cluster, effort).await);
    }
    if wanted("queue") {
        lines.extend(scenarios::queue(&cluster, effort).await);
    }
    if wanted("idle") {
        lines.extend(scenarios::idle(&cluster, &program, effort).await);
    }
    if wanted("sqlite") {
        lines.extend(scenarios::bus_on_sqlite(folder.path(), effort).await);
    }
    lines
}

fn page(lines: &[Line], arguments: &[String]) -> String {
    format!(
        "# Benchmarks\n\n{METHOD}\n{}\n\n{}\n## Samples\n\nThe ratio of every pair, or the figure of every run:\n\n{}",
        machine(arguments),
        table(lines),
        samples(lines)
    )
}

fn machine(arguments: &[String]) -> String {
    let said = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output().map(|output| output.stdout).unwrap_or_default();
        String::from_utf8_lossy(&output).trim().to_owned()
    };
    let model = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = model.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    format!(
        "- Date: {}\n- Machine: {} cores, {}; shared with the load generator\n- {}\n- Node.js {} for pg-boss\n- Command line: `bench {}`",
        said("date", &["-u", "+%Y-%m-%d"]),
        said("nproc", &[]),
        model.trim_start_matches([' ', '\t', ':']),
        said("uname", &["-sr"]),
        said("node", &["--version"]),
        arguments.join(" ")
    )
}
