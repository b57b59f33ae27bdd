//! Incidents, command by command: what the table of states is too coarse to say.

use std::collections::BTreeSet;

use domain::Aggregate;
use domain::ids::UserId;
use domain::incident::{
    Changes, Command, Edited, Event, Incident, Link, Responder, ResponderRole, Severity, Source, Status, limits,
};
use jiff::Timestamp;
use serde_json::json;

use super::behaviour::{emits, emits_each_time, emits_nothing, faults_at, refuses};
use super::samples::{self, ALICE, BOB, CARL, time};

fn noon() -> Timestamp {
    time("2026-02-08T12:00:00Z")
}

fn one() -> Timestamp {
    time("2026-02-08T13:00:00Z")
}

fn two() -> Timestamp {
    time("2026-02-08T14:00:00Z")
}

fn open() -> Vec<Event> {
    vec![Event::Declared(samples::declared().into())]
}

fn and(mut events: Vec<Event>, more: impl IntoIterator<Item = Event>) -> Vec<Event> {
    events.extend(more);
    events
}

fn acknowledged(by: &str, number: u32, expires_at: Option<Timestamp>) -> Event {
    Event::Acknowledged { by: by.into(), number, expires_at }
}

#[test]
fn declaring_tells_everything_once() {
    let declare = Command::Declare(samples::declare().into());
    emits::<Incident>(&[], &declare, &open());
    refuses::<Incident>(&open(), &declare, "incident_exists");
}

#[test]
fn a_declaration_lists_every_fault() {
    let mut declare = samples::declare();
    declare.title = " ".to_owned();
    declare.summary = "a\0b".to_owned();
    declare.labels = [(String::new(), "x".repeat(300))].into();
    declare.service_ids = ["not an id".into()].into();
    declare.team_id = Some("team@example.com".into());
    declare.source = Source { kind: String::new(), reference: Some("x".repeat(201)) };
    declare.links = vec![
        Link { url: "javascript:alert(1)".to_owned(), title: None },
        Link { url: "https://me:secret@example.com".to_owned(), title: Some(String::new()) },
    ];
    declare.custom_fields = [("big".to_owned(), json!("x".repeat(40_000)))].into();
    declare.responders = [BOB, CARL]
        .map(|user| Responder { user: user.into(), role: ResponderRole::Commander })
        .into_iter()
        .chain([Responder { user: ALICE.into(), role: ResponderRole::Custom(String::new()) }])
        .collect();
    faults_at::<Incident>(
        &[],
        &Command::Declare(declare.into()),
        &[
            "/title",
            "/summary",
            "/labels/",
            "/labels/",
            "/service_ids/0",
            "/team_id",
            "/source/kind",
            "/source/reference",
            "/links/0/url",
            "/links/1/url",
            "/links/1/title",
            "/custom_fields",
            "/responders/0/role",
            "/responders",
        ],
    );
}

#[test]
fn everything_has_a_bound() {
    let many = |count: usize| (0..count).map(|n| format!("n{n}"));
    let edits = [
        ("/title", Changes { title: Some("x".repeat(201)), ..Changes::default() }),
        ("/summary", Changes { summary: Some("x".repeat(10_001)), ..Changes::default() }),
        ("/labels", Changes { labels: Some(many(51).map(|n| (n, String::new())).collect()), ..Changes::default() }),
        (
            "/service_ids",
            Changes { service_ids: Some(many(101).map(|n| n.as_str().into()).collect()), ..Changes::default() },
        ),
        ("/team_id", Changes { team_id: Some(Some("".into())), ..Changes::default() }),
        (
            "/links",
            Changes {
                links: Some(many(51).map(|n| Link { url: format!("https://e.com/{n}"), title: None }).collect()),
                ..Changes::default()
            },
        ),
        (
            "/links/0/url",
            Changes {
                links: Some(vec![Link { url: format!("https://e.com/{}", "x".repeat(2_000)), title: None }]),
                ..Changes::default()
            },
        ),
        (
            "/custom_fields",
            Changes { custom_fields: Some(many(51).map(|n| (n, json!(1))).collect()), ..Changes::default() },
        ),
        (
            "/custom_fields/n/0/0/0/0/0/0/0/0",
            Changes {
                custom_fields: Some([("n".to_owned(), json!([[[[[[[[[1]]]]]]]]]))].into()),
                ..Changes::default()
            },
        ),
        (
            "/custom_fields/n",
            Changes { custom_fields: Some([("n".to_owned(), json!("\0"))].into()), ..Changes::default() },
        ),
    ];
    for (pointer, changes) in edits {
        faults_at::<Incident>(&open(), &Command::Edit { by: ALICE.into(), changes: changes.into() }, &[pointer]);
    }
    let many_people: BTreeSet<UserId> = many(limits::PEOPLE + 1).map(|n| n.as_str().into()).collect();
    faults_at::<Incident>(&open(), &Command::Assign { by: ALICE.into(), to: many_people }, &["/to"]);
    faults_at::<Incident>(&open(), &Command::AddNote { by: ALICE.into(), text: "x".repeat(10_001) }, &["/text"]);
    faults_at::<Incident>(&open(), &Command::AddNote { by: ALICE.into(), text: "\n".to_owned() }, &["/text"]);
    let long = || Some("x".repeat(1_001));
    faults_at::<Incident>(&open(), &Command::Resolve { by: ALICE.into(), resolution: long() }, &["/resolution"]);
    faults_at::<Incident>(&open(), &Command::Reopen { by: ALICE.into(), reason: long() }, &["/reason"]);
    let role = || ResponderRole::Custom("x".repeat(41));
    let add = Command::AddResponder { by: ALICE.into(), user: "a b".into(), role: role() };
    faults_at::<Incident>(&open(), &add, &["/user", "/role"]);
    let remove = Command::RemoveResponder { by: ALICE.into(), user: "a b".into(), role: role() };
    faults_at::<Incident>(&open(), &remove, &["/user", "/role"]);
}

#[test]
fn who_acts_is_an_identifier_and_never_an_address() {
    faults_at::<Incident>(&open(), &Command::Unmerge { by: "alice@example.com".into() }, &["/by"]);
}

#[test]
fn acknowledging_again_adds_who_and_keeps_the_clock() {
    let first = Command::Acknowledge { by: ALICE.into(), expires_at: Some(one()) };
    emits::<Incident>(&open(), &first, &[acknowledged(ALICE, 1, Some(one()))]);

    let given = and(open(), [acknowledged(ALICE, 1, Some(one()))]);
    emits_nothing::<Incident>(&given, &Command::Acknowledge { by: ALICE.into(), expires_at: Some(two()) });
    let joins = Command::Acknowledge { by: BOB.into(), expires_at: Some(two()) };
    emits::<Incident>(&given, &joins, &[acknowledged(BOB, 1, Some(one()))]);

    let state = Incident::fold(&and(given, [acknowledged(BOB, 1, Some(one()))]));
    assert_eq!(state.acknowledgement.by, [ALICE.into(), BOB.into()].into());
    assert_eq!(state.acknowledgement.expires_at, Some(one()));
}

#[test]
fn an_acknowledgement_times_out_once_and_late_timers_are_stale() {
    let timer = |number, at| Command::TimeOutAcknowledgement { number, at };
    let given = and(open(), [acknowledged(ALICE, 1, Some(one()))]);
    refuses::<Incident>(&given, &timer(1, noon()), "not_due");
    let timed_out = Event::Unacknowledged { number: 1, by: None };
    emits::<Incident>(&given, &timer(1, one()), std::slice::from_ref(&timed_out));

    let again = and(given, [timed_out, acknowledged(BOB, 2, Some(two()))]);
    emits_nothing::<Incident>(&again, &timer(1, two()));
    emits::<Incident>(&again, &timer(2, two()), &[Event::Unacknowledged { number: 2, by: None }]);
    emits_nothing::<Incident>(&and(open(), [acknowledged(ALICE, 1, None)]), &timer(1, two()));
}

#[test]
fn unacknowledging_forgets_who() {
    let given = and(open(), [acknowledged(ALICE, 1, None)]);
    let by_hand = Event::Unacknowledged { number: 1, by: Some(BOB.into()) };
    emits::<Incident>(&given, &Command::Unacknowledge { by: BOB.into() }, std::slice::from_ref(&by_hand));
    let state = Incident::fold(&and(given, [by_hand]));
    assert!(state.acknowledgement.by.is_empty());
    assert_eq!((state.status, state.acknowledgement.number), (Status::Open, 1));
}

#[test]
fn a_snooze_holds_until_its_own_end() {
    let snooze = |until| Command::Snooze { by: BOB.into(), until, at: noon() };
    let snoozed = |number, until| Event::Snoozed { by: BOB.into(), number, until };
    faults_at::<Incident>(&open(), &snooze(noon()), &["/until"]);

    let given = and(open(), [acknowledged(ALICE, 1, Some(one()))]);
    emits::<Incident>(&given, &snooze(two()), &[snoozed(2, two())]);
    let asleep = and(given, [snoozed(2, two())]);
    assert_eq!(Incident::fold(&asleep).acknowledgement.by, [ALICE.into(), BOB.into()].into());
    // The timer of the acknowledgement before is stale.
    emits_nothing::<Incident>(&asleep, &Command::TimeOutAcknowledgement { number: 1, at: two() });
    refuses::<Incident>(&asleep, &Command::Wake { until: two(), at: one() }, "not_due");
    emits_nothing::<Incident>(&asleep, &Command::Wake { until: one(), at: two() });
    emits::<Incident>(&asleep, &Command::Wake { until: two(), at: two() }, &[Event::Woken { until: two() }]);

    let shortened = and(asleep, [snoozed(3, one())]);
    emits_nothing::<Incident>(&shortened, &Command::Wake { until: two(), at: two() });
    let resolved = and(shortened, [Event::Resolved { by: BOB.into(), resolution: None }]);
    emits_nothing::<Incident>(&resolved, &Command::Wake { until: one(), at: two() });
}

#[test]
fn assigning_replaces() {
    let assign = |to: &[&str]| Command::Assign { by: ALICE.into(), to: to.iter().copied().map(Into::into).collect() };
    let assigned = |to: &[&str]| Event::Assigned { by: ALICE.into(), to: to.iter().copied().map(Into::into).collect() };
    emits_nothing::<Incident>(&open(), &assign(&[]));
    emits::<Incident>(&open(), &assign(&[BOB, CARL]), &[assigned(&[BOB, CARL])]);
    emits::<Incident>(&and(open(), [assigned(&[BOB, CARL])]), &assign(&[]), &[assigned(&[])]);
}

#[test]
fn there_is_one_commander() {
    let add = |user: &str, role: ResponderRole| Command::AddResponder { by: ALICE.into(), user: user.into(), role };
    let added = |user: &str, role: ResponderRole| Event::ResponderAdded { by: ALICE.into(), user: user.into(), role };
    let given = and(open(), [added(BOB, ResponderRole::Commander)]);
    let relieved = Event::ResponderRemoved { by: ALICE.into(), user: BOB.into(), role: ResponderRole::Commander };
    emits::<Incident>(&given, &add(CARL, ResponderRole::Commander), &[relieved, added(CARL, ResponderRole::Commander)]);
    emits_nothing::<Incident>(&given, &add(BOB, ResponderRole::Commander));
    let custom = ResponderRole::Custom("customer liaison".to_owned());
    emits::<Incident>(&given, &add(BOB, custom.clone()), &[added(BOB, custom)]);
    emits::<Incident>(&given, &add(BOB, ResponderRole::Scribe), &[added(BOB, ResponderRole::Scribe)]);
}

#[test]
fn responders_come_and_go() {
    let remove = Command::RemoveResponder { by: ALICE.into(), user: CARL.into(), role: ResponderRole::Scribe };
    let removed = Event::ResponderRemoved { by: ALICE.into(), user: CARL.into(), role: ResponderRole::Scribe };
    emits::<Incident>(&open(), &remove, &[removed]);
    let other_role = Command::RemoveResponder { by: ALICE.into(), user: CARL.into(), role: ResponderRole::Responder };
    emits_nothing::<Incident>(&open(), &other_role);

    let mut crowd = samples::declared();
    crowd.responders = (0..limits::PEOPLE)
        .map(|n| Responder { user: format!("user:{n}").as_str().into(), role: ResponderRole::Responder })
        .collect();
    let add = Command::AddResponder { by: ALICE.into(), user: BOB.into(), role: ResponderRole::Responder };
    refuses::<Incident>(&[Event::Declared(crowd.into())], &add, "too_many_responders");
}

#[test]
fn severity_after_the_end_is_a_correction_with_a_reason() {
    let change = |severity, reason: Option<&str>| Command::ChangeSeverity {
        by: ALICE.into(),
        severity,
        reason: reason.map(str::to_owned),
    };
    let changed = |reason: Option<&str>, correction| Event::SeverityChanged {
        by: ALICE.into(),
        from: Severity::Sev2,
        to: Severity::Sev1,
        reason: reason.map(str::to_owned),
        correction,
    };
    emits::<Incident>(&open(), &change(Severity::Sev1, None), &[changed(None, false)]);
    emits_nothing::<Incident>(&open(), &change(Severity::Sev2, Some("the same")));
    let resolved = and(open(), [Event::Resolved { by: BOB.into(), resolution: None }]);
    faults_at::<Incident>(&resolved, &change(Severity::Sev1, Some("  ")), &["/reason"]);
    emits::<Incident>(&resolved, &change(Severity::Sev1, Some(" worse ")), &[changed(Some("worse"), true)]);
}

#[test]
fn other_tools_severities_are_aliases() {
    let read = |name: &str| name.parse::<Severity>();
    let names = ["critical", "error", "warning", "info", "none"];
    for ((name, own), severity) in names.into_iter().zip(["sev1", "sev2", "sev3", "sev4", "sev5"]).zip(Severity::ALL) {
        assert_eq!(read(name), Ok(severity));
        assert_eq!(read(own), Ok(severity));
        assert_eq!(read(&own.to_uppercase()), Ok(severity));
        assert_eq!(serde_json::from_value::<Severity>(json!(name)).unwrap(), severity);
        assert_eq!(serde_json::to_value(severity).unwrap(), own, "aliases are never written");
        assert_eq!(severity.as_str(), own);
    }
    assert!(read("sev6").is_err());
}

#[test]
fn an_edit_tells_only_what_it_changed() {
    let changes = Changes {
        title: Some(" Checkout is down ".to_owned()),
        summary: Some("All of it".to_owned()),
        labels: Some([("region".to_owned(), "eu".to_owned())].into()),
        service_ids: Some(BTreeSet::new()),
        team_id: Some(None),
        links: Some(vec![]),
        custom_fields: Some(std::collections::BTreeMap::new()),
    };
    let expected = Edited {
        summary: Some("All of it".to_owned()),
        service_ids: Some(BTreeSet::new()),
        team_id: Some(None),
        links: Some(vec![]),
        custom_fields: Some(std::collections::BTreeMap::new()),
        ..samples::edited(ALICE)
    };
    let edit = Command::Edit { by: ALICE.into(), changes: changes.into() };
    emits::<Incident>(&open(), &edit, &[Event::Edited(expected.into())]);
    emits_nothing::<Incident>(&open(), &Command::Edit { by: ALICE.into(), changes: Box::default() });
}

#[test]
fn a_team_taken_away_is_told_apart_from_a_team_not_touched() {
    let taken = Event::Edited(Edited { team_id: Some(None), ..samples::edited(ALICE) }.into());
    let stored = serde_json::to_value(&taken).unwrap();
    assert_eq!(stored, json!({"type": "incident.edited", "by": ALICE, "team_id": null}));
    assert_eq!(serde_json::from_value::<Event>(stored).unwrap(), taken);
    let untouched: Event = serde_json::from_value(json!({"type": "incident.edited", "by": ALICE})).unwrap();
    assert_eq!(untouched, Event::Edited(samples::edited(ALICE).into()));
}

#[test]
fn two_equal_notes_are_two_notes() {
    let note = Command::AddNote { by: BOB.into(), text: "again".to_owned() };
    let added = Event::NoteAdded { by: BOB.into(), text: "again".to_owned() };
    emits_each_time::<Incident>(&open(), &note, std::slice::from_ref(&added));
    emits_each_time::<Incident>(&and(open(), [added.clone()]), &note, &[added]);
}

#[test]
fn resolving_twice_tells_once_and_reopening_starts_afresh() {
    let resolve =
        |resolution: Option<&str>| Command::Resolve { by: BOB.into(), resolution: resolution.map(str::to_owned) };
    let given = and(open(), [acknowledged(ALICE, 1, Some(one()))]);
    let resolved = Event::Resolved { by: BOB.into(), resolution: Some("rolled back".to_owned()) };
    emits::<Incident>(&given, &resolve(Some("rolled back ")), std::slice::from_ref(&resolved));
    let over = and(given, [resolved]);
    emits_nothing::<Incident>(&over, &resolve(Some("something else")));
    emits_nothing::<Incident>(&over, &Command::TimeOutAcknowledgement { number: 1, at: two() });

    let reopened = Event::Reopened { by: ALICE.into(), reason: None };
    emits::<Incident>(&over, &Command::Reopen { by: ALICE.into(), reason: None }, std::slice::from_ref(&reopened));
    let back = and(over, [reopened]);
    let state = Incident::fold(&back);
    assert!(state.status == Status::Open && state.acknowledgement.by.is_empty());
    emits::<Incident>(&back, &Command::Acknowledge { by: BOB.into(), expires_at: None }, &[acknowledged(BOB, 2, None)]);
}

#[test]
fn a_merge_is_guarded_on_both_sides() {
    let merge = |this: &str, into: &str, into_merged| Command::MergeInto {
        by: BOB.into(),
        this: this.into(),
        into: into.into(),
        into_merged,
    };
    let merged = Event::MergedInto { by: BOB.into(), into: "incident:9".into() };
    emits::<Incident>(&open(), &merge("incident:7", "incident:9", false), std::slice::from_ref(&merged));
    faults_at::<Incident>(&open(), &merge("incident:7", "incident:7", false), &["/into"]);
    faults_at::<Incident>(&open(), &merge("incident:7", "no id", false), &["/into"]);
    refuses::<Incident>(&open(), &merge("incident:7", "incident:9", true), "target_merged");

    let absorb =
        |this: &str, incident: &str| Command::Absorb { by: BOB.into(), this: this.into(), incident: incident.into() };
    let absorbed = Event::Absorbed { by: BOB.into(), incident: "incident:7".into() };
    emits::<Incident>(&open(), &absorb("incident:9", "incident:7"), std::slice::from_ref(&absorbed));
    faults_at::<Incident>(&open(), &absorb("incident:9", "incident:9"), &["/incident"]);
    faults_at::<Incident>(&open(), &absorb("incident:9", ""), &["/incident"]);
    refuses::<Incident>(&and(open(), [merged.clone()]), &absorb("incident:7", "incident:6"), "merged");

    let unmerged = Event::Unmerged { by: ALICE.into(), from: "incident:9".into() };
    emits::<Incident>(&and(open(), [merged]), &Command::Unmerge { by: ALICE.into() }, &[unmerged]);
    let release = Command::Release { by: ALICE.into(), incident: "incident:7".into() };
    let released = Event::Released { by: ALICE.into(), incident: "incident:7".into() };
    emits::<Incident>(&and(open(), [absorbed]), &release, &[released]);
    emits_nothing::<Incident>(&open(), &release);
}

#[test]
fn a_merged_incident_says_where_work_goes_on() {
    let given = and(open(), [Event::MergedInto { by: BOB.into(), into: "incident:9".into() }]);
    let note = Command::AddNote { by: BOB.into(), text: "here?".to_owned() };
    let refusal = super::behaviour::when::<Incident>(&given, &note).unwrap_err();
    assert!(refusal.to_string().contains("incident:9"), "{refusal}");
}
