//! Tokens that are ours are believed, for whom they are; no other one is, whatever it says about itself.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use vault::VaultError;
use vault::signing::{Expected, Refused, Signing, State, VerifyError};

use crate::bed::{Bed, on_both};

on_both!(
    a_token_is_good_on_every_node,
    what_does_not_fit_is_refused_by_name,
    a_token_does_not_say_how_it_is_verified,
    keys_follow_each_other_and_no_token_is_lost,
    a_revoked_key_is_refused_at_once,
    nodes_that_begin_at_once_have_the_same_key,
    a_token_has_a_short_life,
);

const NOW: i64 = 1_800_000_000;
const PARTNERS: Expected<'static> =
    Expected { issuer: "https://status.example", audience: "partners", typ: "partner+jwt" };

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(NOW + seconds).unwrap()
}

fn claims() -> Value {
    json!({ "iss": PARTNERS.issuer, "aud": PARTNERS.audience, "sub": "grant 7", "iat": NOW, "nbf": NOW, "exp": NOW + 600 })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

async fn open(bed: &Bed) -> Signing {
    Signing::open(&bed.vault, at(0)).await.unwrap()
}

async fn on_another_node(bed: &Bed) -> Signing {
    Signing::open(&bed.another_node().await, at(0)).await.unwrap()
}

async fn verdict(signing: &Signing, token: &str, now: Timestamp) -> Result<Value, Refused> {
    match signing.verify(token, &PARTNERS, now).await {
        Ok(claims) => Ok(claims),
        Err(VerifyError::Refused(why)) => Err(why),
        Err(VerifyError::Vault(error)) => panic!("{error}"),
    }
}

/// The token with another header, under the signature of the old one.
fn headed(token: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut parts = token.splitn(2, '.');
    let header = URL_SAFE_NO_PAD.decode(parts.next().unwrap()).unwrap();
    let mut header: Value = serde_json::from_slice(&header).unwrap();
    change(&mut header);
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), parts.next().unwrap())
}

async fn a_token_is_good_on_every_node(bed: &Bed) {
    let signing = open(bed).await;
    let token = signing.sign(PARTNERS.typ, &claims()).await.unwrap();
    for node in [&signing, &on_another_node(bed).await] {
        assert_eq!(verdict(node, &token, at(0)).await, Ok(claims()));
        assert_eq!(verdict(node, &token, at(629)).await, Ok(claims()), "clocks may be apart");
    }
    let jwks = signing.jwks().await.unwrap();
    let key = &jwks["keys"][0];
    assert_eq!(jwks["keys"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&key["kty"], &key["crv"], &key["alg"], &key["use"]),
        (&json!("OKP"), &json!("Ed25519"), &json!("EdDSA"), &json!("sig"))
    );
    assert_eq!(key.as_object().unwrap().len(), 6, "and nothing private: {key}");
    let header = jsonwebtoken::decode_header(&token).unwrap();
    assert_eq!(header.kid.as_deref(), key["kid"].as_str());
    // Whoever knows the key set alone can verify it.
    let published: jsonwebtoken::jwk::Jwk = serde_json::from_value(key.clone()).unwrap();
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::EdDSA);
    validation.set_audience(&[PARTNERS.audience]);
    validation.validate_exp = false;
    let published = jsonwebtoken::DecodingKey::from_jwk(&published).unwrap();
    assert_eq!(jsonwebtoken::decode::<Value>(&token, &published, &validation).unwrap().claims, claims());
}

async fn what_does_not_fit_is_refused_by_name(bed: &Bed) {
    let signing = open(bed).await;
    for (claims, now, why) in [
        (claims(), at(630), Refused::Expired),
        (claims(), at(-31), Refused::NotYet),
        (with("nbf", json!(NOW + 100)), at(0), Refused::NotYet),
        (with("nbf", json!("soon")), at(0), Refused::Claims),
        (with("iss", json!("https://elsewhere.example")), at(0), Refused::Issuer),
        (with("aud", json!("staff")), at(0), Refused::Audience),
        (with("aud", json!(["staff", "everybody"])), at(0), Refused::Audience),
        (with("aud", Value::Null), at(0), Refused::Claims),
        (with("sub", Value::Null), at(0), Refused::Claims),
        (with("iss", Value::Null), at(0), Refused::Claims),
    ] {
        let token = signing.sign(PARTNERS.typ, &claims).await.unwrap();
        assert_eq!(verdict(&signing, &token, now).await, Err(why), "{claims}");
    }
    let other = signing.sign("session+jwt", &claims()).await.unwrap();
    assert_eq!(verdict(&signing, &other, at(0)).await, Err(Refused::Type));
    for nonsense in ["", ".", "..", "a.b.c", "pf_abc", &"x".repeat(9_000), &format!("{}.", "é".repeat(99))] {
        assert_eq!(verdict(&signing, nonsense, at(0)).await, Err(Refused::Malformed), "{nonsense}");
    }
    let token = signing.sign(PARTNERS.typ, &claims()).await.unwrap();
    let mut parts: Vec<&str> = token.split('.').collect();
    let forged = URL_SAFE_NO_PAD.encode(with("sub", json!("grant 8")).to_string());
    parts[1] = &forged;
    assert_eq!(verdict(&signing, &parts.join("."), at(0)).await, Err(Refused::Signature));
    assert_eq!(verdict(&signing, &token, at(0)).await, Ok(claims()), "control");
}

async fn a_token_does_not_say_how_it_is_verified(bed: &Bed) {
    let signing = open(bed).await;
    let theirs = open(&Bed::sqlite().await).await;
    let forged = theirs.sign(PARTNERS.typ, &claims()).await.unwrap();
    assert_eq!(verdict(&signing, &forged, at(0)).await, Err(Refused::UnknownKey));
    let ours = signing.jwks().await.unwrap()["keys"][0].clone();
    let their_key = theirs.jwks().await.unwrap()["keys"][0].clone();
    let named_as_ours = headed(&forged, |header| header["kid"] = ours["kid"].clone());
    assert_eq!(verdict(&signing, &named_as_ours, at(0)).await, Err(Refused::Signature));
    for (name, value) in
        [("jwk", their_key), ("jku", json!("https://evil.example/jwks")), ("x5u", json!("https://evil.example/x5u"))]
    {
        let brought = headed(&forged, |header| {
            header["kid"] = ours["kid"].clone();
            header[name] = value;
        });
        assert_eq!(verdict(&signing, &brought, at(0)).await, Err(Refused::Signature), "{name} is not looked at");
    }
    let token = signing.sign(PARTNERS.typ, &claims()).await.unwrap();
    for (change, why) in [
        (json!({ "alg": "none" }), Refused::Malformed),
        (json!({ "alg": "HS256" }), Refused::Algorithm),
        (json!({ "alg": "ES256" }), Refused::Algorithm),
        (json!({ "crit": ["exp"] }), Refused::Malformed),
        (json!({ "kid": "" }), Refused::UnknownKey),
        (json!({ "kid": null }), Refused::UnknownKey),
        (json!({ "typ": "JWT" }), Refused::Type),
    ] {
        let changed = headed(&token, |header| {
            header.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        });
        assert_eq!(verdict(&signing, &changed, at(0)).await, Err(why), "{change}");
    }
    // The public key as the secret of an HMAC.
    let secret = URL_SAFE_NO_PAD.decode(ours["x"].as_str().unwrap()).unwrap();
    let head = json!({ "alg": "HS256", "typ": PARTNERS.typ, "kid": ours["kid"] }).to_string();
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(head), URL_SAFE_NO_PAD.encode(claims().to_string()));
    let mut mac = <hmac::Hmac<sha2::Sha256> as hmac::KeyInit>::new_from_slice(&secret).unwrap();
    hmac::Mac::update(&mut mac, signed.as_bytes());
    let confused = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(hmac::Mac::finalize(mac).into_bytes()));
    assert_eq!(verdict(&signing, &confused, at(0)).await, Err(Refused::Algorithm));
}

async fn keys_follow_each_other_and_no_token_is_lost(bed: &Bed) {
    let signing = open(bed).await;
    let hours = |hours: i64| at(hours * 3_600);
    let states = async || signing.keys().await.unwrap().iter().map(|key| key.state).collect::<Vec<_>>();
    let sign_at = async |hours: i64| {
        let iat = NOW + hours * 3_600;
        let mut claims = claims();
        (claims["iat"], claims["nbf"], claims["exp"]) = (json!(iat), json!(iat), json!(iat + 3_600));
        signing.sign(PARTNERS.typ, &claims).await.unwrap()
    };
    assert!(!signing.advance(hours(1)).await.unwrap(), "nothing is due");
    assert!(signing.rotate(hours(1)).await.unwrap());
    assert_eq!(states().await, [State::Active, State::Pending]);
    assert_eq!(signing.jwks().await.unwrap()["keys"].as_array().unwrap().len(), 2, "published before it is used");
    let old = sign_at(1).await;
    assert!(signing.advance(hours(2)).await.unwrap());
    assert_eq!(states().await, [State::Retiring, State::Active]);
    let new = sign_at(2).await;
    assert_ne!(jsonwebtoken::decode_header(&old).unwrap().kid, jsonwebtoken::decode_header(&new).unwrap().kid);
    let node = on_another_node(bed).await;
    for token in [&old, &new] {
        assert!(verdict(&node, token, hours(2)).await.is_ok());
    }
    assert!(signing.advance(hours(4)).await.unwrap());
    assert_eq!(states().await, [State::Active]);
    assert_eq!(verdict(&signing, &old, hours(1)).await, Err(Refused::UnknownKey));
    // The private half is gone with its last use.
    let kid = jsonwebtoken::decode_header(&old).unwrap().kid.unwrap();
    let left = bed.store.register("vault_signing", &kid).await.unwrap().unwrap().value;
    assert_eq!(left, r#"{"erased":true}"#);
}

async fn a_revoked_key_is_refused_at_once(bed: &Bed) {
    let signing = open(bed).await;
    let elsewhere = on_another_node(bed).await;
    let stolen = signing.sign(PARTNERS.typ, &claims()).await.unwrap();
    assert!(verdict(&elsewhere, &stolen, at(0)).await.is_ok());
    let kid = jsonwebtoken::decode_header(&stolen).unwrap().kid.unwrap();
    assert!(signing.revoke(&kid, at(1)).await.unwrap());
    assert!(!signing.revoke(&kid, at(1)).await.unwrap());
    assert_eq!(verdict(&signing, &stolen, at(1)).await, Err(Refused::UnknownKey));
    let next = signing.sign(PARTNERS.typ, &claims()).await.unwrap();
    assert!(verdict(&signing, &next, at(1)).await.is_ok(), "another one took over");
    testbed::eventually("the key is refused elsewhere", async || {
        verdict(&elsewhere, &stolen, at(1)).await == Err(Refused::UnknownKey)
    })
    .await;
    assert!(verdict(&elsewhere, &next, at(1)).await.is_ok());
    let theirs = elsewhere.sign(PARTNERS.typ, &claims()).await.unwrap();
    assert!(verdict(&signing, &theirs, at(1)).await.is_ok());
}

async fn nodes_that_begin_at_once_have_the_same_key(bed: &Bed) {
    let nodes = [bed.vault.clone(), bed.another_node().await, bed.another_node().await];
    let opened: Vec<Signing> =
        join_all(nodes.iter().map(|vault| Signing::open(vault, at(0)))).await.into_iter().map(Result::unwrap).collect();
    for signer in &opened {
        let token = signer.sign(PARTNERS.typ, &claims()).await.unwrap();
        for verifier in &opened {
            assert!(verdict(verifier, &token, at(0)).await.is_ok());
        }
    }
    assert_eq!(opened[0].keys().await.unwrap().len(), 1);
    let rotated = join_all(opened.iter().map(|node| node.rotate(at(0)))).await;
    assert_eq!(rotated.into_iter().filter(|done| *done.as_ref().unwrap()).count(), 1, "one of them did it");
    let later = at(0) + SignedDuration::from_hours(1);
    let advanced = join_all(opened.iter().map(|node| node.advance(later))).await;
    assert_eq!(advanced.into_iter().filter(|done| *done.as_ref().unwrap()).count(), 1);
}

async fn a_token_has_a_short_life(bed: &Bed) {
    let signing = open(bed).await;
    for claims in [
        with("exp", json!(NOW + 3_601)),
        with("exp", json!(NOW)),
        with("exp", json!(i64::MAX)),
        with("exp", Value::Null),
        with("iat", Value::Null),
        json!("no claims"),
    ] {
        let refused = signing.sign(PARTNERS.typ, &claims).await;
        assert!(matches!(&refused, Err(VaultError::OutOfBounds(text)) if text.contains("3600")), "{refused:?}");
    }
    assert!(signing.sign(PARTNERS.typ, &with("exp", json!(NOW + 3_600))).await.is_ok(), "control");
}
