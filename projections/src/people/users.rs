//! A person's account as it is shown, but for what is sealed.

use std::collections::{BTreeMap, BTreeSet};

use domain::Aggregate;
use domain::ids::{ActorId, TeamId};
use domain::roles::Grant;
use domain::sealed::Sealed;
use domain::user::{Delegation, Event, Origin as CameBy, Standing, User};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::terms::facet;
use crate::view::{Column, Origin, Value, integer, moment, text};
use crate::{Decoded, View};

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct UserDetail {
    pub id: String,
    pub status: Standing,
    pub name: Option<Sealed>,
    pub email: Option<Sealed>,
    pub roles: BTreeSet<Grant>,
    pub origin: Option<CameBy>,
    pub has_password: bool,
    /// By provider, when it was linked.
    pub providers: BTreeMap<String, Timestamp>,
    /// Who stands in for him, and when.
    pub delegation: Option<Delegation>,
    pub created_by: Option<ActorId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// The aggregate's sequence, as in the ETag.
    pub version: u64,
    /// Belongs to no team: whoever may see people sees him.
    pub team_id: Option<TeamId>,
}

impl View for UserDetail {
    const NAME: &'static str = "users";
    const VERSION: u32 = 1;
    const READS: &'static [&'static str] = &[User::TYPE];
    const ORIGIN: Origin = Origin::Stream;
    const COLUMNS: &'static [Column] = &[text("status"), integer("created_at")];
    const INDEXES: &'static [&'static [&'static str]] = &[&["status", "created_at"]];
    const SEARCHED: bool = true;

    fn keys(event: &Decoded) -> Vec<String> {
        event.of::<User>().map(|_| event.aggregate_id().to_owned()).into_iter().collect()
    }

    fn apply(&mut self, event: &Decoded) {
        let Some(fact) = event.of::<User>() else { return };
        event.aggregate_id().clone_into(&mut self.id);
        self.updated_at = event.at();
        self.version = event.sequence();
        self.fold(fact, event.at());
    }

    fn columns(&self) -> Vec<Value> {
        vec![Value::Text(self.status.as_str().to_owned()), moment(self.created_at)]
    }

    /// By role and team. Not by name: a search term would outlive whom it finds.
    fn terms(&self) -> Vec<String> {
        let roles = self.roles.iter().map(|grant| facet("role", grant.role.as_str()));
        let teams = self.roles.iter().filter_map(|grant| grant.team.as_ref()).map(|team| facet("team", team.as_str()));
        roles.chain(teams).collect::<BTreeSet<_>>().into_iter().collect()
    }

    fn counted(&self) -> Vec<(&'static str, String)> {
        vec![("status", self.status.as_str().to_owned())]
    }
}

impl UserDetail {
    fn fold(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::Created(created) => {
                self.status = Standing::Active;
                self.name = Some(created.name.clone());
                self.email = Some(created.email.clone());
                self.roles.clone_from(&created.grants);
                self.origin = Some(created.origin);
                self.created_by = Some(created.by.clone());
                self.created_at = at;
            }
            Event::ProfileChanged { name, email, .. } => {
                self.name = name.clone().or_else(|| self.name.take());
                self.email = email.clone().or_else(|| self.email.take());
            }
            Event::RoleGranted { grant, .. } => drop(self.roles.insert(grant.clone())),
            Event::RoleRevoked { grant, .. } => drop(self.roles.remove(grant)),
            Event::Deactivated { .. } => self.status = Standing::Deactivated,
            Event::Reactivated { .. } => self.status = Standing::Active,
            Event::PasswordSet { .. } => self.has_password = true,
            Event::Invited { .. } => {}
            Event::ProviderLinked { provider, .. } => drop(self.providers.insert(provider.clone(), at)),
            Event::ProviderUnlinked { provider, .. } => drop(self.providers.remove(provider)),
            Event::Delegated { to, from, until, .. } => {
                self.delegation = Some(Delegation { to: to.clone(), from: *from, until: *until });
            }
            Event::DelegationEnded { .. } => self.delegation = None,
            Event::Erased { .. } => self.erase(),
        }
    }

    fn erase(&mut self) {
        self.status = Standing::Erased;
        self.name = None;
        self.email = None;
        self.roles.clear();
        self.has_password = false;
        self.providers.clear();
        self.delegation = None;
    }
}
