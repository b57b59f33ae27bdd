//! How far a view has come in this process's knowledge, for those who wait for it and for those who watch over it.

use storage::documents::{Halt, Table, ViewRow};
use tokio::sync::watch;
use tokio::time::Instant;

/// Where a view stands, as last heard.
#[derive(Debug, Clone)]
pub struct Standing {
    pub name: &'static str,
    pub version: u32,
    pub phase: Phase,
    /// The table to read; none before the view was opened.
    pub table: Option<Table>,
    pub position: u64,
    /// Events that were in the log and not in the view when somebody last looked.
    pub behind: u64,
    pub halt: Option<Halt>,
    pub paused: bool,
    /// While what failed is tried again.
    pub trouble: Option<Trouble>,
    /// How often something failed and was tried again.
    pub failures: u64,
}

/// Why a view does not get on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What the last try came to.
    pub why: String,
    /// When the first of the tries failed that have come to nothing.
    pub since: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Not opened yet.
    Waking,
    /// Being filled for the first time: not to be read yet.
    Building,
    /// To be read.
    Live,
}

/// The one who writes it.
#[derive(Debug)]
pub(crate) struct Progress(watch::Sender<Standing>);

impl Progress {
    pub(crate) fn new(name: &'static str, version: u32) -> Self {
        Self(watch::Sender::new(Standing {
            name,
            version,
            phase: Phase::Waking,
            table: None,
            position: 0,
            behind: 0,
            halt: None,
            paused: false,
            trouble: None,
            failures: 0,
        }))
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Standing> {
        self.0.subscribe()
    }

    pub(crate) fn standing(&self) -> Standing {
        self.0.borrow().clone()
    }

    pub(crate) fn phase(&self, phase: Phase) {
        self.0.send_modify(|standing| standing.phase = phase);
    }

    /// The view was opened: its table and where it stands are told together. What kept it from going on may do so still.
    pub(crate) fn opened(&self, table: Table, row: &ViewRow, live: bool) {
        self.0.send_modify(|standing| {
            standing.table = Some(table);
            standing.phase = if live { Phase::Live } else { Phase::Building };
            standing.position = row.position;
            standing.halt.clone_from(&row.halt);
            standing.paused = row.paused;
        });
    }

    /// The view's row was read; `live` as above.
    pub(crate) fn row(&self, row: &ViewRow, live: bool) {
        self.0.send_modify(|standing| {
            if live {
                standing.phase = Phase::Live;
            }
            standing.position = row.position;
            standing.halt.clone_from(&row.halt);
            standing.paused = row.paused;
            standing.trouble = None;
        });
    }

    /// `live`: whether it may be read from there on. Both at once: who waited for the position reads next.
    pub(crate) fn reached(&self, position: u64, live: bool) {
        self.0.send_modify(|standing| {
            standing.position = position;
            if live {
                standing.phase = Phase::Live;
            }
            standing.halt = None;
            standing.trouble = None;
        });
    }

    pub(crate) fn head(&self, head: u64) {
        self.0.send_modify(|standing| standing.behind = head.saturating_sub(standing.position));
    }

    /// There is nothing more to fold, and nothing in the way.
    pub(crate) fn at_the_end(&self) {
        self.0.send_modify(|standing| {
            standing.behind = 0;
            standing.trouble = None;
        });
    }

    /// A try failed, as all have done since then.
    pub(crate) fn trouble(&self, why: String, since: Instant) {
        self.0.send_modify(|standing| {
            standing.trouble = Some(Trouble { why, since });
            standing.failures += 1;
        });
    }
}
