//! Pages of lists: a cursor says behind which document the next page begins, so that it stays true while others move.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use storage::StorageError;
use storage::documents::{Found, Kind, Query, Sort, Stored, Value};

use crate::{ReadError, View, Views};

/// Bytes of documents on one page, unless a single one is larger.
const BYTES: usize = 8 << 20;

/// Documents that are looked at in one go for a page of those that somebody wants, and for the whole page: beyond them it
/// ends early, with a cursor.
const AT_ONCE: usize = 256;
const LOOKED_AT: usize = 2_048;

/// A page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// As they are stored.
    pub items: Vec<Stored>,
    pub next: Option<Cursor>,
    /// The page holds everything up to here.
    pub position: u64,
}

/// Behind a document, in the order of one sort of one view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    view: String,
    sort: Option<String>,
    descending: bool,
    value: Value,
    key: String,
}

impl Cursor {
    /// Reads what `to_string` wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (view, sort, descending, value, key): (String, Option<String>, bool, serde_json::Value, String) =
            serde_json::from_slice(&bytes).ok()?;
        let value = match value {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::String(text) => Value::Text(text),
            serde_json::Value::Number(number) => Value::Integer(number.as_i64()?),
            _ => return None,
        };
        // No key and no column holds it, and PostgreSQL refuses to be asked.
        let sound = |text: &str| !text.contains('\0');
        let sound = sound(&key) && !matches!(&value, Value::Text(text) if !sound(text));
        sound.then_some(Self { view, sort, descending, value, key })
    }

    /// Whether it is of a list of this view in this order. Whoever made it up may have got the value wrong as well.
    fn is_of<V: View>(&self, sort: Sort) -> bool {
        let column = V::COLUMNS.iter().find(|column| Some(column.name) == sort.column);
        let fits = match (column.map(|column| column.kind), &self.value) {
            (None, Value::Null) | (Some(Kind::Text), Value::Text(_)) | (Some(Kind::Integer), Value::Integer(_)) => true,
            (None | Some(_), _) => false,
        };
        fits && self.view == V::NAME && self.sort.as_deref() == sort.column && self.descending == sort.descending
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value = match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Text(text) => text.as_str().into(),
            Value::Integer(number) => (*number).into(),
        };
        let json = serde_json::json!([self.view, self.sort, self.descending, value, self.key]);
        f.write_str(&URL_SAFE_NO_PAD.encode(json.to_string()))
    }
}

impl Views {
    /// The page of those documents of a list that `wanted` says, where no column can say it. It may be short of its limit
    /// although there are more: then it has looked at many in vain.
    pub async fn sift<V: View>(
        &self,
        mut query: Query,
        cursor: Option<&Cursor>,
        wanted: impl Fn(&Stored) -> Result<bool, StorageError>,
    ) -> Result<Option<Page>, ReadError> {
        if let Some(cursor) = cursor {
            if !cursor.is_of::<V>(query.sort) {
                return Ok(None);
            }
            query.after = Some((cursor.value.clone(), cursor.key.clone()));
        }
        let limit = std::mem::replace(&mut query.limit, AT_ONCE);
        let behind = |query: &Query| {
            let (value, key) = query.after.clone()?;
            let (view, sort) = (V::NAME.to_owned(), query.sort.column.map(str::to_owned));
            Some(Cursor { view, sort, descending: query.sort.descending, value, key })
        };
        let (mut items, mut bytes, mut upto) = (Vec::new(), 0, u64::MAX);
        for _ in 0..LOOKED_AT / AT_ONCE {
            let (found, position) = self.query::<V>(&query).await?;
            upto = upto.min(position);
            let last = found.len() < AT_ONCE;
            for Found { document, sort } in found {
                let after = Some((sort, document.key.clone()));
                if wanted(&document)? {
                    bytes += document.body.len();
                    if items.len() == limit || (bytes > BYTES && !items.is_empty()) {
                        return Ok(Some(Page { items, next: behind(&query), position: upto }));
                    }
                    items.push(document);
                }
                query.after = after;
            }
            if last {
                return Ok(Some(Page { items, next: None, position: upto }));
            }
        }
        Ok(Some(Page { items, next: behind(&query), position: upto }))
    }

    /// The page of a list behind `cursor`. None: the cursor belongs to a list in another order.
    pub async fn page<V: View>(&self, mut query: Query, cursor: Option<&Cursor>) -> Result<Option<Page>, ReadError> {
        if let Some(cursor) = cursor {
            if !cursor.is_of::<V>(query.sort) {
                return Ok(None);
            }
            query.after = Some((cursor.value.clone(), cursor.key.clone()));
        }
        let limit = query.limit;
        query.limit += 1;
        let (mut found, position) = self.query::<V>(&query).await?;
        let kept = within(&found, limit.min(found.len()));
        let more = found.len() > kept;
        found.truncate(kept);
        let next = found.last().filter(|_| more).map(|last| Cursor {
            view: V::NAME.to_owned(),
            sort: query.sort.column.map(str::to_owned),
            descending: query.sort.descending,
            value: last.sort.clone(),
            key: last.document.key.clone(),
        });
        Ok(Some(Page { items: found.into_iter().map(|found| found.document).collect(), next, position }))
    }
}

/// How many of the first `limit` documents fit into one page: at least one.
fn within(found: &[Found], limit: usize) -> usize {
    let mut bytes = 0;
    let fits = found[..limit].iter().take_while(|found| {
        bytes += found.document.body.len();
        bytes <= BYTES
    });
    fits.count().max(1).min(limit)
}

#[cfg(test)]
mod tests {
    use storage::documents::{Found, Stored, Value};

    use super::{BYTES, within};

    fn documents(bytes: &[usize]) -> Vec<Found> {
        let document =
            |bytes: &usize| Stored { key: String::new(), position: 1, body: "x".repeat(*bytes), parked: None };
        bytes.iter().map(|bytes| Found { document: document(bytes), sort: Value::Null }).collect()
    }

    #[test]
    fn a_page_ends_where_it_would_grow_too_large_but_holds_one() {
        assert_eq!(within(&documents(&[1, 1, 1]), 2), 2);
        assert_eq!(within(&documents(&[BYTES - 1, 1, 1]), 3), 2);
        assert_eq!(within(&documents(&[BYTES + 1, 1]), 2), 1);
        assert_eq!(within(&[], 0), 0);
    }
}
