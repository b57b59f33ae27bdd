//! What reactions count, as figures for Prometheus: rooms that must not know each other meet here.

use api::metrics::{Family, Kind, number};
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
    vec![outcomes, halted, running]
}
