//! Folding status pages, and what viewers are shown of them.

use std::collections::BTreeSet;

use domain::Aggregate;
use domain::ids::{ActorId, ComponentId};
use domain::incident::Severity;
use domain::partner_grant::Extent;
use domain::status_page::event::{ComponentAdded, ComponentEdited, Created, Event};
use domain::status_page::{Audience, ComponentStatus, StatusPage};
use serde_json::{Value, json};

use super::StatusPageDetail;
use crate::given::{at, stream};
use crate::status::{File, Overall, shown};
use crate::{Decoded, View};

fn ann() -> ActorId {
    ActorId::new("ann")
}

fn added(id: &str, group: bool, group_id: Option<&str>, services: &[&str]) -> Event {
    Event::ComponentAdded(ComponentAdded {
        by: ann(),
        component: id.into(),
        name: format!("name of {id}"),
        description: format!("about {id}"),
        group,
        group_id: group_id.map(Into::into),
        service_ids: services.iter().copied().map(Into::into).collect(),
        only_show_if_degraded: false,
        position: 99,
    })
}

fn noted(incident: &str, severity: Severity, services: &[&str]) -> Event {
    let service_ids = services.iter().copied().map(Into::into).collect();
    Event::IncidentNoted { incident: incident.into(), severity, service_ids }
}

fn set(id: &str, status: ComponentStatus) -> Event {
    Event::StatusSet { by: ann(), component: id.into(), status, reason: Some("why so".to_owned()) }
}

/// A group `money` of `cards` and `bills`, and `search` beside it.
fn then(after: impl IntoIterator<Item = Event>) -> StatusPageDetail {
    let created = Event::Created(Created {
        by: ann(),
        slug: "shop".to_owned(),
        name: "The shop".to_owned(),
        description: String::new(),
        time_zone: "Europe/Zurich".to_owned(),
        audience: Audience::Partners,
        team_id: None,
    });
    let parts = [
        added("money", true, None, &[]),
        added("cards", false, Some("money"), &["pay"]),
        added("search", false, None, &["find"]),
        added("bills", false, Some("money"), &["pay", "post"]),
    ];
    let events: Vec<Event> = [created].into_iter().chain(parts).chain(after).collect();
    let mut detail = StatusPageDetail::default();
    for event in stream::<StatusPage>("p1", &events) {
        let event = Decoded::new(event).unwrap();
        assert_eq!(StatusPageDetail::keys(&event), ["p1"]);
        detail.apply(&event);
    }
    let stored = serde_json::to_value(&detail).unwrap();
    assert_eq!(serde_json::from_value::<StatusPageDetail>(stored).unwrap(), detail);
    // What is shown is what the aggregate knows.
    let state = StatusPage::fold(&events);
    let known: Vec<_> = state.components.iter().map(|it| (it.clone(), state.status_of(it))).collect();
    let folded: Vec<_> = detail.components.iter().map(|it| (it.is.clone(), it.status)).collect();
    assert_eq!(folded, known);
    assert_eq!((&detail.slug, detail.archived.is_some()), (&state.slug, state.archived));
    detail
}

fn some(ids: &[&str]) -> Extent {
    Extent::Components(ids.iter().copied().map(ComponentId::from).collect())
}

fn file(page: &StatusPageDetail, extent: &Extent, file: File) -> Value {
    shown(page, extent, "https://status.example.com/shop").unwrap().file(file)
}

fn ids(components: &Value) -> Vec<&str> {
    components["components"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect()
}

#[test]
fn statuses_positions_and_times_follow() {
    let page = then([noted("i1", Severity::Sev2, &["post", "other"])]);
    let of = |id: &str| page.component(id).unwrap();
    assert_eq!(of("bills").status, ComponentStatus::PartialOutage);
    assert_eq!((of("money").status, of("money").updated_at), (ComponentStatus::PartialOutage, at(5)));
    assert_eq!((of("cards").status, of("cards").updated_at), (ComponentStatus::Operational, at(2)));
    assert_eq!(of("bills").incidents, ["i1".into()].into());
    let positions: Vec<u32> = page.components.iter().map(|component| component.position).collect();
    assert_eq!(positions, [1, 1, 2, 2]);
    assert_eq!((page.status.indicator.as_str(), page.edited_at), ("minor", at(0)));
    let changed = then([noted("i1", Severity::Sev2, &["post"]), noted("i1", Severity::Sev1, &["post"])]);
    assert_eq!(changed.incidents[&"i1".into()].since, at(5));
    let quiet = then([noted("i1", Severity::Sev2, &["post"]), Event::IncidentCleared { incident: "i1".into() }]);
    assert_eq!((quiet.status.indicator.as_str(), quiet.component("bills").unwrap().updated_at), ("none", at(6)));
}

#[test]
fn a_status_by_hand_says_by_whose() {
    let page = then([set("search", ComponentStatus::UnderMaintenance)]);
    let search = page.component("search").unwrap();
    assert_eq!(search.set.as_ref().map(|set| (&set.by, set.at)), Some((&ann(), at(5))));
    assert_eq!(page.status.indicator, "maintenance");
    let given_back = Event::StatusReleased { by: ann(), component: "search".into() };
    let page = then([set("search", ComponentStatus::UnderMaintenance), given_back]);
    assert_eq!((page.status.indicator.as_str(), &page.component("search").unwrap().set), ("none", &None));
}

#[test]
fn pages_are_found_by_what_reactions_look_for() {
    let page = then([noted("i1", Severity::Sev5, &["find"])]);
    for term in ["service:pay", "service:post", "incident:i1", "shop", "bills"] {
        assert!(page.terms().contains(&term.to_owned()), "{term}: {:?}", page.terms());
    }
    let gone = then([noted("i1", Severity::Sev5, &["find"]), Event::Archived { by: ann(), reason: None }]);
    assert!(!gone.terms().iter().any(|term| term.contains(':')), "{:?}", gone.terms());
}

#[test]
fn the_whole_is_worded_as_statuspage_does() {
    use ComponentStatus::UnderMaintenance as U;
    use ComponentStatus::{DegradedPerformance as D, MajorOutage as M, Operational as O, PartialOutage as P};
    let cases: [(&[ComponentStatus], &str, &str); 10] = [
        (&[], "none", "All Systems Operational"),
        (&[O, O], "none", "All Systems Operational"),
        (&[O, U], "maintenance", "Service Under Maintenance"),
        (&[O, D, U], "minor", "Partially Degraded Service"),
        (&[D, D], "minor", "Degraded System Service"),
        (&[P, O], "minor", "Minor Service Outage"),
        (&[P, P], "major", "Partial System Outage"),
        (&[M, O], "major", "Partial System Outage"),
        (&[M, P], "major", "Partial System Outage"),
        (&[M, M], "critical", "Major System Outage"),
    ];
    for (statuses, indicator, description) in cases {
        let overall = Overall::of(statuses.iter().copied());
        assert_eq!((overall.indicator.as_str(), overall.description.as_str()), (indicator, description));
    }
}

#[test]
fn files_have_exactly_the_fields_of_the_api() {
    let page = then([]);
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let summary = file(&page, &Extent::All, File::Summary);
    assert_eq!(keys(&summary), set(&["page", "components", "incidents", "scheduled_maintenances", "status"]));
    assert_eq!(keys(&summary["page"]), set(&["id", "name", "url", "time_zone", "updated_at"]));
    assert_eq!(summary["status"], json!({ "indicator": "none", "description": "All Systems Operational" }));
    let fields = [
        "id",
        "name",
        "status",
        "created_at",
        "updated_at",
        "position",
        "description",
        "showcase",
        "start_date",
        "group_id",
        "page_id",
        "group",
        "only_show_if_degraded",
    ];
    let (group, member) = (&summary["components"][0], &summary["components"][1]);
    assert_eq!(keys(member), set(&fields));
    assert_eq!(keys(group), set(&[&fields[..], &["components"]].concat()));
    assert_eq!(group["components"], json!(["cards", "bills"]));
    assert_eq!((&member["group_id"], &member["position"]), (&json!("money"), &json!(1)));
    assert_eq!(member["created_at"], "2023-11-14T22:13:22.000Z");
    for one in File::ALL {
        let value = file(&page, &Extent::All, one);
        assert_eq!(value["page"], summary["page"], "{one:?}");
        assert_eq!(File::named(one.path()), Some(one));
    }
    assert_eq!(File::named("summary"), None);
}

#[test]
fn a_viewer_sees_his_part_and_a_whole_that_is_made_of_it() {
    let page = then([noted("i1", Severity::Sev1, &["find"]), noted("i2", Severity::Sev3, &["post"])]);
    let seen = |extent: &Extent| file(&page, extent, File::Summary);
    assert_eq!(ids(&seen(&Extent::All)), ["money", "cards", "bills", "search"]);
    let money = seen(&some(&["money"]));
    assert_eq!(ids(&money), ["money", "cards", "bills"]);
    assert_eq!(money["status"]["description"], "Partially Degraded Service");
    let cards = seen(&some(&["cards", "removed-long-ago"]));
    assert_eq!(ids(&cards), ["cards"]);
    assert_eq!((&cards["components"][0]["group_id"], &cards["components"][0]["position"]), (&Value::Null, &json!(1)));
    assert_eq!(cards["status"]["indicator"], "none");
    // Nothing moved that he sees, so nothing did.
    assert_eq!(cards["page"]["updated_at"], "2023-11-14T22:13:22.000Z");
    assert_eq!(seen(&some(&["nothing"]))["components"], json!([]));
}

/// What stands in the house's own document and in no file: the control is that the document says all of it.
#[test]
fn nothing_internal_is_shown() {
    let page = then([noted("incident-77", Severity::Sev1, &["find"]), set("bills", ComponentStatus::MajorOutage)]);
    let internal = ["incident-77", "sev1", "why so", "\"ann\"", "\"pay\"", "\"find\"", "by_hand"];
    let document = serde_json::to_string(&page).unwrap();
    for word in internal {
        assert!(document.contains(word), "{word}");
        for one in File::ALL {
            assert!(!file(&page, &Extent::All, one).to_string().contains(word), "{word} in {one:?}");
        }
    }
}

/// Every scope there is, on every file: nothing is said of a component outside of it, nor does anything that is said
/// change with it. The control: with one component more, the difference is found.
#[test]
fn what_is_outside_of_a_scope_leaves_no_trace() {
    let all = ["money", "cards", "bills", "search"];
    let calm = then([]);
    let mut differences = 0;
    for chosen in 0..16_u32 {
        let ids: Vec<&str> =
            all.iter().enumerate().filter(|(n, _)| chosen & (1 << n) != 0).map(|(_, id)| *id).collect();
        let extent = some(&ids);
        let within = |id: &str| ids.contains(&id) || (id != "search" && id != "money" && ids.contains(&"money"));
        for hidden in all.into_iter().filter(|id| !within(id)) {
            let storm = then([set(if hidden == "money" { continue } else { hidden }, ComponentStatus::MajorOutage)]);
            for one in File::ALL {
                let (before, after) = (file(&calm, &extent, one), file(&storm, &extent, one));
                assert_eq!(before, after, "{hidden} shows in {one:?} of {ids:?}");
                assert!(!after.to_string().contains(&format!("name of {hidden}")), "{hidden} in {one:?} of {ids:?}");
                let wider = some(&[&ids[..], &[hidden]].concat());
                differences += usize::from(file(&storm, &wider, one) != before);
            }
        }
    }
    assert!(differences > 50, "the comparison sees nothing: {differences}");
}

#[test]
fn quiet_parts_are_shown_when_there_is_something_to_see() {
    let quiet = |id: &str| {
        Event::ComponentEdited(ComponentEdited {
            by: ann(),
            component: id.into(),
            name: None,
            description: None,
            service_ids: None,
            only_show_if_degraded: Some(true),
        })
    };
    let seen = |events: Vec<Event>| {
        let value = file(&then(events), &Extent::All, File::Components);
        ids(&value).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(seen(vec![quiet("search")]), ["money", "cards", "bills"]);
    assert_eq!(
        seen(vec![quiet("search"), noted("i", Severity::Sev3, &["find"])]),
        ["money", "cards", "bills", "search"]
    );
    assert_eq!(seen(vec![quiet("money")]), ["search"]);
    assert_eq!(seen(vec![quiet("money"), noted("i", Severity::Sev3, &["post"])]).len(), 4);
}

#[test]
fn an_archived_page_shows_nothing() {
    let gone = then([Event::Archived { by: ann(), reason: None }]);
    assert_eq!(shown(&gone, &Extent::All, "https://x"), None);
}
