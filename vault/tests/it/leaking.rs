//! Nothing that was sealed stands anywhere in the database, in clear or as anything that gives it away.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use storage::registers::Register;

use crate::bed::{Bed, holds, on_both};

on_both!(what_is_sealed_is_nowhere_in_clear);

const HEX: &[u8; 16] = b"0123456789abcdef";
const NAME: &str = "Augusta Ada King";
const ADDRESS: &str = "ada.lovelace@analytical.example";

/// A text as somebody careless would have kept it.
fn traces(text: &str) -> Vec<String> {
    let digest = Sha256::digest(text.as_bytes());
    let hex = |bytes: &[u8]| {
        bytes
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .map(|n| char::from(HEX[usize::from(n)]))
            .collect::<String>()
    };
    vec![
        text.to_owned(),
        STANDARD_NO_PAD.encode(text),
        URL_SAFE_NO_PAD.encode(text),
        hex(text.as_bytes()),
        URL_SAFE_NO_PAD.encode(digest),
        STANDARD_NO_PAD.encode(digest),
        hex(&digest),
    ]
}

async fn what_is_sealed_is_nowhere_in_clear(bed: &Bed) {
    let name = bed.vault.seal("ada", "name", NAME).await.unwrap();
    let address = bed.vault.seal("ada", "email", ADDRESS).await.unwrap();
    let kept = serde_json::json!({ "name": name, "email": address }).to_string();
    let index = bed.vault.blind("email", ADDRESS);
    for (key, value) in [("envelope", kept), ("index", format!("\"{index}\""))] {
        let register = Register { key: key.to_owned(), value, revision: 0 };
        assert!(bed.store.set_register("people", &register, None).await.unwrap());
    }
    let everything = bed.everything().await;
    assert!(everything.contains(&index) && everything.contains(&name.sealed), "what was kept is looked through");
    let master = bed.master.to_base64();
    let traces: Vec<String> = [NAME, ADDRESS, &*master].into_iter().flat_map(traces).collect();
    let files = bed.files().await;
    for trace in &traces {
        assert!(!everything.contains(trace), "{trace}");
        assert!(files.as_ref().is_none_or(|files| !holds(files, trace)), "{trace}");
    }
    // Control: a leak put in on purpose is found, whichever it is.
    for (n, trace) in traces.iter().enumerate() {
        let register = Register { key: format!("leak {n}"), value: serde_json::json!(trace).to_string(), revision: 0 };
        assert!(bed.store.set_register("people", &register, None).await.unwrap());
    }
    let everything = bed.everything().await;
    let files = bed.files().await;
    for trace in &traces {
        assert!(everything.contains(trace), "{trace}");
        assert!(files.as_ref().is_none_or(|files| holds(files, trace)), "{trace}");
    }
}
