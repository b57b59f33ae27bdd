//! How far a view has come in this process's knowledge, for those who wait for it and for those who watch over it.

use storage::documents::{Halt, Table, ViewRow};
use tokio::sync::watch;

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
    /// Why the last try failed, while it is tried again.
    pub trouble: Option<String>,
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

    /// The view was opened: its table and where it stands are told together.
    pub(crate) fn opened(&self, table: Table, row: &ViewRow, live: bool) {
        self.0.send_modify(|standing| {
            standing.table = Some(table);
            standing.phase = if live { Phase::Live } else { Phase::Building };
            standing.position = row.position;
            standing.halt.clone_from(&row.halt);
            standing.paused = row.paused;
            standing.trouble = None;
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

    pub(crate) fn trouble(&self, why: String) {
        self.0.send_modify(|standing| standing.trouble = Some(why));
    }
}
