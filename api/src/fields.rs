//! Reads a JSON object field by field, notes every fault with its pointer, and at the end every unknown field.

use std::collections::BTreeSet;

use domain::Fault;
use domain::ids::is_sound;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::problem::Problem;

/// An object that is being read. A null counts as absent, but for [`Fields::nullable`].
pub(crate) struct Fields<'v> {
    at: String,
    map: Option<&'v Map<String, Value>>,
    known: BTreeSet<&'static str>,
    faults: Vec<Fault>,
}

impl<'v> Fields<'v> {
    pub(crate) fn of(value: &'v Value) -> Self {
        Self::under(value, String::new())
    }

    fn under(value: &'v Value, at: String) -> Self {
        let map = value.as_object();
        let faults = if map.is_none() { vec![Fault::new(&*at, "must be an object")] } else { vec![] };
        Self { at, map, known: BTreeSet::new(), faults }
    }

    fn raw(&mut self, name: &'static str) -> Option<&'v Value> {
        self.known.insert(name);
        self.map?.get(name)
    }

    fn value(&mut self, name: &'static str) -> Option<&'v Value> {
        self.raw(name).filter(|value| !value.is_null())
    }

    pub(crate) fn fault(&mut self, name: &str, message: impl Into<String>) {
        self.faults.push(Fault::new(format!("{}/{name}", self.at), message));
    }

    fn parse<T: DeserializeOwned>(&mut self, name: &'static str, value: &Value) -> Option<T> {
        match serde_json::from_value(value.clone()) {
            Ok(read) => Some(read),
            Err(error) => {
                self.fault(name, format!("cannot be read: {error}"));
                None
            }
        }
    }

    pub(crate) fn optional<T: DeserializeOwned>(&mut self, name: &'static str) -> Option<T> {
        let value = self.value(name)?;
        self.parse(name, value)
    }

    /// A time after `now`.
    pub(crate) fn coming(&mut self, name: &'static str, now: Timestamp) -> Option<Timestamp> {
        let time = self.optional(name)?;
        if time <= now {
            self.fault(name, "must be in the future");
        }
        Some(time)
    }

    pub(crate) fn required<T: DeserializeOwned>(&mut self, name: &'static str) -> Option<T> {
        self.require(name);
        self.optional(name)
    }

    /// Notes a fault where a field is absent.
    pub(crate) fn require(&mut self, name: &'static str) {
        if self.value(name).is_none() && self.map.is_some() {
            self.fault(name, "is required");
        }
    }

    /// `Some(None)` for a null that was sent.
    #[expect(clippy::option_option, reason = "three cases: not sent, null, a value")]
    pub(crate) fn nullable<T: DeserializeOwned>(&mut self, name: &'static str) -> Option<Option<T>> {
        match self.raw(name)? {
            Value::Null => Some(None),
            value => self.parse(name, value).map(Some),
        }
    }

    /// What `FromStr` makes of a string.
    pub(crate) fn named<T: std::str::FromStr<Err: std::fmt::Display>>(&mut self, name: &'static str) -> Option<T> {
        let text: String = self.optional(name)?;
        match text.parse() {
            Ok(read) => Some(read),
            Err(error) => {
                self.fault(name, error.to_string());
                None
            }
        }
    }

    /// An identifier, which is required.
    pub(crate) fn identifier<I: for<'a> From<&'a str>>(&mut self, name: &'static str) -> Option<I> {
        let id: String = self.required(name)?;
        if is_sound(&id) {
            return Some(I::from(id.as_str()));
        }
        self.fault(name, "must be an identifier");
        None
    }

    /// A list of identifiers; each bad one is a fault of its own.
    pub(crate) fn identifiers<I: for<'a> From<&'a str> + Ord>(&mut self, name: &'static str) -> Option<BTreeSet<I>> {
        let items = self.list(name)?;
        let mut ids = BTreeSet::new();
        for (index, item) in items.iter().enumerate() {
            match item.as_str().filter(|id| is_sound(id)) {
                Some(id) => drop(ids.insert(I::from(id))),
                None => self.fault(&format!("{name}/{index}"), "must be an identifier"),
            }
        }
        Some(ids)
    }

    /// A list of objects, each read by `read`.
    pub(crate) fn objects<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(&mut Fields<'v>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let items = self.list(name)?;
        let mut objects = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let mut fields = Fields::under(item, format!("{}/{name}/{index}", self.at));
            objects.extend(read(&mut fields));
            self.faults.extend(fields.end());
        }
        Some(objects)
    }

    /// One object, read by `read`.
    pub(crate) fn object<T>(&mut self, name: &'static str, read: impl Fn(&mut Fields<'v>) -> Option<T>) -> Option<T> {
        let value = self.value(name)?;
        let mut fields = Fields::under(value, format!("{}/{name}", self.at));
        let object = read(&mut fields);
        self.faults.extend(fields.end());
        object
    }

    fn list(&mut self, name: &'static str) -> Option<&'v [Value]> {
        let items = self.value(name)?.as_array();
        if items.is_none() {
            self.fault(name, "must be a list");
        }
        items.map(Vec::as_slice)
    }

    fn end(mut self) -> Vec<Fault> {
        for name in self.map.into_iter().flat_map(Map::keys).filter(|name| !self.known.contains(name.as_str())) {
            let name = name.replace('~', "~0").replace('/', "~1");
            self.faults.push(Fault::new(format!("{}/{name}", self.at), "is not a known field here"));
        }
        self.faults
    }

    /// To be called last.
    pub(crate) fn close(self) -> Result<(), Problem> {
        self.close_with(Vec::new())
    }

    /// As `close`, with what the domain finds wrong with fields that could be read.
    pub(crate) fn close_with(self, domain: Vec<Fault>) -> Result<(), Problem> {
        let mut faults = self.end();
        let field = |fault: &Fault| fault.pointer.split('/').nth(1).map(str::to_owned);
        let unreadable: BTreeSet<Option<String>> = faults.iter().map(field).collect();
        if !unreadable.contains(&None) {
            faults.extend(domain.into_iter().filter(|fault| !unreadable.contains(&field(fault))));
        }
        if faults.is_empty() { Ok(()) } else { Err(Problem::invalid(faults)) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::ids::{TeamId, UserId};
    use domain::incident::Severity;
    use serde_json::json;

    use super::Fields;

    fn faults(fields: Fields<'_>) -> Vec<String> {
        fields.end().into_iter().map(|fault| fault.pointer).collect()
    }

    #[test]
    fn every_fault_is_listed_with_its_pointer() {
        let body = json!({"title": 5, "to": ["u1", "a b", 3], "links": [{"x/y": 1}, 7], "severity": "sev9", "more": 1});
        let mut fields = Fields::of(&body);
        assert_eq!(fields.required::<String>("title"), None);
        assert_eq!(fields.required::<String>("text"), None);
        assert_eq!(fields.identifiers::<UserId>("to"), Some(BTreeSet::from([UserId::new("u1")])));
        assert_eq!(fields.named::<Severity>("severity"), None);
        fields.objects("links", |link| link.required::<String>("url"));
        let expected =
            ["/title", "/text", "/to/1", "/to/2", "/severity", "/links/0/url", "/links/0/x~1y", "/links/1", "/more"];
        assert_eq!(faults(fields), expected);
    }

    #[test]
    fn null_is_absence_but_where_it_means_something() {
        let body = json!({"title": null, "team_id": null});
        let mut fields = Fields::of(&body);
        assert_eq!(fields.optional::<String>("title"), None);
        assert_eq!(fields.nullable::<TeamId>("team_id"), Some(None));
        assert_eq!(fields.nullable::<TeamId>("other"), None);
        assert_eq!(faults(fields), Vec::<String>::new());
    }

    #[test]
    fn what_is_to_come_has_not_been() {
        let body = json!({"late": "2026-01-01T00:00:00Z", "soon": "2026-01-01T00:00:01Z", "never": "never"});
        let mut fields = Fields::of(&body);
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        let read = ["late", "soon", "never", "absent"].map(|name| fields.coming(name, now).is_some());
        assert_eq!((read, faults(fields)), ([true, true, false, false], vec!["/late".to_owned(), "/never".to_owned()]));
    }

    #[test]
    fn what_is_not_an_object_is_one_fault() {
        let body = json!([]);
        let mut fields = Fields::of(&body);
        assert_eq!(fields.required::<String>("title"), None);
        assert_eq!(faults(fields), [""]);
    }
}
