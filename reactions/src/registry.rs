//! Every reactor and every worker there is. A new timer is one file and one line here.

use std::fmt;
use std::sync::Arc;

use commands::{Bus, Keys};
use projections::Views;

use crate::follow_incidents::{Follower, IncidentsToFollow};
use crate::forget_erased::{Erasures, ForgetErased};
use crate::reactor::Reactor;
use crate::timers::{Firing, Setting, Timer};
use crate::worker::Worker;
use crate::{ActivateGrants, ExpireApprovals, ExpireGrants, TimeOutAcknowledgements, WakeSnoozed};

#[derive(Clone, Default)]
pub struct Registry {
    pub(crate) reactors: Vec<Arc<dyn Reactor>>,
    pub(crate) workers: Vec<Arc<dyn Worker>>,
}

impl Registry {
    /// What the product does unasked. `views` are for those who must find what an event is about.
    pub fn of(bus: &Bus, views: &Views, keys: &Keys) -> Self {
        Self::default()
            .timer::<WakeSnoozed>(bus)
            .timer::<TimeOutAcknowledgements>(bus)
            .timer::<ExpireApprovals>(bus)
            .timer::<ActivateGrants>(bus)
            .timer::<ExpireGrants>(bus)
            .reactor(Erasures)
            .worker(ForgetErased::new(bus, keys))
            .reactor(IncidentsToFollow)
            .worker(Follower::new(bus.clone(), views.clone()))
    }

    #[must_use]
    pub fn timer<T: Timer>(self, bus: &Bus) -> Self {
        self.reactor(Setting::<T>::default()).worker(Firing::<T>::new(bus.clone()))
    }

    #[must_use]
    pub fn reactor(mut self, reactor: impl Reactor) -> Self {
        self.reactors.push(Arc::new(reactor));
        self
    }

    #[must_use]
    pub fn worker(mut self, worker: impl Worker) -> Self {
        self.workers.push(Arc::new(worker));
        self
    }

    /// The kinds of work that are done here.
    pub fn kinds(&self) -> Vec<&'static str> {
        self.workers.iter().map(|worker| worker.kind()).collect()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reactors: Vec<&str> = self.reactors.iter().map(|reactor| reactor.name()).collect();
        f.debug_struct("Registry").field("reactors", &reactors).field("workers", &self.kinds()).finish()
    }
}
