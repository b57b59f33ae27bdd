//! Roles as they are written in bodies: `{"role": …, "team_id": …}`.

use std::collections::BTreeSet;

use domain::ids::{TeamId, is_sound};
use domain::roles::{Grant, Role};

use crate::fields::Fields;

/// A list of roles under `roles`.
pub(super) fn read(fields: &mut Fields<'_>) -> Option<BTreeSet<Grant>> {
    let grants = fields.objects("roles", |fields| {
        fields.require("role");
        let role: Option<Role> = fields.named("role");
        let team = team(fields);
        Some(Grant { role: role?, team })
    })?;
    Some(grants.into_iter().collect())
}

/// The team in which a role is held; none is everywhere.
pub(super) fn team(fields: &mut Fields<'_>) -> Option<TeamId> {
    let id: String = fields.optional("team_id")?;
    if is_sound(&id) {
        return Some(TeamId::new(id));
    }
    fields.fault("team_id", "must be an identifier");
    None
}
