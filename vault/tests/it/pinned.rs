//! What is stored today opens in ten years: a ring, wrapped keys and an envelope as they were first written.

use domain::sealed::Sealed;
use storage::registers::Register;
use vault::MasterKey;

use crate::bed::{Bed, on_both};

on_both!(what_was_stored_once_opens_for_ever);

const MASTER: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const RING: &str = r#"{"active":"KVUNxQ_5cio","canary":{"box":"ImNs9CcGWKeenW-ooDm_juojcB6qxXn2uedsQGUe7C4QcdWPOg","by":"KVUNxQ_5cio","nonce":"0D8LPsLbpuylAa1y"},"handed":{},"kept":{}}"#;
const SUBJECT: &str = r#"{"keys":{"1":{"box":"6vet90tozYTjg3isXhZ5l05c19ESgYXQ3YLYpLEmktBblwOkheTwLnXpu64YB2Sj","by":"KVUNxQ_5cio","nonce":"KeS3IYj6z93e8AwV"}}}"#;
const BLIND: &str = r#"{"keys":{"1":{"box":"CUByT1flQHMgUn0YaNgpLk731DDdS9q4rUVf--U4vT_w1rJND0zClwpy_paIojUZ","by":"KVUNxQ_5cio","nonce":"sUjGeINW93Bv6RVs"}}}"#;
const ENVELOPE: &str =
    r#"{"box":"rox9Rj7-LE8y2XZ_Y5xbuFGI-qTt2BF4WMQO-g","key":1,"nonce":"qkX28TTg61uBcTiM","subject":"ada"}"#;
const INDEX: &str = "Bi0ZXmIgGfTEmJW15Yl8HiV6NYO3oeWa1Bas8EWfItg";

async fn what_was_stored_once_opens_for_ever(bed: &Bed) {
    let rows = [("vault_masters", "ring", RING), ("vault_subject", "ada", SUBJECT), ("vault_blind", "index", BLIND)];
    for (kind, key, value) in rows {
        let revision = bed.store.register(kind, key).await.unwrap().map_or(0, |there| there.revision);
        let register = Register { key: key.to_owned(), value: value.to_owned(), revision };
        assert!(bed.store.set_register(kind, &register, None).await.unwrap());
    }
    let vault = bed.node_with(&MasterKey::from_base64(MASTER).unwrap()).await.unwrap();
    let sealed: Sealed = serde_json::from_str(ENVELOPE).unwrap();
    assert_eq!(vault.unseal(&sealed, "name").await.unwrap().as_deref(), Some("Ada Lovelace"));
    assert_eq!(vault.blind("email", "ada@example.org"), INDEX);
}
