//! Partner grants and accesses, command by command; and when a grant is open.

use domain::Aggregate;
use domain::partner_access::{self, Batch, PartnerAccess, ROWS};
use domain::partner_grant::{Command, Event, Extent, Grant, PartnerGrant, Scope, Shut, Status, limits};
use jiff::Timestamp;

use super::behaviour::{emits, emits_nothing, faults_at, refuses};
use super::samples::{BOB, time};
use super::status_samples::{batch, evening, grant, granted, morning, noon, scope};

fn why() -> String {
    "because".to_owned()
}

fn pending() -> Vec<Event> {
    vec![Event::Granted(granted())]
}

fn and(mut events: Vec<Event>, more: impl IntoIterator<Item = Event>) -> Vec<Event> {
    events.extend(more);
    events
}

fn began() -> Event {
    Event::Activated { from: noon() }
}

fn active() -> Vec<Event> {
    and(pending(), [began()])
}

fn suspended() -> Vec<Event> {
    and(active(), [Event::Suspended { by: BOB.into(), reason: why() }])
}

fn expired() -> Vec<Event> {
    and(active(), [Event::Expired { until: evening() }])
}

fn revoked() -> Vec<Event> {
    and(active(), [Event::Revoked { by: BOB.into(), reason: why() }])
}

fn suspend() -> Command {
    Command::Suspend { by: BOB.into(), reason: why() }
}

fn resume(at: Timestamp) -> Command {
    Command::Resume { by: BOB.into(), reason: why(), at }
}

fn revoke() -> Command {
    Command::Revoke { by: BOB.into(), reason: why() }
}

fn renew(from: Timestamp, until: Timestamp, at: Timestamp) -> Command {
    Command::Renew { by: BOB.into(), from, until, reason: why(), at }
}

fn renewed(from: Timestamp, until: Timestamp) -> Event {
    Event::Renewed { by: BOB.into(), from, until, reason: why() }
}

fn change_scope(scope: Scope) -> Command {
    Command::ChangeScope { by: BOB.into(), scope, reason: why() }
}

fn next_year() -> Timestamp {
    time("2027-01-01T00:00:00Z")
}

#[test]
fn a_grant_is_pending_until_its_time_or_active_at_once() {
    let command = |at| Command::Grant(grant(at).into());
    emits::<PartnerGrant>(&[], &command(morning()), &pending());
    emits::<PartnerGrant>(&[], &command(noon()), &active());
    refuses::<PartnerGrant>(&pending(), &command(morning()), "partner_grant_exists");
    for other in [suspend(), resume(noon()), revoke(), change_scope(scope()), renew(noon(), evening(), noon())] {
        refuses::<PartnerGrant>(&[], &other, "partner_grant_missing");
    }
}

#[test]
fn a_grant_lists_every_fault() {
    let some = |ids: &[&str]| Extent::Components(ids.iter().copied().map(Into::into).collect());
    let wrong = Grant {
        by: "".into(),
        organisation: " ".to_owned(),
        people: ["ann@example.com".into()].into(),
        scope: [("a b".into(), Extent::All), ("p1".into(), some(&[])), ("p2".into(), some(&["ok", "x y"]))].into(),
        from: noon(),
        until: morning(),
        reason: String::new(),
        at: evening(),
    };
    let expected = [
        "/by",
        "/organisation",
        "/people/0",
        "/scope/a b",
        "/scope/p1/components",
        "/scope/p2/components/1",
        "/until",
        "/until",
        "/reason",
    ];
    faults_at::<PartnerGrant>(&[], &Command::Grant(wrong.into()), &expected);
    let nothing = Grant { scope: Scope::new(), ..grant(morning()) };
    faults_at::<PartnerGrant>(&[], &Command::Grant(nothing.into()), &["/scope"]);
    let many = (0..=limits::PAGES).map(|n| (format!("p{n}").as_str().into(), Extent::All)).collect();
    faults_at::<PartnerGrant>(&[], &Command::Grant(Grant { scope: many, ..grant(morning()) }.into()), &["/scope"]);
    let people = (0..=limits::PEOPLE).map(|n| format!("s{n}").as_str().into()).collect();
    faults_at::<PartnerGrant>(&[], &Command::Grant(Grant { people, ..grant(morning()) }.into()), &["/people"]);
    let for_ever = Grant { until: time("2126-01-01T00:00:00Z"), ..grant(morning()) };
    faults_at::<PartnerGrant>(&[], &Command::Grant(for_ever.into()), &["/until"]);
}

#[test]
fn who_it_is_for_may_change() {
    let edit = |organisation: Option<&str>, people: Option<&[&str]>| Command::Edit {
        by: BOB.into(),
        organisation: organisation.map(str::to_owned),
        people: people.map(|people| people.iter().copied().map(Into::into).collect()),
    };
    let expected = Event::Edited { by: BOB.into(), organisation: Some("Cobbler".to_owned()), people: None };
    emits::<PartnerGrant>(&active(), &edit(Some(" Cobbler "), Some(&["subject:1", "subject:2"])), &[expected]);
    emits_nothing::<PartnerGrant>(&active(), &edit(Some("Cobbler & Sons"), None));
    faults_at::<PartnerGrant>(&active(), &edit(Some(""), Some(&["a b"])), &["/organisation", "/people/0"]);
    refuses::<PartnerGrant>(&revoked(), &edit(None, None), "grant_revoked");
}

#[test]
fn the_scope_is_replaced_as_a_whole() {
    let less: Scope = [("page:2".into(), Extent::All)].into();
    let expected = Event::ScopeChanged { by: BOB.into(), scope: less.clone(), reason: why() };
    for before in [pending(), active(), suspended(), expired()] {
        emits::<PartnerGrant>(&before, &change_scope(less.clone()), std::slice::from_ref(&expected));
    }
    emits_nothing::<PartnerGrant>(&active(), &change_scope(scope()));
    refuses::<PartnerGrant>(&revoked(), &change_scope(less), "grant_revoked");
    let silent = Command::ChangeScope { by: BOB.into(), scope: Scope::new(), reason: " ".to_owned() };
    faults_at::<PartnerGrant>(&active(), &silent, &["/scope", "/reason"]);
}

#[test]
fn renewing_gives_a_new_time_box() {
    let (from, until) = (evening(), next_year());
    emits::<PartnerGrant>(&active(), &renew(from, until, noon()), &[renewed(from, until)]);
    assert_eq!(PartnerGrant::fold(&and(active(), [renewed(from, until)])).status, Status::Pending);
    let at_once = [renewed(from, until), Event::Activated { from }];
    emits::<PartnerGrant>(&expired(), &renew(from, until, evening()), &at_once);
    assert_eq!(PartnerGrant::fold(&and(expired(), at_once)).status, Status::Active);
    emits::<PartnerGrant>(&suspended(), &renew(from, until, evening()), &[renewed(from, until)]);
    assert_eq!(PartnerGrant::fold(&and(suspended(), [renewed(from, until)])).status, Status::Suspended);
    emits_nothing::<PartnerGrant>(&active(), &renew(noon(), evening(), noon()));
    refuses::<PartnerGrant>(&revoked(), &renew(from, until, noon()), "grant_revoked");
    faults_at::<PartnerGrant>(&active(), &renew(noon(), noon(), evening()), &["/until", "/until"]);
}

#[test]
fn suspending_and_resuming() {
    let stopped = Event::Suspended { by: BOB.into(), reason: why() };
    for before in [pending(), active()] {
        emits::<PartnerGrant>(&before, &suspend(), std::slice::from_ref(&stopped));
        emits_nothing::<PartnerGrant>(&before, &resume(noon()));
    }
    emits_nothing::<PartnerGrant>(&suspended(), &suspend());
    let again = Event::Resumed { by: BOB.into(), reason: why() };
    emits::<PartnerGrant>(&suspended(), &resume(noon()), &[again.clone(), began()]);
    emits::<PartnerGrant>(&suspended(), &resume(morning()), std::slice::from_ref(&again));
    assert_eq!(PartnerGrant::fold(&and(suspended(), [again])).status, Status::Pending);
    refuses::<PartnerGrant>(&suspended(), &resume(evening()), "grant_over");
    for command in [suspend(), resume(noon())] {
        refuses::<PartnerGrant>(&expired(), &command, "grant_over");
        refuses::<PartnerGrant>(&revoked(), &command, "grant_revoked");
    }
    let silent = Command::Suspend { by: BOB.into(), reason: String::new() };
    faults_at::<PartnerGrant>(&active(), &silent, &["/reason"]);
}

#[test]
fn revoking_is_for_good() {
    for before in [pending(), active(), suspended(), expired()] {
        emits::<PartnerGrant>(&before, &revoke(), &[Event::Revoked { by: BOB.into(), reason: why() }]);
    }
    emits_nothing::<PartnerGrant>(&revoked(), &revoke());
}

#[test]
fn timers_begin_and_end_it_or_find_themselves_stale() {
    let begin = |at| Command::Activate { from: noon(), at };
    let end = |at| Command::Expire { until: evening(), at };
    emits::<PartnerGrant>(&pending(), &begin(noon()), &[began()]);
    refuses::<PartnerGrant>(&pending(), &begin(morning()), "not_due");
    for before in [active(), suspended(), expired(), revoked()] {
        emits_nothing::<PartnerGrant>(&before, &begin(noon()));
    }
    for before in [pending(), active(), suspended()] {
        emits::<PartnerGrant>(&before, &end(evening()), &[Event::Expired { until: evening() }]);
        refuses::<PartnerGrant>(&before, &end(noon()), "not_due");
    }
    for before in [expired(), revoked()] {
        emits_nothing::<PartnerGrant>(&before, &end(evening()));
    }
    // Set for a time box that is no more.
    let later = and(active(), [renewed(evening(), next_year())]);
    emits_nothing::<PartnerGrant>(&later, &begin(noon()));
    emits_nothing::<PartnerGrant>(&later, &end(evening()));
}

#[test]
fn it_is_open_by_the_clock_and_not_by_its_timers() {
    let open = |events: &[Event], at| PartnerGrant::fold(events).open(at);
    let late = time("2026-02-08T18:00:00.000001Z");
    // No timer has fired, and it is open and shut in time.
    assert_eq!(open(&pending(), morning()), Err(Shut::Early));
    assert_eq!(open(&pending(), noon()), Ok(()));
    assert_eq!(open(&pending(), evening()), Err(Shut::Over));
    assert_eq!(open(&active(), noon()), Ok(()));
    assert_eq!(open(&active(), late), Err(Shut::Over));
    assert_eq!(open(&suspended(), noon()), Err(Shut::Suspended));
    assert_eq!(open(&revoked(), noon()), Err(Shut::Revoked));
    assert_eq!(open(&expired(), noon()), Err(Shut::Over));
    assert_eq!(open(&[], noon()), Err(Shut::Ungranted));
}

#[test]
fn every_change_raises_the_version() {
    for (count, event) in (1..).zip(super::status_samples::every_grant_event()) {
        let events: Vec<Event> = super::status_samples::every_grant_event().into_iter().take(count).collect();
        assert_eq!(PartnerGrant::fold(&events).version, count as u64, "{event:?}");
    }
}

#[test]
fn a_batch_of_accesses_is_recorded_once() {
    let record = |batch| partner_access::Command::Record(batch);
    let recorded = partner_access::Event::Recorded(batch());
    emits::<PartnerAccess>(&[], &record(batch()), std::slice::from_ref(&recorded));
    refuses::<PartnerAccess>(&[recorded], &record(batch()), "accesses_recorded");
    let wrong = Batch {
        count: ROWS + 1,
        sha256: "AB".repeat(32),
        grants: [("a b".into(), 1)].into(),
        first_at: evening(),
        last_at: noon(),
    };
    faults_at::<PartnerAccess>(&[], &record(wrong), &["/count", "/sha256", "/last_at", "/grants"]);
    faults_at::<PartnerAccess>(&[], &record(Batch { count: 4, ..batch() }), &["/count"]);
}
