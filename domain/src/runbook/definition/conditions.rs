//! Conditions: CEL expressions, kept so small that neither parsing nor evaluating one can run away.
//!
//! Known: 125 bytes of nested `!` cost its parser 1.1 GB (cel-rust #306). So the source is measured in one pass before
//! the parser sees it, and what comes out is walked once more. A comprehension (`all`, `exists`, `map`, `filter`…) goes
//! over a plain list that is there already, never within another one: its cost is at most the size of the list.

use cel::Program;
use cel::common::ast::{ComprehensionExpr, EntryExpr, Expr, SelectExpr};

use super::limits::{CONDITION_BRACKETS, CONDITION_BYTES, CONDITION_NODES, CONDITION_OPERATORS, CONDITION_PREFIXES};
use super::scope::{Scope, Secrets};
use crate::Fault;

/// Functions that a condition may call. (Operators are calls too, under names that no word is: `_&&_`, `@in`.)
const FUNCTIONS: &[&str] =
    &["size", "contains", "startsWith", "endsWith", "string", "int", "uint", "double", "min", "max", "has"];

/// Adds every fault of one condition.
pub(super) fn check(source: &str, scope: &Scope, at: &str, faults: &mut Vec<Fault>) {
    match compile(source) {
        Err(message) => faults.push(Fault::new(at, message)),
        Ok(program) => {
            let mut walk = Walk { scope, at, faults, bound: Vec::new(), nodes: 0 };
            walk.expression(&program.expression().expr);
            if walk.nodes > CONDITION_NODES {
                faults.push(Fault::new(at, format!("must have at most {CONDITION_NODES} parts")));
            }
        }
    }
}

/// Parses a condition, unless it is too much for the parser.
pub fn compile(source: &str) -> Result<Program, String> {
    measure(source)?;
    Program::compile(source).map_err(|errors| {
        let first = errors.errors.first().map_or("unknown", |error| error.msg.as_str());
        format!("is not a CEL expression: {first}")
    })
}

/// Counts what makes the parser expensive, outside of string literals.
fn measure(source: &str) -> Result<(), String> {
    if source.len() > CONDITION_BYTES {
        return Err(format!("must have at most {} KiB", CONDITION_BYTES / 1024));
    }
    if source.trim().is_empty() {
        return Err("must not be blank".to_owned());
    }
    let (mut brackets, mut prefixes, mut operators) = (0_usize, 0_usize, 0_usize);
    let mut characters = source.chars();
    let mut before = ' ';
    while let Some(character) = characters.next() {
        match character {
            '"' | '\'' => skip_literal(&mut characters, character, before)?,
            '/' if characters.as_str().starts_with('/') => return Err("must not have comments".to_owned()),
            '`' => return Err("must not have backquotes".to_owned()),
            '(' | '[' | '{' => brackets += 1,
            ')' | ']' | '}' => brackets = brackets.checked_sub(1).ok_or("has a bracket that was not opened")?,
            _ => {}
        }
        match character {
            '!' | '-' => prefixes += 1,
            _ if character.is_whitespace() => {}
            _ => prefixes = 0,
        }
        if "&|?:<>=+-*/%,.!([{".contains(character) {
            operators += 1;
        }
        before = character;
        if brackets > CONDITION_BRACKETS {
            return Err(format!("must nest at most {CONDITION_BRACKETS} brackets"));
        }
        if prefixes > CONDITION_PREFIXES {
            return Err(format!("must have at most {CONDITION_PREFIXES} '!' or '-' in a row"));
        }
        if operators > CONDITION_OPERATORS {
            return Err(format!("must have at most {CONDITION_OPERATORS} operators"));
        }
    }
    Ok(())
}

/// Triple quotes, prefixes (`r'\'` ends where `'\'` does not) and comments are not needed in a condition. Refusing them
/// keeps this scan and the parser of one mind about where a string ends; else a bomb could hide in what only looks
/// like one.
fn skip_literal(characters: &mut std::str::Chars, quote: char, before: char) -> Result<(), String> {
    if before.is_alphanumeric() || before == '_' {
        return Err("must not have a string with a prefix".to_owned());
    }
    if characters.as_str().strip_prefix(quote).is_some_and(|rest| rest.starts_with(quote)) {
        return Err("must not use triple quotes".to_owned());
    }
    while let Some(character) = characters.next() {
        match character {
            '\n' | '\r' => break,
            '\\' => {
                characters.next();
            }
            _ if character == quote => return Ok(()),
            _ => {}
        }
    }
    Err("has a string that does not end".to_owned())
}

/// One walk over a parsed condition.
struct Walk<'w> {
    scope: &'w Scope,
    at: &'w str,
    faults: &'w mut Vec<Fault>,
    /// Variables of the comprehension that is being walked.
    bound: Vec<String>,
    nodes: usize,
}

impl Walk<'_> {
    fn expression(&mut self, expression: &Expr) {
        self.nodes += 1;
        match expression {
            Expr::Unspecified | Expr::Literal(_) => {}
            Expr::Ident(name) => self.name(&[name]),
            Expr::Select(select) => self.select(select),
            Expr::Call(call) => {
                let is_word = call.func_name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
                if is_word && !FUNCTIONS.contains(&call.func_name.as_str()) {
                    let known = FUNCTIONS.join(", ");
                    self.fault(format!("calls the unknown function '{}'; there are {known}", call.func_name));
                }
                for part in call.target.iter().map(AsRef::as_ref).chain(&call.args) {
                    self.expression(&part.expr);
                }
            }
            Expr::Comprehension(comprehension) => self.comprehension(comprehension),
            Expr::List(list) => list.elements.iter().for_each(|element| self.expression(&element.expr)),
            Expr::Map(map) => map.entries.iter().for_each(|entry| self.entry(&entry.expr)),
            Expr::Struct(_) => self.fault("must not make messages".to_owned()),
        }
    }

    fn entry(&mut self, entry: &EntryExpr) {
        match entry {
            EntryExpr::StructField(field) => self.expression(&field.value.expr),
            EntryExpr::MapEntry(entry) => {
                self.expression(&entry.key.expr);
                self.expression(&entry.value.expr);
            }
        }
    }

    fn select(&mut self, select: &SelectExpr) {
        let mut path = vec![select.field.as_str()];
        let mut operand = &select.operand.expr;
        while let Expr::Select(inner) = operand {
            path.push(&inner.field);
            operand = &inner.operand.expr;
            self.nodes += 1;
        }
        match operand {
            Expr::Ident(root) => {
                path.push(root);
                path.reverse();
                self.name(&path);
            }
            other => self.expression(other),
        }
    }

    fn name(&mut self, path: &[&str]) {
        if path.first().is_some_and(|root| self.bound.iter().any(|bound| bound == root)) {
            return;
        }
        // Secrets never: whether a step ran would give them away.
        if let Some(message) = self.scope.fault(path, Secrets::Refused) {
            self.fault(format!("{}: {message}", path.join(".")));
        }
    }

    fn comprehension(&mut self, comprehension: &ComprehensionExpr) {
        if !self.bound.is_empty() {
            return self.fault("must not go over a list within going over a list".to_owned());
        }
        if !is_plain_list(&comprehension.iter_range.expr) {
            return self.fault("goes over something made up: name a list that is there already".to_owned());
        }
        self.expression(&comprehension.iter_range.expr);
        self.bound.push(comprehension.iter_var.clone());
        self.bound.extend(comprehension.iter_var2.clone());
        self.bound.push(comprehension.accu_var.clone());
        for part in
            [&comprehension.accu_init, &comprehension.loop_cond, &comprehension.loop_step, &comprehension.result]
        {
            self.expression(&part.expr);
        }
        self.bound.clear();
    }

    fn fault(&mut self, message: String) {
        self.faults.push(Fault::new(self.at, message));
    }
}

/// A path to data that is there, or a list that is written out.
fn is_plain_list(range: &Expr) -> bool {
    match range {
        Expr::Ident(_) => true,
        Expr::Select(select) => !select.test && is_plain_list(&select.operand.expr),
        Expr::List(list) => list.elements.iter().all(|element| matches!(element.expr, Expr::Literal(_))),
        _ => false,
    }
}
