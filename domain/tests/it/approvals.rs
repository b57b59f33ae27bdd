//! Approvals that the tests start from.

use domain::approval::event::Opened;
use domain::approval::{Eligible, Event, Subject, SubjectKind, Terms, Verdict, Vote, Voter};
use domain::roles::{Grant, Role};

use super::samples::{ALICE, BOB, CARL, time};

pub(crate) const HASH: &str = "5f2c1e";
pub(crate) const DUE: &str = "2026-01-02T00:00:00Z";

/// Of a runbook's third version, which Alice wrote.
pub(crate) fn terms(quorum: u32) -> Terms {
    Terms {
        subject: Subject {
            kind: SubjectKind::RunbookVersion,
            id: "runbook:1".to_owned(),
            version: 3,
            base_version: Some(2),
            content_hash: HASH.to_owned(),
            team_id: Some("team:storage".into()),
            title: Some("Fail over the database".to_owned()),
        },
        eligible: Eligible { roles: [Role::PlatformAdmin].into(), ..Eligible::default() },
        quorum,
        four_eyes: true,
        authors: [ALICE.into()].into(),
        expires_at: Some(time(DUE)),
    }
}

pub(crate) fn opened(terms: Terms) -> Event {
    Event::Opened(Box::new(Opened { by: ALICE.into(), terms }))
}

/// A platform admin, who is not the only one.
pub(crate) fn admin(by: &str) -> Voter {
    holding(by, Role::PlatformAdmin, None)
}

pub(crate) fn holding(by: &str, role: Role, team: Option<&str>) -> Voter {
    let grants = vec![Grant { role, team: team.map(Into::into) }];
    Voter { by: by.into(), standing_in_for: None, grants, another_platform_admin: true }
}

pub(crate) fn vote(by: &str, verdict: Verdict) -> Vote {
    Vote {
        by: by.into(),
        standing_in_for: None,
        verdict,
        reason: None,
        content_hash: HASH.to_owned(),
        self_approved: false,
    }
}

/// One event of every type: what a missing golden file is proposed from.
pub(crate) fn every_approval_event() -> Vec<Event> {
    let eligible = Eligible {
        roles: [Role::PlatformAdmin].into(),
        teams: ["team:storage".into()].into(),
        people: [BOB.into()].into(),
    };
    vec![
        opened(Terms { eligible, ..terms(2) }),
        Event::Voted(Vote {
            standing_in_for: Some(CARL.into()),
            reason: Some("tried it on staging".to_owned()),
            self_approved: true,
            ..vote(BOB, Verdict::Approve)
        }),
        Event::Approved { content_hash: HASH.to_owned(), self_approved: true },
        Event::Rejected { content_hash: HASH.to_owned() },
        Event::Withdrawn { by: ALICE.into(), reason: Some("the draft was edited".to_owned()) },
        Event::Expired { expires_at: time(DUE) },
    ]
}
