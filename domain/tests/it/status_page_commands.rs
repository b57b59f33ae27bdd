//! Status pages, command by command.

use domain::Aggregate;
use domain::incident::Severity;
use domain::status_page::event::{ComponentAdded, ComponentEdited, Edited};
use domain::status_page::{
    AddComponent, Audience, Changes, Command, ComponentChanges, ComponentStatus, Create, Event, StatusPage, limits,
};
use domain::status_page_slug::{self as slug, StatusPageSlug};

use super::behaviour::{emits, emits_nothing, faults_at, refuses};
use super::samples::{ALICE, BOB};
use super::status_samples::{add, added, create, created, group, noted, page_edited};

/// A page with a group `money` of `cards` and `invoices`, and `search` beside it.
fn page() -> Vec<Event> {
    let parts = [
        group("money", 1),
        added("search", None, &["find"], 2),
        added("cards", Some("money"), &["pay", "bank"], 1),
        added("invoices", Some("money"), &["pay"], 2),
    ];
    [Event::Created(created())].into_iter().chain(parts.map(Event::ComponentAdded)).collect()
}

fn and(mut events: Vec<Event>, more: impl IntoIterator<Item = Event>) -> Vec<Event> {
    events.extend(more);
    events
}

fn removed(id: &str) -> Event {
    Event::ComponentRemoved { by: BOB.into(), component: id.into() }
}

fn set(id: &str, status: ComponentStatus) -> Event {
    Event::StatusSet { by: BOB.into(), component: id.into(), status, reason: None }
}

fn edit(changes: Changes) -> Command {
    Command::Edit { by: BOB.into(), changes: changes.into() }
}

fn edit_component(id: &str, changes: ComponentChanges) -> Command {
    Command::EditComponent { by: BOB.into(), component: id.into(), changes: changes.into() }
}

fn note(incident: &str, severity: Severity, services: &[&str]) -> Command {
    let service_ids = services.iter().copied().map(Into::into).collect();
    Command::NoteIncident { incident: incident.into(), severity, service_ids }
}

fn move_to(id: &str, group_id: Option<&str>, position: u32) -> Command {
    Command::MoveComponent { by: BOB.into(), component: id.into(), group_id: group_id.map(Into::into), position }
}

fn moved(id: &str, group_id: Option<&str>, position: u32) -> Event {
    Event::ComponentMoved { by: BOB.into(), component: id.into(), group_id: group_id.map(Into::into), position }
}

fn ids(events: &[Event]) -> Vec<String> {
    StatusPage::fold(events).components.iter().map(|component| component.id.to_string()).collect()
}

/// What the components show, in their order.
fn shown(events: &[Event]) -> Vec<&'static str> {
    let page = StatusPage::fold(events);
    page.components.iter().map(|component| page.status_of(component).as_str()).collect()
}

#[test]
fn a_page_is_created_once() {
    let command = Command::Create(create().into());
    emits::<StatusPage>(&[], &command, &[Event::Created(created())]);
    refuses::<StatusPage>(&page(), &command, "status_page_exists");
    for other in [edit(Changes::default()), Command::Archive { by: BOB.into(), reason: None }] {
        refuses::<StatusPage>(&[], &other, "status_page_missing");
    }
}

#[test]
fn a_creation_lists_every_fault() {
    let wrong = Create {
        by: "not an id".into(),
        slug: "-Shop".to_owned(),
        name: " ".to_owned(),
        description: "x".repeat(limits::DESCRIPTION_CHARACTERS + 1),
        time_zone: "Europe/Atlantis".to_owned(),
        audience: Audience::Public,
        team_id: Some("".into()),
    };
    let expected = ["/by", "/slug", "/name", "/description", "/time_zone", "/team_id"];
    faults_at::<StatusPage>(&[], &Command::Create(wrong.into()), &expected);
    for zone in ["europe/zurich", "", "+01:00"] {
        let wrong = Create { time_zone: zone.to_owned(), ..create() };
        faults_at::<StatusPage>(&[], &Command::Create(wrong.into()), &["/time_zone"]);
    }
    for good in ["a", "a-1", &"x".repeat(limits::SLUG_CHARACTERS)] {
        assert!(limits::is_slug(good), "{good}");
    }
    for bad in ["", "a-", "ä", "a.b", "A", &"x".repeat(limits::SLUG_CHARACTERS + 1)] {
        assert!(!limits::is_slug(bad), "{bad}");
    }
}

#[test]
fn an_edit_says_only_what_changed() {
    let changes = Changes {
        name: Some(" The shop ".to_owned()),
        audience: Some(Audience::Public),
        team_id: Some(None),
        ..Changes::default()
    };
    let expected = Edited { audience: Some(Audience::Public), team_id: Some(None), ..page_edited(BOB) };
    emits::<StatusPage>(&page(), &edit(changes), &[Event::Edited(expected)]);
    emits_nothing::<StatusPage>(&page(), &edit(Changes { slug: Some("shop".to_owned()), ..Changes::default() }));
    let wrong = Changes {
        slug: Some("A".to_owned()),
        name: Some(String::new()),
        description: Some("\0".to_owned()),
        time_zone: Some("Mars".to_owned()),
        audience: None,
        team_id: Some(Some("a b".into())),
    };
    faults_at::<StatusPage>(&page(), &edit(wrong), &["/slug", "/name", "/description", "/time_zone", "/team_id"]);
}

#[test]
fn a_component_is_added_behind_the_others_or_where_it_belongs() {
    let command = |position| {
        let add = AddComponent { position, ..add(added("new", Some("money"), &["x"], 0)) };
        Command::AddComponent(add.into())
    };
    let event = |position| Event::ComponentAdded(added("new", Some("money"), &["x"], position));
    emits::<StatusPage>(&page(), &command(None), &[event(3)]);
    emits::<StatusPage>(&page(), &command(Some(99)), &[event(3)]);
    emits::<StatusPage>(&page(), &command(Some(1)), &[event(1)]);
    assert_eq!(ids(&and(page(), [event(2)])), ["money", "search", "cards", "new", "invoices"]);
}

#[test]
fn an_id_is_never_used_again() {
    let again = Command::AddComponent(add(added("search", None, &[], 0)).into());
    refuses::<StatusPage>(&page(), &again, "component_exists");
    refuses::<StatusPage>(&and(page(), [removed("search")]), &again, "component_was_removed");
}

#[test]
fn what_is_wrong_with_a_component_is_said() {
    let wrong = AddComponent {
        id: "a b".into(),
        name: String::new(),
        description: "\0".to_owned(),
        group: true,
        group_id: Some("money".into()),
        service_ids: ["no id".into()].into(),
        position: Some(0),
        ..add(added("x", None, &[], 0))
    };
    let expected = ["/id", "/name", "/description", "/group_id", "/service_ids/0", "/service_ids", "/position"];
    faults_at::<StatusPage>(&page(), &Command::AddComponent(wrong.into()), &expected);
    let many = (0..=limits::SERVICES).map(|n| format!("s{n}").as_str().into()).collect();
    let many = ComponentChanges { service_ids: Some(many), ..ComponentChanges::default() };
    faults_at::<StatusPage>(&page(), &edit_component("cards", many), &["/service_ids"]);
    for nowhere in ["nobody", "search"] {
        let under = Command::AddComponent(add(added("x", Some(nowhere), &[], 0)).into());
        faults_at::<StatusPage>(&page(), &under, &["/group_id"]);
    }
}

#[test]
fn there_are_only_so_many_components() {
    let crowd = |count: usize| (0..count).map(|n| Event::ComponentAdded(added(&format!("c{n}"), None, &[], 1)));
    let one_more = Command::AddComponent(add(added("x", None, &[], 0)).into());
    let full = and(vec![Event::Created(created())], crowd(limits::COMPONENTS));
    refuses::<StatusPage>(&full, &one_more, "too_many_components");
    let gone = (0..limits::COMPONENTS_EVER).map(|n| removed(&format!("c{n}")));
    let worn_out = and(vec![Event::Created(created())], gone);
    refuses::<StatusPage>(&worn_out, &one_more, "too_many_components");
}

#[test]
fn a_component_is_edited() {
    let changes = ComponentChanges {
        name: Some(" Cards ".to_owned()),
        description: Some(String::new()),
        service_ids: Some(["bank".into()].into()),
        only_show_if_degraded: Some(true),
    };
    let expected = Event::ComponentEdited(ComponentEdited {
        by: BOB.into(),
        component: "cards".into(),
        name: Some("Cards".to_owned()),
        description: None,
        service_ids: Some(["bank".into()].into()),
        only_show_if_degraded: Some(true),
    });
    emits::<StatusPage>(&page(), &edit_component("cards", changes.clone()), &[expected]);
    refuses::<StatusPage>(&page(), &edit_component("nobody", changes.clone()), "component_missing");
    faults_at::<StatusPage>(&page(), &edit_component("money", changes), &["/service_ids"]);
    emits_nothing::<StatusPage>(&page(), &edit_component("cards", ComponentChanges::default()));
}

#[test]
fn components_are_moved_among_their_siblings_and_between_groups() {
    emits::<StatusPage>(&page(), &move_to("search", None, 1), &[moved("search", None, 1)]);
    assert_eq!(ids(&and(page(), [moved("search", None, 1)])), ["search", "money", "cards", "invoices"]);
    emits::<StatusPage>(&page(), &move_to("invoices", Some("money"), 1), &[moved("invoices", Some("money"), 1)]);
    emits::<StatusPage>(&page(), &move_to("search", Some("money"), 9), &[moved("search", Some("money"), 3)]);
    emits_nothing::<StatusPage>(&page(), &move_to("search", None, 2));
    emits_nothing::<StatusPage>(&page(), &move_to("search", None, 7));
    refuses::<StatusPage>(&page(), &move_to("nobody", None, 1), "component_missing");
    faults_at::<StatusPage>(&page(), &move_to("money", Some("money"), 1), &["/group_id"]);
    faults_at::<StatusPage>(&page(), &move_to("cards", Some("search"), 1), &["/group_id"]);
    faults_at::<StatusPage>(&page(), &move_to("cards", Some("a b"), 0), &["/group_id", "/position"]);
}

#[test]
fn only_an_empty_group_is_removed() {
    let remove = |id: &str| Command::RemoveComponent { by: BOB.into(), component: id.into() };
    emits::<StatusPage>(&page(), &remove("search"), &[removed("search")]);
    refuses::<StatusPage>(&page(), &remove("money"), "group_not_empty");
    let empty = and(page(), [removed("cards"), removed("invoices")]);
    emits::<StatusPage>(&empty, &remove("money"), &[removed("money")]);
    refuses::<StatusPage>(&page(), &remove("nobody"), "component_missing");
    faults_at::<StatusPage>(&page(), &remove(""), &["/component"]);
}

#[test]
fn a_status_is_set_by_hand_and_given_back() {
    let set_to = |id: &str, reason: Option<&str>| Command::SetStatus {
        by: BOB.into(),
        component: id.into(),
        status: ComponentStatus::MajorOutage,
        reason: reason.map(str::to_owned),
    };
    let release = |id: &str| Command::ReleaseStatus { by: BOB.into(), component: id.into() };
    emits::<StatusPage>(&page(), &set_to("search", Some(" ")), &[set("search", ComponentStatus::MajorOutage)]);
    let out = and(page(), [set("search", ComponentStatus::MajorOutage)]);
    emits_nothing::<StatusPage>(&out, &set_to("search", None));
    let released = Event::StatusReleased { by: BOB.into(), component: "search".into() };
    emits::<StatusPage>(&out, &release("search"), &[released]);
    emits_nothing::<StatusPage>(&page(), &release("search"));
    refuses::<StatusPage>(&page(), &set_to("money", None), "component_is_group");
    for nobody in [set_to("nobody", None), release("nobody")] {
        refuses::<StatusPage>(&page(), &nobody, "component_missing");
    }
    faults_at::<StatusPage>(&page(), &set_to("a b", Some(&"x".repeat(1_001))), &["/component", "/reason"]);
}

#[test]
fn incidents_are_noted_as_long_as_they_touch_something() {
    let first = noted("i1", Severity::Sev2, &["pay", "other"]);
    emits::<StatusPage>(&page(), &note("i1", Severity::Sev2, &["pay", "other"]), std::slice::from_ref(&first));
    emits_nothing::<StatusPage>(&page(), &note("i1", Severity::Sev1, &["other"]));
    let known = and(page(), [first]);
    emits::<StatusPage>(&known, &note("i1", Severity::Sev1, &["pay"]), &[noted("i1", Severity::Sev1, &["pay"])]);
    let cleared = Event::IncidentCleared { incident: "i1".into() };
    emits::<StatusPage>(&known, &note("i1", Severity::Sev2, &["other"]), std::slice::from_ref(&cleared));
    let clear = Command::ClearIncident { incident: "i1".into() };
    emits::<StatusPage>(&known, &clear, &[cleared]);
    emits_nothing::<StatusPage>(&page(), &clear);
    refuses::<StatusPage>(&[], &clear, "status_page_missing");
    faults_at::<StatusPage>(&page(), &note("a b", Severity::Sev1, &["c d"]), &["/incident", "/service_ids/0"]);
    let crowd = (0..limits::INCIDENTS).map(|n| noted(&format!("x{n}"), Severity::Sev5, &["pay"]));
    refuses::<StatusPage>(&and(page(), crowd), &note("i1", Severity::Sev1, &["pay"]), "too_many_incidents");
}

#[test]
fn a_component_shows_the_worst_unless_somebody_says_otherwise() {
    assert_eq!(shown(&page()), ["operational"; 4]);
    let events = and(page(), [noted("i1", Severity::Sev3, &["bank"])]);
    assert_eq!(shown(&events), ["degraded_performance", "operational", "degraded_performance", "operational"]);
    let events = and(events, [noted("i2", Severity::Sev1, &["pay"])]);
    assert_eq!(shown(&events), ["major_outage", "operational", "major_outage", "major_outage"]);
    let events = and(events, [set("cards", ComponentStatus::Operational)]);
    assert_eq!(shown(&events), ["major_outage", "operational", "operational", "major_outage"]);
    let events = and(events, [Event::IncidentCleared { incident: "i2".into() }]);
    assert_eq!(shown(&events), ["operational"; 4]);
    let events = and(events, [Event::StatusReleased { by: ALICE.into(), component: "cards".into() }]);
    assert_eq!(shown(&events)[2], "degraded_performance");
    for (severity, status) in Severity::ALL.into_iter().zip([
        "major_outage",
        "partial_outage",
        "degraded_performance",
        "operational",
        "operational",
    ]) {
        assert_eq!(ComponentStatus::under(severity).as_str(), status);
    }
}

#[test]
fn nothing_changes_on_an_archived_page() {
    let archive = Command::Archive { by: BOB.into(), reason: Some(" ".to_owned()) };
    let archived = Event::Archived { by: BOB.into(), reason: None };
    emits::<StatusPage>(&page(), &archive, std::slice::from_ref(&archived));
    let gone = and(page(), [noted("i1", Severity::Sev1, &["pay"]), archived]);
    for nothing in [archive, note("i2", Severity::Sev1, &["pay"]), Command::ClearIncident { incident: "i1".into() }] {
        emits_nothing::<StatusPage>(&gone, &nothing);
    }
    let others = [
        edit(Changes { name: Some("x".to_owned()), ..Changes::default() }),
        Command::AddComponent(add(added("x", None, &[], 0)).into()),
        edit_component("cards", ComponentChanges::default()),
        move_to("search", None, 1),
        Command::RemoveComponent { by: BOB.into(), component: "search".into() },
        Command::SetStatus {
            by: BOB.into(),
            component: "search".into(),
            status: ComponentStatus::Operational,
            reason: None,
        },
        Command::ReleaseStatus { by: BOB.into(), component: "search".into() },
    ];
    for other in others {
        refuses::<StatusPage>(&gone, &other, "status_page_archived");
    }
    let wordy = Command::Archive { by: BOB.into(), reason: Some("x".repeat(1_001)) };
    faults_at::<StatusPage>(&page(), &wordy, &["/reason"]);
}

#[test]
fn any_order_of_events_folds() {
    let moved_under_nobody = moved("cards", Some("nobody"), 0);
    let events = [
        removed("nobody"),
        moved("nobody", None, 3),
        set("nobody", ComponentStatus::Operational),
        Event::ComponentAdded(ComponentAdded { position: u32::MAX, ..added("cards", None, &[], 0) }),
        moved_under_nobody,
    ];
    assert_eq!(ids(&events), ["cards"]);
}

#[test]
fn a_slug_is_of_one_page_at_a_time() {
    let reserve = |page: &str| slug::Command::Reserve { slug: "shop".to_owned(), page: page.into() };
    let release = |page: &str| slug::Command::Release { page: page.into() };
    let reserved = slug::Event::Reserved { page: "p1".into() };
    let released = slug::Event::Released { page: "p1".into() };
    emits::<StatusPageSlug>(&[], &reserve("p1"), std::slice::from_ref(&reserved));
    refuses::<StatusPageSlug>(std::slice::from_ref(&reserved), &reserve("p2"), "slug_taken");
    emits_nothing::<StatusPageSlug>(std::slice::from_ref(&reserved), &release("p2"));
    emits_nothing::<StatusPageSlug>(&[], &release("p1"));
    emits::<StatusPageSlug>(std::slice::from_ref(&reserved), &release("p1"), std::slice::from_ref(&released));
    let free = [reserved, released];
    emits::<StatusPageSlug>(&free, &reserve("p2"), &[slug::Event::Reserved { page: "p2".into() }]);
    let wrong = slug::Command::Reserve { slug: "No".to_owned(), page: "".into() };
    faults_at::<StatusPageSlug>(&[], &wrong, &["/page", "/slug"]);
}
