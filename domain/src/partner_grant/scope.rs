//! What a grant opens: pages, and of each all components or some.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::ids::{ComponentId, StatusPageId};

/// How much of a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extent {
    /// All that it has, and will have.
    All,
    /// Some components. A group stands for what stands under it, now and later.
    Components(BTreeSet<ComponentId>),
}

/// By page. What is not named is not open.
pub type Scope = BTreeMap<StatusPageId, Extent>;
