//! Random histories of status pages and partner grants, by the rules and with the histogram of `histories.rs`.

use std::cell::RefCell;
use std::collections::BTreeSet;

use domain::ids::{ComponentId, IncidentId, ServiceId};
use domain::incident::Severity;
use domain::partner_grant::{self as grant, Extent, PartnerGrant, Scope};
use domain::status_page::{self as page, AddComponent, Changes, ComponentChanges, ComponentStatus, StatusPage};
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::select;

use super::histories::{Histogram, actor, play, runner};
use super::samples::BOB;
use super::status_samples::{add, added, create, created, evening, granted, group, morning, noon, noted};

fn component() -> impl Strategy<Value = ComponentId> {
    select(vec!["money", "search", "cards", "invoices", "mail"]).prop_map(ComponentId::from)
}

fn under() -> impl Strategy<Value = Option<ComponentId>> {
    prop_oneof![2 => Just(None), 2 => Just(Some("money".into())), 1 => Just(Some("search".into()))]
}

fn services() -> impl Strategy<Value = BTreeSet<ServiceId>> {
    proptest::collection::btree_set(select(vec!["pay", "find", "post", "a b"]).prop_map(ServiceId::from), 0..2)
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![9 => select(vec!["One", "Two"]).prop_map(str::to_owned), 1 => Just(String::new())]
}

fn incident() -> impl Strategy<Value = IncidentId> {
    select(vec!["i1", "i2"]).prop_map(IncidentId::from)
}

fn page_command() -> impl Strategy<Value = page::Command> {
    use page::Command as C;
    let severity = select(Severity::ALL.to_vec());
    let status = select(ComponentStatus::ALL.to_vec());
    prop_oneof![
        2 => name().prop_map(|name| C::Create(page::Create { name, ..create() }.into())),
        3 => (actor(), name())
            .prop_map(|(by, name)| C::Edit { by, changes: Changes { name: Some(name), ..Changes::default() }.into() }),
        12 => (component(), under(), services()).prop_map(|(id, group_id, service_ids)| {
            let group = id.as_str() == "money";
            let group_id = group_id.filter(|_| !group);
            let service_ids = if group { BTreeSet::new() } else { service_ids };
            C::AddComponent(AddComponent { id, group, group_id, service_ids, ..add(added("x", None, &[], 0)) }.into())
        }),
        4 => (actor(), component(), services()).prop_map(|(by, component, services)| {
            let changes = ComponentChanges { service_ids: Some(services), ..ComponentChanges::default() };
            C::EditComponent { by, component, changes: changes.into() }
        }),
        5 => (actor(), component(), under(), 1..4_u32)
            .prop_map(|(by, component, group_id, position)| C::MoveComponent { by, component, group_id, position }),
        9 => (actor(), prop_oneof![3 => component(), 1 => Just(ComponentId::from("money"))])
            .prop_map(|(by, component)| C::RemoveComponent { by, component }),
        8 => (actor(), prop_oneof![2 => component(), 1 => Just(ComponentId::from("money"))], status)
            .prop_map(|(by, component, status)| C::SetStatus { by, component, status, reason: None }),
        3 => (actor(), component()).prop_map(|(by, component)| C::ReleaseStatus { by, component }),
        6 => (incident(), severity, services())
            .prop_map(|(incident, severity, service_ids)| C::NoteIncident { incident, severity, service_ids }),
        5 => incident().prop_map(|incident| {
            let (severity, service_ids) = (Severity::Sev1, ["pay".into(), "find".into()].into());
            C::NoteIncident { incident, severity, service_ids }
        }),
        3 => incident().prop_map(|incident| C::ClearIncident { incident }),
        2 => actor().prop_map(|by| C::Archive { by, reason: None }),
    ]
}

/// Nothing; a page; one with components; one that has lost one; one with as many components, and one with as many incidents, as there may be.
fn page_start() -> impl Strategy<Value = Vec<page::Event>> {
    use page::Event as E;
    let empty = vec![E::Created(created())];
    let then = |more: Vec<page::Event>| empty.iter().cloned().chain(more).collect::<Vec<_>>();
    let parts = vec![
        E::ComponentAdded(group("money", 1)),
        E::ComponentAdded(added("search", None, &["find"], 2)),
        E::ComponentAdded(added("cards", Some("money"), &["pay"], 1)),
    ];
    let gone = E::ComponentRemoved { by: BOB.into(), component: "search".into() };
    let worn: Vec<_> = then(parts.clone()).into_iter().chain([gone]).collect();
    let crowd = (1..page::limits::COMPONENTS).map(|n| E::ComponentAdded(added(&format!("c{n}"), None, &["pay"], 1)));
    let crowd = std::iter::once(E::ComponentAdded(group("money", 1))).chain(crowd);
    let storm = (0..page::limits::INCIDENTS).map(|n| noted(&format!("x{n}"), Severity::Sev5, &["pay", "find", "post"]));
    let storm: Vec<_> = then(parts.clone()).into_iter().chain(storm).collect();
    prop_oneof![
        2 => Just(vec![]),
        2 => Just(empty.clone()),
        5 => Just(then(parts)),
        10 => Just(worn),
        6 => Just(then(crowd.collect())),
        10 => Just(storm),
    ]
}

#[test]
fn random_histories_of_status_pages() {
    let histogram = RefCell::new(Histogram::default());
    let histories = (page_start(), proptest::collection::vec(page_command(), 1..20));
    runner(400)
        .run(&histories, |(start, commands)| {
            play::<StatusPage>(start, &commands, |_| false, &mut histogram.borrow_mut());
            Ok(())
        })
        .unwrap();
    histogram.borrow().assert_shares(
        11,
        &[
            "component_exists",
            "component_is_group",
            "component_missing",
            "component_was_removed",
            "group_not_empty",
            "invalid",
            "status_page_archived",
            "status_page_exists",
            "status_page_missing",
            "too_many_components",
            "too_many_incidents",
        ],
    );
}

/// Time boxes begin and end at one of these, and commands come at one of them.
fn moments() -> impl Strategy<Value = Timestamp> {
    select(vec![morning(), noon(), evening()])
}

fn scopes() -> impl Strategy<Value = Scope> {
    let some = Extent::Components(["cards".into()].into());
    select(vec![
        Scope::new(),
        [("p1".into(), Extent::All)].into(),
        [("p1".into(), some.clone())].into(),
        [("p1".into(), some), ("p2".into(), Extent::All)].into(),
    ])
}

fn grant_command() -> impl Strategy<Value = grant::Command> {
    use grant::Command as C;
    let why = || select(vec!["because", "because", "because", ""]).prop_map(str::to_owned);
    prop_oneof![
        3 => (moments(), name()).prop_map(|(at, organisation)| {
            C::Grant(grant::Grant { organisation, ..super::status_samples::grant(at) }.into())
        }),
        2 => (actor(), name())
            .prop_map(|(by, organisation)| C::Edit { by, organisation: Some(organisation), people: None }),
        2 => (actor(), scopes(), why()).prop_map(|(by, scope, reason)| C::ChangeScope { by, scope, reason }),
        5 => (actor(), select(vec![morning(), noon()]), why(), moments())
            .prop_map(|(by, from, reason, at)| C::Renew { by, from, until: evening(), reason, at }),
        4 => (actor(), why()).prop_map(|(by, reason)| C::Suspend { by, reason }),
        6 => (actor(), why(), moments()).prop_map(|(by, reason, at)| C::Resume { by, reason, at }),
        1 => (actor(), why()).prop_map(|(by, reason)| C::Revoke { by, reason }),
        4 => (select(vec![morning(), noon()]), moments()).prop_map(|(from, at)| C::Activate { from, at }),
        5 => moments().prop_map(|at| C::Expire { until: evening(), at }),
    ]
}

fn grant_start() -> impl Strategy<Value = Vec<grant::Event>> {
    use grant::Event as E;
    let pending = vec![E::Granted(granted())];
    let suspended = E::Suspended { by: BOB.into(), reason: "because".to_owned() };
    let active: Vec<_> = pending.iter().cloned().chain([E::Activated { from: noon() }]).collect();
    let suspended: Vec<_> = active.iter().cloned().chain([suspended]).collect();
    prop_oneof![1 => Just(vec![]), 3 => Just(pending), 2 => Just(active), 2 => Just(suspended)]
}

#[test]
fn random_histories_of_partner_grants() {
    let histogram = RefCell::new(Histogram::default());
    let histories = (grant_start(), proptest::collection::vec(grant_command(), 1..15));
    runner(1_000)
        .run(&histories, |(start, commands)| {
            play::<PartnerGrant>(start, &commands, |_| false, &mut histogram.borrow_mut());
            Ok(())
        })
        .unwrap();
    histogram.borrow().assert_shares(
        9,
        &["grant_over", "grant_revoked", "invalid", "not_due", "partner_grant_exists", "partner_grant_missing"],
    );
}
