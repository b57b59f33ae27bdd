//! Status pages follow the incidents, and grants the clock: from the event that leads to it to what is shown.

use std::collections::BTreeSet;

use commands::status_pages::{CreatePage, FollowIncidents};
use commands::{CommandError, Procedure, Unit};
use domain::ids::{ActorId, StatusPageId};
use domain::incident::{Changes, Command as Ask, Declare, Incident, Severity};
use domain::partner_grant::{self, Extent, PartnerGrant};
use domain::status_page::{AddComponent, Audience, Command, ComponentChanges, Create, StatusPage};
use jiff::Timestamp;
use storage::work::WorkState;
use testbed::eventually;

use crate::bed::{Bed, ann, on_both};

on_both!(
    a_component_follows_its_incidents,
    what_is_linked_later_follows_too,
    what_was_merged_goes_on_where_it_went,
    doing_it_again_changes_nothing,
    a_grant_begins_and_ends_by_itself,
);

fn by() -> ActorId {
    ActorId::new("ann")
}

async fn page(bed: &Bed, id: &str) {
    let create = Create {
        by: by(),
        slug: id.to_owned(),
        name: "A page".to_owned(),
        description: String::new(),
        time_zone: "UTC".to_owned(),
        audience: Audience::Public,
        team_id: None,
    };
    bed.bus.run(&ann(), &CreatePage { page: StatusPageId::new(id), create }).await.unwrap();
}

async fn ask(bed: &Bed, page: &str, command: Command) {
    bed.bus.execute::<StatusPage>(&ann(), page, &command).await.unwrap();
}

async fn component(bed: &Bed, page: &str, id: &str, services: &[&str]) {
    let add = AddComponent {
        by: by(),
        id: id.into(),
        name: id.to_owned(),
        description: String::new(),
        group: false,
        group_id: None,
        service_ids: services.iter().copied().map(Into::into).collect(),
        only_show_if_degraded: false,
        position: None,
    };
    ask(bed, page, Command::AddComponent(Box::new(add))).await;
}

async fn incident(bed: &Bed, id: &str, severity: Severity, services: &[&str]) {
    let mut declare = Declare::new(by(), "Down", severity);
    declare.service_ids = services.iter().copied().map(Into::into).collect();
    bed.bus.create::<Incident>(&ann(), id, &Ask::Declare(Box::new(declare))).await.unwrap();
}

/// Waits until the components of a page show this.
async fn shows(bed: &Bed, page: &str, expected: &[&str]) {
    eventually(&format!("{page} shows {expected:?}"), || async {
        let (state, ..) = bed.bus.look::<StatusPage>(page).await.unwrap().unwrap();
        let shown: Vec<_> = state.components.iter().map(|one| state.status_of(one).as_str()).collect();
        shown == expected
    })
    .await;
}

async fn a_component_follows_its_incidents(bed: &Bed) {
    let reactions = bed.reactions().await;
    page(bed, "p1").await;
    page(bed, "p2").await;
    component(bed, "p1", "pay", &["pay"]).await;
    component(bed, "p1", "find", &["find"]).await;
    component(bed, "p2", "all", &["pay", "find"]).await;
    incident(bed, "i1", Severity::Sev2, &["pay", "unknown"]).await;
    shows(bed, "p1", &["partial_outage", "operational"]).await;
    shows(bed, "p2", &["partial_outage"]).await;
    incident(bed, "i2", Severity::Sev3, &["find"]).await;
    shows(bed, "p1", &["partial_outage", "degraded_performance"]).await;
    let severity = Ask::ChangeSeverity { by: by(), severity: Severity::Sev1, reason: None };
    bed.ask("i1", &severity).await;
    shows(bed, "p1", &["major_outage", "degraded_performance"]).await;
    let moved = Changes { service_ids: Some(["find".into()].into()), ..Changes::default() };
    bed.ask("i1", &Ask::Edit { by: by(), changes: Box::new(moved) }).await;
    shows(bed, "p1", &["operational", "major_outage"]).await;
    bed.ask("i1", &Ask::Resolve { by: by(), resolution: None }).await;
    shows(bed, "p1", &["operational", "degraded_performance"]).await;
    bed.ask("i1", &Ask::Reopen { by: by(), reason: None }).await;
    shows(bed, "p2", &["major_outage"]).await;
    // What is written says by whom, and after which event.
    let events = bed.recorded("status_page", "p2").await;
    let noted = crate::bed::decoded(events.last().unwrap().clone());
    assert_eq!(noted.actor().unwrap().kind, "reaction");
    assert!(noted.metadata("causation_id").is_some());
    reactions.drain().await;
}

async fn what_is_linked_later_follows_too(bed: &Bed) {
    let reactions = bed.reactions().await;
    incident(bed, "i1", Severity::Sev1, &["pay"]).await;
    incident(bed, "i2", Severity::Sev3, &["find"]).await;
    page(bed, "p1").await;
    component(bed, "p1", "one", &["pay"]).await;
    shows(bed, "p1", &["major_outage"]).await;
    let changes = ComponentChanges { service_ids: Some(["find".into()].into()), ..ComponentChanges::default() };
    let edit = Command::EditComponent { by: by(), component: "one".into(), changes: Box::new(changes) };
    ask(bed, "p1", edit).await;
    shows(bed, "p1", &["degraded_performance"]).await;
    ask(bed, "p1", Command::RemoveComponent { by: by(), component: "one".into() }).await;
    eventually("it forgets what touches nothing", || async {
        bed.bus.look::<StatusPage>("p1").await.unwrap().unwrap().0.incidents.is_empty()
    })
    .await;
    reactions.drain().await;
}

async fn what_was_merged_goes_on_where_it_went(bed: &Bed) {
    let reactions = bed.reactions().await;
    page(bed, "p1").await;
    component(bed, "p1", "pay", &["pay"]).await;
    component(bed, "p1", "find", &["find"]).await;
    incident(bed, "i1", Severity::Sev3, &["pay"]).await;
    incident(bed, "i2", Severity::Sev1, &["find"]).await;
    shows(bed, "p1", &["degraded_performance", "major_outage"]).await;
    let merge = commands::incidents::Merge { by: by(), incident: "i1".into(), into: "i2".into() };
    bed.bus.run(&ann(), &merge).await.unwrap();
    shows(bed, "p1", &["major_outage", "major_outage"]).await;
    // Linked when it was merged already.
    page(bed, "p2").await;
    component(bed, "p2", "pay", &["pay"]).await;
    shows(bed, "p2", &["major_outage"]).await;
    bed.bus.run(&ann(), &commands::incidents::Unmerge { by: by(), incident: "i1".into() }).await.unwrap();
    shows(bed, "p1", &["degraded_performance", "major_outage"]).await;
    shows(bed, "p2", &["degraded_performance"]).await;
    reactions.drain().await;
}

/// The control of the next one: what only repeats what it has heard.
struct Hearsay;

impl Procedure for Hearsay {
    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let severity = Severity::Sev1;
        let command = Command::NoteIncident { incident: "i1".into(), severity, service_ids: ["pay".into()].into() };
        unit.decide::<StatusPage>("p1", &command).await.map(drop)
    }
}

async fn doing_it_again_changes_nothing(bed: &Bed) {
    page(bed, "p1").await;
    component(bed, "p1", "pay", &["pay"]).await;
    incident(bed, "i1", Severity::Sev1, &["pay"]).await;
    bed.ask("i1", &Ask::Resolve { by: by(), resolution: None }).await;
    let follow = FollowIncidents { incidents: ["i1".into()].into(), pages: ["p1".into()].into() };
    let request = || commands::Request::new(commands::Actor::system(commands::ActorKind::Reaction, "test"));
    // Heard of late, it looks at what is, and there is nothing to tell.
    assert!(!bed.bus.run(&request(), &follow).await.unwrap().changed);
    assert!(bed.bus.run(&request(), &Hearsay).await.unwrap().changed);
    assert!(bed.bus.run(&request(), &follow).await.unwrap().changed);
    assert!(!bed.bus.run(&request(), &follow).await.unwrap().changed);
    // And nobody who has a role may tell it.
    let denied = bed.bus.run(&ann(), &Hearsay).await;
    assert!(matches!(denied, Err(CommandError::Denied(_))), "{denied:?}");
}

async fn a_grant_begins_and_ends_by_itself(bed: &Bed) {
    let reactions = bed.reactions().await;
    let time = |text: &str| text.parse::<Timestamp>().unwrap();
    let grant = partner_grant::Grant {
        by: by(),
        organisation: "Cobbler".to_owned(),
        people: BTreeSet::new(),
        scope: [("p1".into(), Extent::All)].into(),
        // Over long ago, and asked for before, so that both timers are due.
        from: time("2020-01-02T00:00:00Z"),
        until: time("2020-01-03T00:00:00Z"),
        reason: "a test".to_owned(),
        at: time("2020-01-01T00:00:00Z"),
    };
    let command = partner_grant::Command::Grant(Box::new(grant));
    bed.bus.create::<PartnerGrant>(&ann(), "g1", &command).await.unwrap();
    eventually("it ends", || async {
        let names: Vec<_> = bed.recorded("partner_grant", "g1").await.into_iter().map(|it| it.event_type).collect();
        names.last().is_some_and(|name| name == "partner_grant.expired")
    })
    .await;
    eventually("both timers are done", || async {
        let rows = bed.work().await;
        rows.len() == 2 && rows.iter().all(|row| row.state == WorkState::Done)
    })
    .await;
    reactions.drain().await;
}
