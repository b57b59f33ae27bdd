//! Given/when/then over cqrs-es's own `TestFramework`, and the rule that holds for every command: deciding twice
//! writes once.

use cqrs_es::test::TestFramework;
use domain::cqrs::Adapted;
use domain::{Aggregate, Refusal};

/// What `command` comes to after `given`.
pub(crate) fn when<A>(given: &[A::Event], command: &A::Command) -> Result<Vec<A::Event>, Refusal>
where
    A: Aggregate,
    A::Event: cqrs_es::DomainEvent,
{
    TestFramework::<Adapted<A>>::with(()).given(given.to_vec()).when(command.clone()).inspect_result()
}

/// `command` emits `expected`, and, once that has happened, nothing more.
#[track_caller]
pub(crate) fn emits<A>(given: &[A::Event], command: &A::Command, expected: &[A::Event])
where
    A: Aggregate,
    A::Event: cqrs_es::DomainEvent,
{
    emits_each_time::<A>(given, command, expected);
    let after: Vec<_> = given.iter().chain(expected).cloned().collect();
    let again = when::<A>(&after, command);
    assert!(again.as_ref().is_err() || again.as_ref().is_ok_and(Vec::is_empty), "decided twice: {again:?}");
}

/// `command` emits `expected`; told apart from its repetition only by its command id (a note).
#[track_caller]
pub(crate) fn emits_each_time<A>(given: &[A::Event], command: &A::Command, expected: &[A::Event])
where
    A: Aggregate,
    A::Event: cqrs_es::DomainEvent,
{
    TestFramework::<Adapted<A>>::with(())
        .given(given.to_vec())
        .when(command.clone())
        .then_expect_events(expected.to_vec());
}

#[track_caller]
pub(crate) fn emits_nothing<A>(given: &[A::Event], command: &A::Command)
where
    A: Aggregate,
    A::Event: cqrs_es::DomainEvent,
{
    emits::<A>(given, command, &[]);
}

#[track_caller]
pub(crate) fn refuses<A>(given: &[A::Event], command: &A::Command, code: &str)
where
    A: Aggregate,
    A::Event: cqrs_es::DomainEvent,
{
    match when::<A>(given, command) {
        Ok(events) => panic!("{command:?} was not refused: {events:?}"),
        Err(refusal) => assert_eq!(refusal.code(), code, "{command:?}: {refusal}"),
    }
}

/// Refused because of what was sent; `pointers` are where the faults are.
#[track_caller]
pub(crate) fn faults_at<A>(given: &[A::Event], command: &A::Command, pointers: &[&str])
where
    A: Aggregate,
    A::Event: cqrs_es::DomainEvent,
{
    match when::<A>(given, command) {
        Err(Refusal::Invalid(faults)) => {
            let found: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
            assert_eq!(found, pointers, "{faults:?}");
        }
        other => panic!("{command:?} is not invalid: {other:?}"),
    }
}
