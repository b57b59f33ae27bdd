//! What reactions count, as figures for Prometheus, and what is wrong with them, for readiness: rooms that must not know
//! each other meet here.

use api::metrics::{Family, Kind, number};
use domain::Fault;
use reactions::{Doing, Status};

pub(crate) fn of_reactions(status: &Status) -> Vec<Family> {
    let mut outcomes = Family::new(
        "pagefree_work_outcomes_total",
        Kind::Counter,
        "How runs of work ended in this process, by kind and outcome.",
    );
    for (kind, of) in status.outcomes() {
        let counts = [
            ("done", of.done),
            ("told", of.told),
            ("retried", of.retried),
            ("failed", of.failed),
            ("fenced", of.fenced),
            ("cut_short", of.cut_short),
        ];
        for (outcome, count) in counts {
            outcomes.add(&[("kind", kind), ("outcome", outcome)], number(count));
        }
    }
    let mut halted =
        Family::new("pagefree_reactor_halted", Kind::Gauge, "Whether a reactor stands before an event it cannot read.");
    for reactor in status.reactors() {
        let is_halted = matches!(reactor.doing, Doing::Halted { .. });
        halted.add(&[("reactor", reactor.name)], f64::from(u8::from(is_halted)));
    }
    let running = Family::new("pagefree_work_running", Kind::Gauge, "Work that is under way in this process.")
        .with(&[], number(status.running() as u64));
    let mut panics = Family::new(
        "pagefree_reaction_panics_total",
        Kind::Counter,
        "How often a part of the reactions panicked, and began anew.",
    );
    for (part, count) in status.panics() {
        let (what, which) = part.labels();
        panics.add(&[("part", what), ("name", which)], number(count));
    }
    vec![outcomes, halted, running, panics]
}

/// What of the reactions does not go on.
pub(crate) fn faults_of_reactions(status: &Status) -> Vec<Fault> {
    let fault = |fault: reactions::Fault| {
        Fault::new(format!("/reactions/{}", fault.part), format!("panicked, and begins anew: {}", fault.why))
    };
    status.faults().into_iter().map(fault).collect()
}
