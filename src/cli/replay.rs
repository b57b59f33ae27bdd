//! `pagefree replay`: views built anew from the log, and compared with what is live. Against the database directly, also
//! while a server runs; nobody is called and no work is created.

use std::io::{IsTerminal, Write, stderr, stdout};
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use projections::registry::{self, Registration, VIEWS};
use replay::{Built, Report};
use storage::Store;

use super::Failure;
use super::settings::Place;

/// How often progress is told where there is no terminal to draw a bar on.
const BETWEEN_LINES: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub(crate) struct Replay {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Builds views anew from the log and puts them in the place of the live ones, which are read meanwhile.
    Rebuild(Which),
    /// Builds views beside the live ones and tells every difference; exit code 1 when there is one.
    Diff(Which),
}

#[derive(Debug, Args)]
struct Which {
    /// One view; may be given several times. All where none is named.
    #[arg(long = "view", value_name = "VIEW", value_parser = view)]
    views: Vec<&'static Registration>,
}

impl Replay {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let store = self.place.open_beside().await?;
        match self.command {
            Command::Rebuild(which) => rebuild(&store, &which.views()).await,
            Command::Diff(which) => diff(&store, &which.views()).await,
        }
    }
}

impl Which {
    fn views(self) -> Vec<&'static Registration> {
        if self.views.is_empty() { VIEWS.iter().collect() } else { self.views }
    }
}

async fn rebuild(store: &Store, views: &[&Registration]) -> Result<(), Failure> {
    for view in views {
        let (begun, mut progress) = (Instant::now(), Progress::of(view.name));
        let built = replay::rebuild(store, view, &mut |built| progress.tell(built)).await;
        progress.end();
        let Built { events, documents, .. } = built.map_err(|error| failed(view, &error))?;
        let seconds = begun.elapsed().as_secs_f64();
        print(&format!("{}: {events} events, {documents} documents, {seconds:.1} s\n", view.name))?;
    }
    Ok(())
}

async fn diff(store: &Store, views: &[&Registration]) -> Result<(), Failure> {
    let mut differing = 0;
    for view in views {
        let mut progress = Progress::of(view.name);
        let report = replay::diff(store, view, &mut |built| progress.tell(built)).await;
        progress.end();
        let report = report.map_err(|error| failed(view, &error))?;
        differing += report.differing;
        print(&in_words(&report))?;
    }
    if differing > 0 {
        return Err(Failure::Failed(format!("the views differ from the log: {differing} differences")));
    }
    Ok(())
}

fn in_words(report: &Report) -> String {
    let Report { view, position, documents, moved_on, differing, differences } = report;
    let mut lines: Vec<String> = differences.iter().map(|difference| format!("{view}: {difference}")).collect();
    let named = differences.len() as u64;
    if *differing > named {
        lines.push(format!("{view}: and {} more", differing - named));
    }
    lines.push(format!(
        "{view}: {documents} documents compared at position {position}, {moved_on} moved on meanwhile, {differing} \
         differences\n"
    ));
    lines.join("\n")
}

/// A bar on a terminal, now and then a line elsewhere.
struct Progress {
    view: &'static str,
    bar: Option<ProgressBar>,
    told: Instant,
}

impl Progress {
    fn of(view: &'static str) -> Self {
        let bar = stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{prefix:>18} {wide_bar} {human_pos}/{human_len} {per_sec} {msg}");
            let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(0).with_style(style).with_prefix(view)
        });
        Self { view, bar, told: Instant::now() }
    }

    fn tell(&mut self, built: Built) {
        let Built { events, of, documents } = built;
        if let Some(bar) = &self.bar {
            bar.set_length(of);
            bar.set_position(events);
            bar.set_message(format!("{documents} documents"));
        } else if self.told.elapsed() >= BETWEEN_LINES {
            self.told = Instant::now();
            eprintln!("{}: {events} of {of} events, {documents} documents", self.view);
        }
    }

    fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn print(text: &str) -> Result<(), Failure> {
    let mut out = stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| Failure::Failed(format!("standard output: {error}")))
}

fn failed(view: &Registration, error: &dyn std::fmt::Display) -> Failure {
    Failure::Failed(format!("the view {}: {error}", view.name))
}

fn view(name: &str) -> Result<&'static Registration, String> {
    registry::view(name).ok_or_else(|| {
        let known: Vec<&str> = VIEWS.iter().map(|view| view.name).collect();
        format!("there is no view '{name}'; there are {}", known.join(", "))
    })
}
