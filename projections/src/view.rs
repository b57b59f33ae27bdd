//! The one shape of every view: documents by key, each a fold of the events that touch it.

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};
pub use storage::documents::{Column, Kind, Shape, Value};

use crate::Decoded;

pub trait View: Serialize + DeserializeOwned + Default + Clone + PartialEq + Debug + Send + Sync + 'static {
    /// Part of the name of its table.
    const NAME: &'static str;
    /// Raised whenever the same events would fold into another document, or into other columns.
    const VERSION: u32;
    /// The aggregate types whose events it looks at; all others pass by it unread.
    const READS: &'static [&'static str];
    const ORIGIN: Origin;
    /// What is promoted out of the document, to filter and sort by.
    const COLUMNS: &'static [Column] = &[];
    const INDEXES: &'static [&'static [&'static str]] = &[];
    /// Whether documents are found by `terms`.
    const SEARCHED: bool = false;

    /// The keys of the documents that an event touches.
    fn keys(event: &Decoded) -> Vec<String>;

    /// Folds an event that touches this document into it. Pure and total: it has happened.
    fn apply(&mut self, event: &Decoded);

    /// One value for each of `COLUMNS`. What is sorted by is never null.
    fn columns(&self) -> Vec<Value> {
        Vec::new()
    }

    /// What it is found by, see [`crate::terms`].
    fn terms(&self) -> Vec<String> {
        Vec::new()
    }

    /// The groups in which this document is counted: what is counted, and the group's name.
    fn counted(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    fn shape() -> Shape {
        Shape {
            name: Self::NAME,
            version: Self::VERSION,
            columns: Self::COLUMNS,
            indexes: Self::INDEXES,
            searched: Self::SEARCHED,
            // What one event inserts is only ever listed.
            singly: Self::ORIGIN != Origin::Event,
            touches: Self::ORIGIN == Origin::Streams,
        }
    }
}

/// What a document of a view is made of. It decides how the view is rebuilt, and what a bad event costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// One document for each stream of the one aggregate type read, under the aggregate's id. Which events touched it is
    /// known from the stream; an event that cannot be folded parks its document and leaves all others alone.
    Stream,
    /// Documents that one event inserts and no other touches.
    Event,
    /// Documents that draw on several streams. Which events touched them is kept beside them.
    Streams,
}

pub const fn text(name: &'static str) -> Column {
    Column { name, kind: Kind::Text }
}

pub const fn integer(name: &'static str) -> Column {
    Column { name, kind: Kind::Integer }
}

/// A time as a column holds it.
pub fn moment(at: jiff::Timestamp) -> Value {
    Value::Integer(at.as_microsecond())
}

/// A text that may be missing.
pub fn optional(text: Option<impl ToString>) -> Value {
    text.map_or(Value::Null, |text| Value::Text(text.to_string()))
}

/// A position as a key: its order as text is its order as a number.
pub fn position_key(position: u64) -> String {
    format!("{position:019}")
}
