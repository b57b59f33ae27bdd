//! Conflicts: decided again on what is there now, and never twice.

use std::sync::Arc;

use commands::CommandError;
use domain::Aggregate;

use crate::bed::{Bed, admin, on_both};
use crate::lamp::{Lamp, Switch};

on_both!(
    a_hot_stream_loses_nothing,
    two_nodes_take_turns,
    what_is_remembered_may_not_refuse,
    what_is_remembered_may_not_say_that_nothing_changes,
    if_match_does_not_retry,
    a_creation_that_is_none_is_decided_on_what_is_there,
    a_caller_who_goes_away_harms_nobody,
);

async fn a_hot_stream_loses_nothing(bed: &Bed) {
    let tasks: Vec<_> = (0..40)
        .map(|_| {
            let bus = bed.bus.clone();
            tokio::spawn(async move { bus.execute::<Lamp>(&admin("a"), "hot", &Switch::Toggle).await.unwrap() })
        })
        .collect();
    let mut versions = Vec::new();
    for task in tasks {
        versions.push(task.await.unwrap().version_of(Lamp::TYPE, "hot"));
    }
    versions.sort_unstable();
    assert_eq!(versions, (1..=40).collect::<Vec<_>>(), "each made a version of its own");
    let (lamp, version, _) = bed.bus.look::<Lamp>("hot").await.unwrap().unwrap();
    assert_eq!((lamp.switched, version, bed.events().await), (40, 40, 40));
}

async fn two_nodes_take_turns(bed: &Bed) {
    let other = bed.another_node().await;
    let tasks: Vec<_> = [&bed.bus, &other]
        .into_iter()
        .cloned()
        .map(|bus| {
            tokio::spawn(async move {
                for _ in 0..20 {
                    bus.execute::<Lamp>(&admin("a"), "shared", &Switch::Toggle).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    for bus in [&bed.bus, &other] {
        let (lamp, version, _) = bus.look::<Lamp>("shared").await.unwrap().unwrap();
        assert_eq!((lamp.switched, version), (40, 40));
    }
}

async fn what_is_remembered_may_not_refuse(bed: &Bed) {
    let other = bed.another_node().await;
    bed.bus.execute::<Lamp>(&admin("a"), "l", &Switch::On).await.unwrap();
    other.execute::<Lamp>(&admin("b"), "l", &Switch::Off).await.unwrap();
    // The first node remembers a lamp that is on.
    let outcome = bed.bus.execute::<Lamp>(&admin("a"), "l", &Switch::On).await.unwrap();
    assert_eq!(outcome.version_of(Lamp::TYPE, "l"), 3);
    // The control: what is true now is refused.
    let refused = bed.bus.execute::<Lamp>(&admin("a"), "l", &Switch::On).await;
    assert!(matches!(refused, Err(CommandError::Refused(refusal)) if refusal.code() == "lit"));
}

async fn what_is_remembered_may_not_say_that_nothing_changes(bed: &Bed) {
    let other = bed.another_node().await;
    bed.bus.execute::<Lamp>(&admin("a"), "l", &Switch::On).await.unwrap();
    bed.bus.execute::<Lamp>(&admin("a"), "l", &Switch::Off).await.unwrap();
    other.execute::<Lamp>(&admin("b"), "l", &Switch::On).await.unwrap();
    // The first node remembers a lamp that is off.
    let outcome = bed.bus.execute::<Lamp>(&admin("a"), "l", &Switch::Off).await.unwrap();
    assert!(outcome.changed);
    assert_eq!(outcome.position, 4);
    let again = bed.bus.execute::<Lamp>(&admin("a"), "l", &Switch::Off).await.unwrap();
    assert!(!again.changed, "deciding twice writes once");
    assert_eq!((again.position, again.version_of(Lamp::TYPE, "l")), (4, 4));
}

async fn if_match_does_not_retry(bed: &Bed) {
    let other = bed.another_node().await;
    bed.bus.execute::<Lamp>(&admin("a"), "l", &Switch::Toggle).await.unwrap();
    other.execute::<Lamp>(&admin("b"), "l", &Switch::Toggle).await.unwrap();
    let seen = |version| admin("a").if_match(Some(version));
    let moved = bed.bus.execute::<Lamp>(&seen(1), "l", &Switch::Toggle).await;
    assert!(matches!(moved, Err(CommandError::Moved { expected: 1, actual: 2 })), "{moved:?}");
    let ahead = bed.bus.execute::<Lamp>(&seen(9), "l", &Switch::Toggle).await;
    assert!(matches!(ahead, Err(CommandError::Moved { expected: 9, actual: 2 })), "{ahead:?}");
    // A version that this node has not seen yet, but that is the present one.
    let third = other.execute::<Lamp>(&admin("b"), "l", &Switch::Toggle).await.unwrap();
    let version = third.version_of(Lamp::TYPE, "l");
    bed.bus.execute::<Lamp>(&seen(version), "l", &Switch::Toggle).await.unwrap();
    // Of many with the same version, one gets through.
    let attempts: Vec<_> = (0..10)
        .map(|_| {
            let (bus, request) = (bed.bus.clone(), seen(4));
            tokio::spawn(async move { bus.execute::<Lamp>(&request, "l", &Switch::Toggle).await })
        })
        .collect();
    let mut through = 0;
    for attempt in attempts {
        through += usize::from(attempt.await.unwrap().is_ok());
    }
    assert_eq!(through, 1);
}

async fn a_creation_that_is_none_is_decided_on_what_is_there(bed: &Bed) {
    bed.bus.create::<Lamp>(&admin("a"), "l", &Switch::On).await.unwrap();
    let refused = bed.bus.create::<Lamp>(&admin("a"), "l", &Switch::On).await;
    assert!(matches!(refused, Err(CommandError::Refused(refusal)) if refusal.code() == "lit"));
    let outcome = bed.bus.create::<Lamp>(&admin("a"), "l", &Switch::Toggle).await.unwrap();
    assert_eq!(outcome.version_of(Lamp::TYPE, "l"), 2);
}

async fn a_caller_who_goes_away_harms_nobody(bed: &Bed) {
    let bed = Arc::new(bed.bus.clone());
    let tasks: Vec<_> = (0..200_u32)
        .map(|n| {
            let bus = bed.clone();
            tokio::spawn(async move { bus.execute::<Lamp>(&admin("a"), "l", &Switch::Toggle).await.map(|_| n) })
        })
        .collect();
    let mut stayed = 0;
    for (n, task) in tasks.into_iter().enumerate() {
        if n % 3 == 0 {
            task.abort();
        }
        match task.await {
            Ok(answer) => {
                answer.unwrap();
                stayed += 1;
            }
            Err(gone) => assert!(gone.is_cancelled()),
        }
    }
    // Whoever stayed is in the log; of those who left, each is there whole or not at all.
    let (lamp, version, _) = bed.look::<Lamp>("l").await.unwrap().unwrap();
    assert!((stayed..=200).contains(&lamp.switched), "{stayed} stayed, {} are there", lamp.switched);
    assert_eq!(u64::from(lamp.switched), version);
}
