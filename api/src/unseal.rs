//! Data about people in an answer: opened on its way out, for whoever may see the document that holds it. What was erased
//! says so.

use commands::Keys;
use domain::sealed::Sealed;
use serde_json::Value;
use vault::VaultError;

use crate::problem::Problem;
use crate::resource::Resource;

/// What stands where somebody's data was.
const ERASED: &str = "erased";
/// And where it is, but cannot be read.
const UNREADABLE: &str = "unreadable";

/// The document with all its envelopes opened, if its kind holds any.
pub(crate) async fn text<R: Resource>(keys: &Keys, body: String) -> Result<String, Problem> {
    if !R::SEALED {
        return Ok(body);
    }
    let mut value: Value = serde_json::from_str(&body).map_err(|error| Problem::internal(&error))?;
    values(keys, std::slice::from_mut(&mut value)).await?;
    Ok(value.to_string())
}

/// Opens every envelope in these documents. An envelope's field is the name that it stands under.
pub(crate) async fn values(keys: &Keys, values: &mut [Value]) -> Result<(), Problem> {
    let mut found = Vec::new();
    for value in values.iter() {
        find(value, "", &mut found);
    }
    let asked: Vec<(&Sealed, &str)> = found.iter().map(|(sealed, field)| (sealed, field.as_str())).collect();
    let opened = keys.vault.unseal_all(&asked).await?;
    let mut opened = opened.into_iter().map(shown);
    for value in values {
        put(value, &mut opened);
    }
    Ok(())
}

fn shown(opened: Result<Option<String>, VaultError>) -> String {
    match opened {
        Ok(plain) => plain.unwrap_or_else(|| ERASED.to_owned()),
        // One that is damaged takes nothing from the others.
        Err(error) => {
            tracing::error!(%error, "an envelope does not open");
            UNREADABLE.to_owned()
        }
    }
}

fn envelope(value: &Value) -> Option<Sealed> {
    value.as_object().filter(|object| object.len() == 4 && object.contains_key("box"))?;
    serde_json::from_value(value.clone()).ok()
}

fn find(value: &Value, name: &str, found: &mut Vec<(Sealed, String)>) {
    if let Some(sealed) = envelope(value) {
        found.push((sealed, name.to_owned()));
        return;
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| find(item, name, found)),
        Value::Object(map) => map.iter().for_each(|(name, item)| find(item, name, found)),
        _ => {}
    }
}

/// In the order of `find`.
fn put(value: &mut Value, opened: &mut impl Iterator<Item = String>) {
    if envelope(value).is_some() {
        *value = Value::String(opened.next().unwrap_or_default());
        return;
    }
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| put(item, opened)),
        Value::Object(map) => map.iter_mut().for_each(|(_, item)| put(item, opened)),
        _ => {}
    }
}
