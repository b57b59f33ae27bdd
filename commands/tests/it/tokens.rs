//! API tokens: a secret opens, its hash is all that is kept.

use commands::{Role, tokens};

use crate::bed::{Bed, on_both};

on_both!(a_token_opens_and_nothing_else_does, no_secret_is_kept);

async fn a_token_opens_and_nothing_else_does(bed: &Bed) {
    let store = bed.bus.store();
    assert!(!tokens::any(store).await.unwrap());
    let secret = tokens::create(store, "ci", Role::Responder).await.unwrap();
    assert!(tokens::any(store).await.unwrap());
    let token = tokens::look_up(store, &secret).await.unwrap().expect("it was just made");
    assert_eq!((token.name.as_str(), token.role), ("ci", Role::Responder));
    for wrong in ["", "pf_", &secret[..secret.len() - 1], &format!("{secret}x"), &secret.to_uppercase()] {
        assert_eq!(tokens::look_up(store, wrong).await.unwrap(), None, "{wrong}");
    }
}

async fn no_secret_is_kept(bed: &Bed) {
    let secret = tokens::create(bed.bus.store(), "ci", Role::Responder).await.unwrap();
    let kept = bed.bus.store().registers("api_token", "", 10).await.unwrap();
    let kept = format!("{kept:?}");
    assert!(kept.contains("ci"), "the control: this is where it would stand");
    assert!(!kept.contains(&secret[3..]));
}
