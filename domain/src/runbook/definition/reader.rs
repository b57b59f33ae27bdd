//! Reads one JSON object field by field, notes every fault, and at the end every field that nobody asked for.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{Fault, ids, pointer, text};

/// A JSON object that is being read. A null counts as absent.
pub(super) struct Reader<'v> {
    pub at: String,
    map: &'v Map<String, Value>,
    known: BTreeSet<&'static str>,
}

impl<'v> Reader<'v> {
    pub(super) fn open(value: &'v Value, at: impl Into<String>, faults: &mut Vec<Fault>) -> Option<Self> {
        let at = at.into();
        let Value::Object(map) = value else {
            faults.push(Fault::new(at, "must be an object"));
            return None;
        };
        Some(Self { at, map, known: BTreeSet::new() })
    }

    /// To be called last: whatever nobody asked for is unknown.
    pub(super) fn close(self, faults: &mut Vec<Fault>) {
        for name in self.map.keys().filter(|name| !self.known.contains(name.as_str())) {
            faults.push(Fault::new(pointer::child(&self.at, name), "is not a known field here"));
        }
    }

    pub(super) fn child(&self, name: &str) -> String {
        pointer::child(&self.at, name)
    }

    pub(super) fn value(&mut self, name: &'static str) -> Option<&'v Value> {
        self.known.insert(name);
        self.map.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn required(&mut self, name: &'static str, faults: &mut Vec<Fault>) -> Option<&'v Value> {
        let value = self.value(name);
        if value.is_none() {
            faults.push(Fault::new(self.child(name), "is required"));
        }
        value
    }

    /// The string as it was written, whatever its length.
    pub(super) fn string(&mut self, name: &'static str, faults: &mut Vec<Fault>) -> Option<&'v str> {
        let value = self.value(name)?;
        if value.as_str().is_none() {
            faults.push(Fault::new(self.child(name), "must be a string"));
        }
        value.as_str()
    }

    pub(super) fn required_string(&mut self, name: &'static str, faults: &mut Vec<Fault>) -> &'v str {
        let Some(value) = self.required(name, faults) else { return "" };
        value.as_str().unwrap_or_else(|| {
            faults.push(Fault::new(self.child(name), "must be a string"));
            ""
        })
    }

    pub(super) fn text(
        &mut self,
        name: &'static str,
        length: RangeInclusive<usize>,
        faults: &mut Vec<Fault>,
    ) -> Option<String> {
        let text = self.string(name, faults)?;
        text::check(text, *length.start(), *length.end(), &self.child(name), faults);
        Some(text.to_owned())
    }

    pub(super) fn required_text(
        &mut self,
        name: &'static str,
        length: RangeInclusive<usize>,
        faults: &mut Vec<Fault>,
    ) -> String {
        if self.required(name, faults).is_none() {
            return String::new();
        }
        self.text(name, length, faults).unwrap_or_default()
    }

    pub(super) fn identifier(&mut self, name: &'static str, faults: &mut Vec<Fault>) -> Option<String> {
        let id = self.string(name, faults)?;
        ids::check(id, &self.child(name), faults);
        Some(id.to_owned())
    }

    pub(super) fn required_identifier(&mut self, name: &'static str, faults: &mut Vec<Fault>) -> String {
        self.required(name, faults);
        self.identifier(name, faults).unwrap_or_default()
    }

    /// A whole number within `range`.
    pub(super) fn number(
        &mut self,
        name: &'static str,
        range: RangeInclusive<u64>,
        faults: &mut Vec<Fault>,
    ) -> Option<u32> {
        let value = self.value(name)?;
        let number = value.as_u64().filter(|number| range.contains(number));
        if number.is_none() {
            let (least, most) = range.into_inner();
            faults.push(Fault::new(self.child(name), format!("must be a whole number from {least} to {most}")));
        }
        number.and_then(|number| u32::try_from(number).ok())
    }

    pub(super) fn flag(&mut self, name: &'static str, faults: &mut Vec<Fault>) -> Option<bool> {
        let value = self.value(name)?;
        if value.as_bool().is_none() {
            faults.push(Fault::new(self.child(name), "must be true or false"));
        }
        value.as_bool()
    }

    /// A small typed value (an enum, a set of enums) whose own error message says what is possible.
    pub(super) fn one<T: DeserializeOwned>(&mut self, name: &'static str, faults: &mut Vec<Fault>) -> Option<T> {
        let value = self.value(name)?;
        match serde_json::from_value(value.clone()) {
            Ok(read) => Some(read),
            Err(error) => {
                faults.push(Fault::new(self.child(name), format!("is not possible: {error}")));
                None
            }
        }
    }

    pub(super) fn list(&mut self, name: &'static str, most: usize, faults: &mut Vec<Fault>) -> Option<&'v [Value]> {
        let Value::Array(items) = self.value(name)? else {
            faults.push(Fault::new(self.child(name), "must be a list"));
            return None;
        };
        // Everything else about a list that is too long is still checked.
        if items.len() > most {
            faults.push(Fault::new(self.child(name), format!("must have at most {most} entries")));
        }
        Some(items)
    }

    pub(super) fn map(
        &mut self,
        name: &'static str,
        most: usize,
        faults: &mut Vec<Fault>,
    ) -> Option<&'v Map<String, Value>> {
        let Value::Object(map) = self.value(name)? else {
            faults.push(Fault::new(self.child(name), "must be an object"));
            return None;
        };
        if map.len() > most {
            faults.push(Fault::new(self.child(name), format!("must have at most {most} entries")));
        }
        Some(map)
    }
}
