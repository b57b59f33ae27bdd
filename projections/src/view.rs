//! The one shape of every view: documents by key, each a fold of the events that touch it.

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};

use crate::Decoded;

pub trait View: Serialize + DeserializeOwned + Default + Clone + PartialEq + Debug + Send + Sync + 'static {
    /// Part of the name of its table.
    const NAME: &'static str;
    /// Raised whenever the same events would fold into another document.
    const VERSION: u32;

    /// The keys of the documents that an event touches.
    fn keys(event: &Decoded) -> Vec<String>;

    /// Folds an event that touches this document into it. Pure and total: it has happened.
    fn apply(&mut self, event: &Decoded);
}
