//! What an expression at one place of a definition may speak of.

use std::collections::BTreeSet;

use serde_json::Value;

/// Grows while the steps are read in order: a step sees only what comes before it.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    steps: BTreeSet<String>,
    variables: BTreeSet<String>,
    /// The only parameters there can be, where the schema admits no others.
    parameters: Option<BTreeSet<String>>,
    in_for_each: bool,
}

/// Whether secrets may be used at a place: only where they go to the outside world and nowhere into the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Secrets {
    Allowed,
    Refused,
}

impl Scope {
    pub(super) fn new(variables: BTreeSet<String>, schema: &Value) -> Self {
        let closed = schema.get("additionalProperties") == Some(&Value::Bool(false))
            && schema.get("patternProperties").is_none();
        let declared = schema.get("properties").and_then(Value::as_object);
        let names = || declared.map(|map| map.keys().cloned().collect()).unwrap_or_default();
        Self { steps: BTreeSet::new(), variables, parameters: closed.then(names), in_for_each: false }
    }

    pub(super) fn add_step(&mut self, id: &str) {
        self.steps.insert(id.to_owned());
    }

    pub(super) fn within_for_each(&self) -> Self {
        Self { in_for_each: true, ..self.clone() }
    }

    /// What is wrong with speaking of `path` here. Its first part is the root.
    pub(super) fn fault(&self, path: &[&str], secrets: Secrets) -> Option<String> {
        match path {
            ["params", name, ..] => match &self.parameters {
                Some(declared) if !declared.contains(*name) => {
                    Some(format!("the parameters have no property '{name}' and admit no others"))
                }
                _ => None,
            },
            ["params" | "variables"]
            | ["incident", ..]
            | ["runbook", "id" | "name" | "version"]
            | ["execution", "id"] => None,
            ["variables", name, ..] => {
                (!self.variables.contains(*name)).then(|| format!("there is no variable '{name}'"))
            }
            ["runbook", ..] => Some("of the runbook there are only id, name and version".to_owned()),
            ["execution", ..] => Some("of the execution there is only its id".to_owned()),
            ["steps", id, "outputs", ..] if self.steps.contains(*id) => None,
            ["steps", id, "outputs", ..] => Some(format!("no step '{id}' comes before this one")),
            ["steps", ..] => Some("of a step there is only steps.<id>.outputs".to_owned()),
            ["secrets", _] if secrets == Secrets::Allowed => None,
            ["secrets", ..] if secrets == Secrets::Refused => {
                Some("a secret may not be used here: it would be stored or shown in clear".to_owned())
            }
            ["secrets", ..] => Some("a secret is secrets.<NAME>".to_owned()),
            ["item" | "index", ..] if self.in_for_each => None,
            [root, ..] => Some(format!(
                "'{root}' is unknown: there are params, incident, runbook, execution, steps, variables and secrets, and \
                 within for_each item and index"
            )),
            [] => Some("is empty".to_owned()),
        }
    }
}
