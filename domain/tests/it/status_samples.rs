//! Status pages, their slugs, partner grants and accesses that the tests start from.

use domain::incident::Severity;
use domain::partner_access::{Batch, Event as AccessEvent};
use domain::partner_grant::{Event as GrantEvent, Extent, Grant, Granted, Scope};
use domain::status_page::event::{ComponentAdded, ComponentEdited, Created, Edited};
use domain::status_page::{AddComponent, Audience, ComponentStatus, Create, Event as PageEvent};
use domain::status_page_slug::Event as SlugEvent;
use jiff::Timestamp;

use super::samples::{ALICE, BOB, time};

pub(crate) fn create() -> Create {
    let Created { by, slug, name, description, time_zone, audience, team_id } = created();
    Create { by, slug, name, description, time_zone, audience, team_id }
}

pub(crate) fn created() -> Created {
    Created {
        by: ALICE.into(),
        slug: "shop".to_owned(),
        name: "The shop".to_owned(),
        description: "For those who sell with us.".to_owned(),
        time_zone: "Europe/Zurich".to_owned(),
        audience: Audience::Partners,
        team_id: Some("team:shop".into()),
    }
}

pub(crate) fn page_edited(by: &str) -> Edited {
    Edited { by: by.into(), slug: None, name: None, description: None, time_zone: None, audience: None, team_id: None }
}

/// A component at the end, of these services.
pub(crate) fn added(id: &str, group_id: Option<&str>, services: &[&str], position: u32) -> ComponentAdded {
    ComponentAdded {
        by: ALICE.into(),
        component: id.into(),
        name: format!("The {id}"),
        description: String::new(),
        group: false,
        group_id: group_id.map(Into::into),
        service_ids: services.iter().copied().map(Into::into).collect(),
        only_show_if_degraded: false,
        position,
    }
}

pub(crate) fn group(id: &str, position: u32) -> ComponentAdded {
    ComponentAdded { group: true, ..added(id, None, &[], position) }
}

/// The command that leads to an event.
pub(crate) fn add(added: ComponentAdded) -> AddComponent {
    let ComponentAdded { by, component, name, description, group, group_id, service_ids, .. } = added;
    AddComponent {
        by,
        id: component,
        name,
        description,
        group,
        group_id,
        service_ids,
        only_show_if_degraded: added.only_show_if_degraded,
        position: None,
    }
}

pub(crate) fn noted(incident: &str, severity: Severity, services: &[&str]) -> PageEvent {
    let service_ids = services.iter().copied().map(Into::into).collect();
    PageEvent::IncidentNoted { incident: incident.into(), severity, service_ids }
}

/// One event of every type: what a missing golden file is proposed from.
pub(crate) fn every_page_event() -> Vec<PageEvent> {
    use PageEvent as E;
    vec![
        E::Created(created()),
        E::Edited(Edited {
            slug: Some("store".to_owned()),
            name: Some("The store".to_owned()),
            description: Some(String::new()),
            time_zone: Some("UTC".to_owned()),
            audience: Some(Audience::Public),
            team_id: Some(None),
            ..page_edited(BOB)
        }),
        E::ComponentAdded(ComponentAdded {
            description: "Cards and invoices".to_owned(),
            only_show_if_degraded: true,
            ..added("payment", None, &["pay", "cards"], 1)
        }),
        E::ComponentEdited(ComponentEdited {
            by: BOB.into(),
            component: "payment".into(),
            name: Some("Paying".to_owned()),
            description: Some("Cards".to_owned()),
            service_ids: Some(["cards".into()].into()),
            only_show_if_degraded: Some(false),
        }),
        E::ComponentMoved { by: BOB.into(), component: "payment".into(), group_id: Some("money".into()), position: 1 },
        E::ComponentRemoved { by: BOB.into(), component: "payment".into() },
        E::StatusSet {
            by: BOB.into(),
            component: "payment".into(),
            status: ComponentStatus::UnderMaintenance,
            reason: Some("new terminals".to_owned()),
        },
        E::StatusReleased { by: BOB.into(), component: "payment".into() },
        noted("incident:7", Severity::Sev1, &["pay", "search"]),
        E::IncidentCleared { incident: "incident:7".into() },
        E::Archived { by: BOB.into(), reason: Some("sold".to_owned()) },
    ]
}

pub(crate) fn every_slug_event() -> Vec<SlugEvent> {
    vec![SlugEvent::Reserved { page: "page:1".into() }, SlugEvent::Released { page: "page:1".into() }]
}

pub(crate) fn morning() -> Timestamp {
    time("2026-02-08T08:00:00Z")
}

pub(crate) fn noon() -> Timestamp {
    time("2026-02-08T12:00:00Z")
}

pub(crate) fn evening() -> Timestamp {
    time("2026-02-08T18:00:00Z")
}

/// Two components of one page, and all of another.
pub(crate) fn scope() -> Scope {
    let some = Extent::Components(["payment".into(), "search".into()].into());
    [("page:1".into(), some), ("page:2".into(), Extent::All)].into()
}

pub(crate) fn granted() -> Granted {
    Granted {
        by: ALICE.into(),
        organisation: "Cobbler & Sons".to_owned(),
        people: ["subject:1".into(), "subject:2".into()].into(),
        scope: scope(),
        from: noon(),
        until: evening(),
        reason: "they sell with us".to_owned(),
    }
}

pub(crate) fn grant(at: Timestamp) -> Grant {
    let Granted { by, organisation, people, scope, from, until, reason } = granted();
    Grant { by, organisation, people, scope, from, until, reason, at }
}

pub(crate) fn every_grant_event() -> Vec<GrantEvent> {
    use GrantEvent as E;
    let reason = || "because".to_owned();
    vec![
        E::Granted(granted()),
        E::Edited {
            by: BOB.into(),
            organisation: Some("Cobbler".to_owned()),
            people: Some(["subject:3".into()].into()),
        },
        E::ScopeChanged { by: BOB.into(), scope: [("page:3".into(), Extent::All)].into(), reason: reason() },
        E::Renewed { by: BOB.into(), from: evening(), until: time("2026-03-01T00:00:00Z"), reason: reason() },
        E::Activated { from: noon() },
        E::Suspended { by: BOB.into(), reason: reason() },
        E::Resumed { by: BOB.into(), reason: reason() },
        E::Revoked { by: BOB.into(), reason: reason() },
        E::Expired { until: evening() },
    ]
}

pub(crate) fn batch() -> Batch {
    Batch {
        count: 3,
        sha256: "ab".repeat(32),
        grants: [("grant:1".into(), 2), ("grant:2".into(), 1)].into(),
        first_at: noon(),
        last_at: evening(),
    }
}

pub(crate) fn every_access_event() -> Vec<AccessEvent> {
    vec![AccessEvent::Recorded(batch())]
}
