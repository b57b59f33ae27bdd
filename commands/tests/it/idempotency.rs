//! A request under a key happens once, whatever comes between its tries.

use commands::{CommandError, Request};
use domain::Aggregate;

use crate::bed::{Bed, admin, on_both};
use crate::lamp::{Lamp, Switch};

on_both!(
    fifty_at_once_make_one_thing,
    the_same_request_gets_the_same_answer,
    another_body_is_refused_whatever_it_asks_for,
    a_key_belongs_to_its_principal,
    a_refusal_is_not_replayed,
);

fn keyed(by: &str, key: &str, body: u8) -> Request {
    admin(by).keyed(key, [body; 32])
}

async fn fifty_at_once_make_one_thing(bed: &Bed) {
    let tasks: Vec<_> = (0..50)
        .map(|n| {
            let bus = bed.bus.clone();
            tokio::spawn(async move {
                let request = keyed("a", "once", 1);
                let neighbour = bus.execute::<Lamp>(&admin("b"), &format!("other-{n}"), &Switch::On).await;
                let id = request.command_id.to_string();
                (bus.create::<Lamp>(&request, &id, &Switch::On).await.unwrap(), neighbour.unwrap())
            })
        })
        .collect();
    let mut firsts = 0;
    let mut positions = std::collections::BTreeSet::new();
    for task in tasks {
        let (outcome, neighbour) = task.await.unwrap();
        firsts += u32::from(!outcome.replayed);
        positions.insert(outcome.position);
        assert!(!neighbour.replayed && neighbour.changed);
    }
    assert_eq!((firsts, positions.len()), (1, 1), "one thing, and everybody is told the same position");
    assert_eq!(bed.events().await, 51);
}

async fn the_same_request_gets_the_same_answer(bed: &Bed) {
    let first = bed.bus.execute::<Lamp>(&keyed("a", "k", 1), "l", &Switch::On).await.unwrap();
    bed.bus.execute::<Lamp>(&admin("a"), "l", &Switch::Off).await.unwrap();
    // By now the lamp is off: without the key this would switch it on again.
    let again = bed.bus.execute::<Lamp>(&keyed("a", "k", 1), "l", &Switch::On).await.unwrap();
    assert!(again.replayed && !first.replayed);
    assert_eq!((again.position, again.version_of(Lamp::TYPE, "l")), (1, 1));
    // Also from another node, and with a precondition that held then.
    let request = keyed("a", "k", 1).if_match(Some(0));
    let elsewhere = bed.another_node().await.execute::<Lamp>(&request, "l", &Switch::On).await.unwrap();
    assert_eq!((elsewhere.replayed, elsewhere.position), (true, 1));
    assert_eq!(bed.events().await, 2);
}

async fn another_body_is_refused_whatever_it_asks_for(bed: &Bed) {
    bed.bus.execute::<Lamp>(&keyed("a", "k", 1), "l", &Switch::On).await.unwrap();
    for (body, command) in [(2, Switch::On), (3, Switch::Off), (4, Switch::Toggle)] {
        let other = bed.bus.execute::<Lamp>(&keyed("a", "k", body), "l", &command).await;
        assert!(matches!(other, Err(CommandError::KeyReused)), "{other:?}");
    }
    assert_eq!(bed.events().await, 1);
}

async fn a_key_belongs_to_its_principal(bed: &Bed) {
    bed.bus.execute::<Lamp>(&keyed("a", "k", 1), "l", &Switch::Toggle).await.unwrap();
    let other = bed.bus.execute::<Lamp>(&keyed("b", "k", 1), "l", &Switch::Toggle).await.unwrap();
    assert!(!other.replayed);
    assert_eq!(bed.events().await, 2);
}

async fn a_refusal_is_not_replayed(bed: &Bed) {
    bed.bus.execute::<Lamp>(&admin("a"), "l", &Switch::On).await.unwrap();
    let refused = bed.bus.execute::<Lamp>(&keyed("a", "k", 1), "l", &Switch::On).await;
    assert!(matches!(refused, Err(CommandError::Refused(_))));
    bed.bus.execute::<Lamp>(&admin("a"), "l", &Switch::Off).await.unwrap();
    let now = bed.bus.execute::<Lamp>(&keyed("a", "k", 1), "l", &Switch::On).await.unwrap();
    assert!(now.changed && !now.replayed, "what was refused has not used the key up");
}
