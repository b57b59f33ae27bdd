//! Random histories of approvals: as [`super::histories`], and what holds for every vote in them.

use std::cell::RefCell;
use std::collections::BTreeSet;

use domain::Aggregate;
use domain::approval::{Approval, Cast, Command, Eligible, Event, Status, Terms, Verdict, Voter};
use domain::ids::ActorId;
use domain::roles::{Grant, Role};
use proptest::prelude::*;
use proptest::sample::select;

use super::approvals::{HASH, opened, terms};
use super::histories::{Histogram, actor, due, play, runner, times, words};
use super::samples::{ALICE, BOB, CARL};

fn voter() -> impl Strategy<Value = Voter> {
    let hand = select(vec![ALICE, BOB, CARL, "user:dora", "user:emil"]);
    let of = proptest::option::weighted(0.35, actor::<ActorId>());
    let role = prop_oneof![8 => Just(Role::PlatformAdmin), 1 => Just(Role::Responder)];
    (hand, of, role, any::<bool>()).prop_map(|(by, standing_in_for, role, another_platform_admin)| Voter {
        by: by.into(),
        standing_in_for,
        grants: vec![Grant { role, team: None }],
        another_platform_admin,
    })
}

fn command() -> impl Strategy<Value = Command> {
    let verdict = prop_oneof![4 => Just(Verdict::Approve), 1 => Just(Verdict::Reject)];
    let hash = prop_oneof![6 => Just(HASH), 1 => Just("77aa")];
    let cast = (voter(), verdict, hash, proptest::option::weighted(0.8, words()), times()).prop_map(
        |(voter, verdict, content_hash, reason, at)| {
            Command::Vote(Cast { voter, verdict, content_hash: content_hash.to_owned(), reason, at }.into())
        },
    );
    prop_oneof![
        1 => (actor(), 1..4_u32)
            .prop_map(|(by, quorum)| Command::Open { by, terms: Terms { four_eyes: quorum < 3, ..terms(quorum) }.into() }),
        20 => cast,
        1 => (actor(), proptest::option::of(words())).prop_map(|(by, reason)| Command::Withdraw { by, reason }),
        2 => (due(), times()).prop_map(|(expires_at, at)| Command::Expire { expires_at, at }),
    ]
}

/// Nothing yet; opened for one, for several, for nobody who ever votes here, or without end.
fn start() -> impl Strategy<Value = Vec<Event>> {
    let eligible = Eligible { people: ["user:zoe".into()].into(), ..Eligible::default() };
    prop_oneof![
        1 => Just(vec![]),
        2 => Just(vec![opened(terms(1))]),
        6 => (2..6_u32).prop_map(|quorum| vec![opened(terms(quorum))]),
        1 => Just(vec![opened(Terms { eligible, ..terms(2) })]),
        2 => Just(vec![opened(Terms { expires_at: None, ..terms(4) })]),
    ]
}

/// Whatever was told: no person stands behind two votes, and only as many as the quorum approve.
fn holds(state: &Approval) {
    let Some(terms) = &state.terms else { return };
    let people: Vec<&ActorId> =
        state.votes.iter().flat_map(|vote| [Some(&vote.by), vote.standing_in_for.as_ref()]).flatten().collect();
    assert_eq!(people.iter().collect::<BTreeSet<_>>().len(), people.len(), "{state:?}");
    let approving = state.votes.iter().filter(|vote| vote.verdict == Verdict::Approve).count();
    assert_eq!(state.status == Status::Approved, approving == terms.quorum as usize, "{state:?}");
    assert_eq!(state.status == Status::Rejected, approving < state.votes.len(), "{state:?}");
    assert!(state.votes.iter().all(|vote| vote.content_hash == terms.subject.content_hash));
    let own = |who: &ActorId| terms.four_eyes && terms.authors.contains(who);
    for vote in state.votes.iter().filter(|vote| vote.verdict == Verdict::Approve) {
        let by_author = terms.authors.contains(&vote.by) || terms.authors.contains(vote.of());
        assert_eq!(vote.self_approved, by_author, "{vote:?}");
        assert!(vote.standing_in_for.is_none() || !own(&vote.by) && !own(vote.of()), "{vote:?}");
    }
}

#[test]
fn random_histories_of_approvals() {
    let histogram = RefCell::new(Histogram::default());
    let histories = (start(), proptest::collection::vec(command(), 1..9));
    runner(3_000)
        .run(&histories, |(start, commands)| {
            let mut state = Approval::fold(&start);
            for command in &commands {
                state.decide(command).unwrap_or_default().iter().for_each(|event| state.apply(event));
                holds(&state);
            }
            play::<Approval>(start, &commands, |_| false, &mut histogram.borrow_mut());
            Ok(())
        })
        .unwrap();
    histogram.borrow().assert_shares(
        4,
        &[
            "approval_exists",
            "approval_expired",
            "approval_missing",
            "approval_over",
            "content_changed",
            "four_eyes",
            "invalid",
            "not_due",
            "not_eligible",
            "voted_already",
        ],
    );
}
