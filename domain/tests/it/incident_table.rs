//! The whole table of `incident/decide.rs`: every command in every state.

use domain::Aggregate;
use domain::incident::{Changes, Command, Event, Incident, ResponderRole, Severity, Status};
use jiff::Timestamp;

use super::behaviour::{emits_nothing, refuses, when};
use super::samples::{self, ALICE, BOB, CARL, time};

/// What a cell of the table says.
#[derive(Debug, Clone, Copy)]
enum Cell {
    /// Emits these events and is in this state then.
    Goes(&'static [&'static str], Status),
    /// "nothing"
    Nothing,
    /// "–", with this code.
    Refused(&'static str),
}
use Cell::{Goes, Nothing, Refused};
use Status::{Acknowledged, Merged, Open, Resolved};

fn until() -> Timestamp {
    time("2026-03-01T08:00:00Z")
}

fn later() -> Timestamp {
    time("2026-03-02T08:00:00Z")
}

/// One history for each row. All have absorbed incident 8 before, so that there is something to release.
fn histories() -> [(Status, Vec<Event>); 4] {
    let open = vec![
        Event::Declared(samples::declared().into()),
        Event::Absorbed { by: ALICE.into(), incident: "incident:8".into() },
    ];
    let then = |event: Event| open.iter().cloned().chain([event]).collect::<Vec<_>>();
    [
        (Open, open.clone()),
        (Acknowledged, then(Event::Acknowledged { by: ALICE.into(), number: 1, expires_at: Some(until()) })),
        (Resolved, then(Event::Resolved { by: ALICE.into(), resolution: None })),
        (Merged, then(Event::MergedInto { by: ALICE.into(), into: "incident:9".into() })),
    ]
}

/// Each command with its cells for open, acknowledged, resolved, merged.
fn table() -> Vec<(Command, [Cell; 4])> {
    let by = || BOB.into();
    let ended = [Refused("resolved"), Refused("merged")];
    let active = |open: Cell, acknowledged: Cell| [open, acknowledged, ended[0], ended[1]];
    let same = |name: &'static [&'static str]| active(Goes(name, Open), Goes(name, Acknowledged));
    let everywhere_but_merged = |name: &'static [&'static str]| {
        [Goes(name, Open), Goes(name, Acknowledged), Goes(name, Resolved), Refused("merged")]
    };
    let edit = Changes { title: Some("Another title".to_owned()), ..Changes::default() };
    vec![
        (Command::Declare(samples::declare().into()), [Refused("incident_exists"); 4]),
        (
            Command::Acknowledge { by: by(), expires_at: None },
            same(&["incident.acknowledged"]).map(|cell| match cell {
                Goes(names, _) => Goes(names, Acknowledged),
                other => other,
            }),
        ),
        (Command::Unacknowledge { by: by() }, active(Nothing, Goes(&["incident.unacknowledged"], Open))),
        (
            Command::TimeOutAcknowledgement { number: 1, at: later() },
            [Nothing, Goes(&["incident.unacknowledged"], Open), Nothing, Nothing],
        ),
        (Command::Assign { by: by(), to: [BOB.into()].into() }, same(&["incident.assigned"])),
        (
            Command::AddResponder { by: by(), user: BOB.into(), role: ResponderRole::Commander },
            same(&["incident.responder_added"]),
        ),
        (
            Command::RemoveResponder { by: by(), user: CARL.into(), role: ResponderRole::Scribe },
            same(&["incident.responder_removed"]),
        ),
        (
            Command::ChangeSeverity { by: by(), severity: Severity::Sev1, reason: Some("worse".to_owned()) },
            everywhere_but_merged(&["incident.severity_changed"]),
        ),
        (Command::Edit { by: by(), changes: edit.into() }, everywhere_but_merged(&["incident.edited"])),
        (Command::AddNote { by: by(), text: "seen".to_owned() }, everywhere_but_merged(&["incident.note_added"])),
        (
            Command::Snooze { by: by(), until: later(), at: until() },
            active(Goes(&["incident.snoozed"], Acknowledged), Goes(&["incident.snoozed"], Acknowledged)),
        ),
        (Command::Wake { until: later(), at: later() }, [Nothing; 4]),
        (
            Command::Resolve { by: by(), resolution: None },
            [
                Goes(&["incident.resolved"], Resolved),
                Goes(&["incident.resolved"], Resolved),
                Nothing,
                Refused("merged"),
            ],
        ),
        (
            Command::Reopen { by: by(), reason: None },
            [Refused("not_resolved"), Refused("not_resolved"), Goes(&["incident.reopened"], Open), Refused("merged")],
        ),
        (
            Command::MergeInto { by: by(), this: "incident:7".into(), into: "incident:9".into(), into_merged: false },
            active(Goes(&["incident.merged_into"], Merged), Goes(&["incident.merged_into"], Merged)),
        ),
        (
            Command::Absorb { by: by(), this: "incident:7".into(), incident: "incident:6".into() },
            everywhere_but_merged(&["incident.absorbed"]),
        ),
        (
            Command::Unmerge { by: by() },
            [Refused("not_merged"), Refused("not_merged"), Refused("not_merged"), Goes(&["incident.unmerged"], Open)],
        ),
        (
            Command::Release { by: by(), incident: "incident:8".into() },
            [Open, Acknowledged, Resolved, Merged].map(|status| Goes(&["incident.released"], status)),
        ),
    ]
}

#[test]
fn every_command_does_in_every_state_what_the_table_says() {
    let mut cells = 0;
    for (command, row) in table() {
        for ((status, history), cell) in histories().into_iter().zip(row) {
            let before = Incident::fold(&history);
            assert_eq!(before.status, status);
            match cell {
                Nothing => emits_nothing::<Incident>(&history, &command),
                Refused(code) => refuses::<Incident>(&history, &command, code),
                Goes(names, then) => {
                    let events = when::<Incident>(&history, &command).unwrap_or_else(|refusal| {
                        panic!("{command:?} in {status:?}: {refusal}");
                    });
                    let found: Vec<_> = events.iter().map(domain::StoredEvent::name).collect();
                    assert_eq!(found, names, "{command:?} in {status:?}");
                    let after = Incident::fold(history.iter().chain(&events));
                    assert_eq!(after.status, then, "{command:?} in {status:?}");
                }
            }
            cells += 1;
        }
    }
    assert_eq!(cells, 18 * 4);
}

#[test]
fn an_incident_that_nobody_declared_takes_only_its_declaration() {
    for (command, _) in table() {
        if matches!(command, Command::Declare(_)) {
            assert!(when::<Incident>(&[], &command).is_ok());
        } else {
            refuses::<Incident>(&[], &command, "incident_missing");
        }
    }
}
