//! What a view's table looks like, and what its parts are called. Names are checked here, because they become part of
//! statements; values never do.

use std::fmt;
use std::sync::{Arc, OnceLock};

use super::{Document, Value};
use crate::StorageError;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Integer,
}

/// A column promoted out of the document, to filter and sort by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub kind: Kind,
}

/// What a version of a view needs of its table. A version has one shape for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// One to forty of `a` to `z` and `_`.
    pub name: &'static str,
    /// At most 9999.
    pub version: u32,
    pub columns: &'static [Column],
    /// Lists of columns; the key follows each. A query is served by the one that begins with the columns it filters by
    /// and goes on with the one it sorts by.
    pub indexes: &'static [&'static [&'static str]],
    /// Whether documents are found by terms.
    pub searched: bool,
    /// Whether documents are read one by one: on PostgreSQL a hash index finds them, however many there are.
    pub singly: bool,
    /// Whether it is kept which events touched a document.
    pub touches: bool,
}

/// One generation of one view. Cheap to clone.
#[derive(Clone)]
pub struct Table(Arc<Inner>);

struct Inner {
    shape: Shape,
    generation: u32,
    documents: String,
    touches: String,
    postgres: OnceLock<super::postgres::Statements>,
    sqlite: OnceLock<super::sqlite::Statements>,
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Table").field(&self.0.documents).finish()
    }
}

impl Table {
    pub(super) fn new(shape: &Shape, generation: u32) -> Self {
        let of = format!("{}_v{}_g{generation}", shape.name, shape.version);
        Self(Arc::new(Inner {
            shape: *shape,
            generation,
            documents: format!("view_{of}"),
            touches: format!("touches_{of}"),
            postgres: OnceLock::new(),
            sqlite: OnceLock::new(),
        }))
    }

    pub fn name(&self) -> &'static str {
        self.0.shape.name
    }

    pub fn version(&self) -> u32 {
        self.0.shape.version
    }

    pub fn generation(&self) -> u32 {
        self.0.generation
    }

    pub fn shape(&self) -> &Shape {
        &self.0.shape
    }

    pub(super) fn columns(&self) -> &'static [Column] {
        self.0.shape.columns
    }

    pub(super) fn documents(&self) -> &str {
        &self.0.documents
    }

    pub(super) fn touches(&self) -> &str {
        &self.0.touches
    }

    /// The statements on PostgreSQL, written once.
    pub(super) fn postgres(&self) -> &super::postgres::Statements {
        self.0.postgres.get_or_init(|| super::postgres::Statements::of(self))
    }

    /// The statements on SQLite, written once.
    pub(super) fn sqlite(&self) -> &super::sqlite::Statements {
        self.0.sqlite.get_or_init(|| super::sqlite::Statements::of(self))
    }

    pub(super) fn column(&self, name: &str) -> Result<&'static Column, StorageError> {
        let found = self.columns().iter().find(|column| column.name == name);
        found.ok_or_else(|| StorageError::Rejected(format!("the view {} has no column '{name}'", self.name())))
    }

    pub(super) fn superseded(&self) -> StorageError {
        StorageError::Superseded(format!(
            "generation {} of the view {} v{}",
            self.generation(),
            self.name(),
            self.version()
        ))
    }
}

impl Kind {
    /// As it is called in both databases.
    pub(super) fn sql(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "bigint",
        }
    }

    pub(super) fn holds(self, value: &Value) -> bool {
        match value {
            Value::Null => true,
            Value::Text(_) => self == Self::Text,
            Value::Integer(_) => self == Self::Integer,
        }
    }
}

impl Shape {
    /// The table itself, to make or compare it.
    pub(super) fn described(&self) -> String {
        let columns: Vec<String> = self.columns.iter().map(|c| format!("{} {}", c.name, c.kind.sql())).collect();
        let indexes: Vec<String> = self.indexes.iter().map(|index| index.join(" ")).collect();
        let (searched, singly, touches) = (self.searched, self.singly, self.touches);
        let (columns, indexes) = (columns.join(", "), indexes.join(", "));
        format!("{columns}; {indexes}; searched {searched}; singly {singly}; touches {touches}")
    }

    /// The view is stored with another shape: somebody forgot to raise its version.
    pub(super) fn is_not(&self, found: &str) -> StorageError {
        StorageError::Incompatible(format!(
            "the view {} v{} is stored as [{found}], not as [{}]; another shape needs another version",
            self.name,
            self.version,
            self.described()
        ))
    }
}

/// Refuses a shape whose names cannot be part of a statement, or that does not hold together.
pub(super) fn check(shape: &Shape) -> Result<(), StorageError> {
    check_name(shape.name)?;
    let wrong = |why: String| Err(StorageError::Rejected(format!("the view {}: {why}", shape.name)));
    if !(1..=9999).contains(&shape.version) {
        return wrong(format!("version {} is not from 1 to 9999", shape.version));
    }
    for (n, column) in shape.columns.iter().enumerate() {
        if !is_name(column.name) || shape.columns[..n].iter().any(|other| other.name == column.name) {
            return wrong(format!("'{}' does not name a column of its own", column.name));
        }
    }
    for name in shape.indexes.iter().copied().flatten() {
        if shape.columns.iter().all(|column| column.name != *name) {
            return wrong(format!("an index names '{name}', which is no column"));
        }
    }
    Ok(())
}

pub(super) fn check_name(name: &str) -> Result<(), StorageError> {
    if is_name(name) {
        return Ok(());
    }
    Err(StorageError::Rejected(format!("'{name}' names no view: one to forty of a to z and _ do")))
}

fn is_name(name: &str) -> bool {
    (1..=40).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

/// Refuses documents that do not fit the table.
pub(super) fn check_documents(table: &Table, documents: &[Document]) -> Result<(), StorageError> {
    let columns = table.columns();
    let fits = |document: &Document| {
        document.columns.len() == columns.len()
            && columns.iter().zip(&document.columns).all(|(column, value)| column.kind.holds(value))
            && !document.key.is_empty()
            && !texts(document).any(|text| text.contains('\0'))
    };
    match documents.iter().find(|document| !fits(document)) {
        Some(document) => Err(StorageError::Rejected(format!(
            "the document '{}' does not fit the view {}: its key, its columns, or a NUL",
            document.key,
            table.name()
        ))),
        None => Ok(()),
    }
}

fn texts(document: &Document) -> impl Iterator<Item = &str> {
    let columns = document.columns.iter().filter_map(|value| match value {
        Value::Text(text) => Some(text.as_str()),
        _ => None,
    });
    let parked = document.parked.iter().map(|parked| parked.why.as_str());
    [document.key.as_str(), document.body.as_str()].into_iter().chain(columns).chain(parked)
}
