//! Every view that is kept. A new view is one line in [`VIEWS`].

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use storage::documents::{Shape, Table};
use storage::{StorageError, Store};
use uuid::Uuid;

use crate::approvals::ApprovalDetail;
use crate::build::{self, BuildError, Built, Observer};
use crate::feed::Feed;
use crate::follow::Follower;
use crate::incidents::IncidentDetail;
use crate::partner_grants::PartnerGrantDetail;
use crate::people::{ApiTokenDetail, TeamDetail, UserDetail};
use crate::progress::Progress;
use crate::runbooks::{RunbookDetail, RunbookVersion};
use crate::status_pages::StatusPageDetail;
use crate::{View, repair, timeline};

/// A build under way, and what it comes to.
type Building<'a, T> = BoxFuture<'a, Result<T, BuildError>>;

/// What can be done with a view without knowing its type.
#[derive(Debug, Clone, Copy)]
pub struct Registration {
    pub name: &'static str,
    pub version: u32,
    pub shape: fn() -> Shape,
    pub(crate) follow: fn(Store, Feed, Uuid, Arc<Progress>) -> BoxFuture<'static, ()>,
    rebuild: for<'a> fn(&'a Store, Observer<'a>) -> Building<'a, Built>,
    generation: for<'a> fn(&'a Store, u64, Observer<'a>) -> Building<'a, (Table, Built)>,
    unpark: for<'a> fn(&'a Store, &'a str) -> BoxFuture<'a, Result<bool, StorageError>>,
}

pub const VIEWS: &[Registration] = &[
    register::<RunbookDetail>(),
    register::<RunbookVersion>(),
    register::<IncidentDetail>(),
    register::<timeline::Entry>(),
    register::<UserDetail>(),
    register::<TeamDetail>(),
    register::<ApiTokenDetail>(),
    register::<ApprovalDetail>(),
    register::<StatusPageDetail>(),
    register::<PartnerGrantDetail>(),
];

pub const fn register<V: View>() -> Registration {
    Registration {
        name: V::NAME,
        version: V::VERSION,
        shape: V::shape,
        follow: |store, feed, me, progress| Follower::<V>::new(store, feed, me, progress).run().boxed(),
        rebuild: |store, observer| build::rebuild::<V>(store, observer).boxed(),
        generation: |store, until, observer| build::generation::<V>(store, until, observer).boxed(),
        unpark: |store, key| repair::unpark::<V>(store, key).boxed(),
    }
}

/// The view of that name.
pub fn view(name: &str) -> Option<&'static Registration> {
    VIEWS.iter().find(|view| view.name == name)
}

impl Registration {
    /// Builds it anew from the log, beside the live one, and puts it in its place.
    pub async fn rebuild(&self, store: &Store, observer: Observer<'_>) -> Result<Built, BuildError> {
        (self.rebuild)(store, observer).await
    }

    /// Builds a generation that holds the log up to `until`, beside the live one and not in its place.
    pub async fn generation(
        &self,
        store: &Store,
        until: u64,
        observer: Observer<'_>,
    ) -> Result<(Table, Built), BuildError> {
        (self.generation)(store, until, observer).await
    }

    /// Folds a parked document again from its stream. False when it cannot be folded still.
    pub async fn unpark(&self, store: &Store, key: &str) -> Result<bool, StorageError> {
        (self.unpark)(store, key).await
    }
}
