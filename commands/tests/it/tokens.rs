//! API tokens: a secret opens, its hash is all that is kept, and what it opens is decided anew each time.

use std::collections::BTreeSet;

use commands::tokens::{self, Wanted, look_up, mint};
use commands::{Actor, ActorKind, CommandError, Credential, Grant, Request, Role};
use domain::ids::UserId;
use jiff::Timestamp;

use crate::bed::{Bed, admin, on_both};
use crate::people::{enrolled, signed_in};

on_both!(
    a_token_opens_and_nothing_else_does,
    no_secret_is_kept,
    a_token_does_what_its_owner_may_and_no_more,
    nobody_makes_himself_a_second_admin,
);

const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

fn command_line() -> Request {
    Request::new(Actor::system(ActorKind::System, "command-line"))
}

async fn a_token_opens_and_nothing_else_does(bed: &Bed) {
    let wanted = Wanted {
        expires_at: Some(NOW + jiff::SignedDuration::from_hours(1)),
        ..Wanted::service("ci", Role::Responder)
    };
    let minted = mint(&bed.bus, &command_line(), wanted, NOW).await.unwrap();
    let (actor, read_only) = look_up(&bed.bus, &minted.secret, NOW).await.unwrap().expect("it was just made");
    assert_eq!(
        (actor.kind, actor.grants, read_only),
        (ActorKind::ApiToken, vec![Grant { role: Role::Responder, team: None }], false)
    );
    assert_eq!(actor.credential, Some(Credential::Token(minted.id.clone())));
    let secret = &minted.secret;
    for wrong in ["", "pf_", &secret[..secret.len() - 1], &format!("{secret}x"), &secret.to_uppercase()] {
        assert_eq!(look_up(&bed.bus, wrong, NOW).await.unwrap(), None, "{wrong}");
    }
    let later = NOW + jiff::SignedDuration::from_hours(1);
    assert_eq!(look_up(&bed.bus, secret, later).await.unwrap(), None, "it has expired");
    let node = bed.another_node().await;
    assert!(look_up(&node, secret, NOW).await.unwrap().is_some());
    tokens::revoke(&bed.bus, &admin("ann"), &minted.id, None).await.unwrap();
    assert_eq!(look_up(&node, secret, NOW).await.unwrap(), None, "revoked here is revoked there");
}

async fn no_secret_is_kept(bed: &Bed) {
    let minted = mint(&bed.bus, &command_line(), Wanted::service("ci", Role::Responder), NOW).await.unwrap();
    let kept = format!("{:?}", bed.bus.store().registers("api_token", "", 10).await.unwrap());
    assert!(kept.contains(&minted.id), "the control: this is where it would stand");
    assert!(!kept.contains(&minted.secret[3..]));
}

async fn a_token_does_what_its_owner_may_and_no_more(bed: &Bed) {
    let keys = bed.keys().await;
    let responder = Grant { role: Role::Responder, team: None };
    let ana =
        enrolled(bed, &keys, "ana@example.com", &[responder.clone(), Grant { role: Role::Auditor, team: None }]).await;
    let wanted = |grants: &[Grant]| Wanted {
        name: "laptop".to_owned(),
        owner: Some(UserId::new(&*ana)),
        grants: grants.iter().cloned().collect(),
        read_only: true,
        expires_at: None,
    };
    let request = || signed_in(&ana, std::slice::from_ref(&responder));
    let beyond = mint(&bed.bus, &request(), wanted(&[Grant { role: Role::PlatformAdmin, team: None }]), NOW).await;
    assert!(matches!(&beyond, Err(CommandError::Refused(refusal)) if refusal.code() == "beyond_owner"), "{beyond:?}");
    let minted = mint(&bed.bus, &request(), wanted(std::slice::from_ref(&responder)), NOW).await.unwrap();
    let (actor, read_only) = look_up(&bed.bus, &minted.secret, NOW).await.unwrap().unwrap();
    assert_eq!((actor.id.as_str(), actor.grants.len(), read_only), (ana.as_str(), 1, true));
    let take = domain::user::Command::RevokeRole { by: "ann".into(), grant: responder };
    bed.bus.run(&admin("ann"), &commands::users::Change { user: ana.clone(), command: take }).await.unwrap();
    let (actor, _) = look_up(&bed.bus, &minted.secret, NOW).await.unwrap().unwrap();
    assert_eq!(actor.grants, vec![], "what he has lost his token has lost");
    let out = domain::user::Command::Deactivate { by: "ann".into(), reason: None };
    bed.bus.run(&admin("ann"), &commands::users::Change { user: ana, command: out }).await.unwrap();
    assert_eq!(look_up(&bed.bus, &minted.secret, NOW).await.unwrap(), None);
}

async fn nobody_makes_himself_a_second_admin(bed: &Bed) {
    let wanted = || Wanted::service("ghost", Role::PlatformAdmin);
    let refused = mint(&bed.bus, &admin("ann"), wanted(), NOW).await;
    assert!(
        matches!(&refused, Err(CommandError::Refused(refusal)) if refusal.code() == "service_admin"),
        "{refused:?}"
    );
    assert!(bed.bus.store().registers("api_token", "", 10).await.unwrap().is_empty(), "and nothing is left of it");
    let reads = Wanted { grants: BTreeSet::from([Grant { role: Role::Auditor, team: None }]), ..wanted() };
    mint(&bed.bus, &admin("ann"), reads, NOW).await.unwrap();
    mint(&bed.bus, &command_line(), wanted(), NOW).await.unwrap();
}
