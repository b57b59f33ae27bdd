//! Query parameters: each at most once, and none that nobody asks for, because a misspelt `as_of` would show the present.

use std::fmt;
use std::str::FromStr;

use actix_web::web;
use domain::Fault;
use jiff::Timestamp;
use projections::as_of::Until;
use storage::Token;

use crate::problem::Problem;

/// Items in a page at most, and where nothing is said.
const MOST_ITEMS: usize = 200;
const USUAL_ITEMS: usize = 50;

#[derive(Debug, Default)]
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
    faults: Vec<Fault>,
}

/// Up to where somebody wants to see. A position alone is of the present history.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum AsOf {
    Until(Until),
    Token(Token),
}

/// A part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) after: u64,
    pub(crate) limit: usize,
}

impl Query {
    pub(crate) fn parse(query: &str) -> Result<Self, Problem> {
        let pairs = web::Query::<Vec<(String, String)>>::from_query(query)
            .map_err(|error| Problem::fault("/query", format!("cannot be read: {error}")))?;
        Ok(Self { pairs: pairs.into_inner(), faults: Vec::new() })
    }

    pub(crate) fn fault(&mut self, name: &str, message: impl Into<String>) {
        self.faults.push(Fault::new(format!("/query/{name}"), message));
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        let mut all = self.take_all(name);
        if all.len() > 1 {
            self.fault(name, "must be given once");
        }
        all.pop()
    }

    /// All values of a parameter that may be given several times.
    pub(crate) fn take_all(&mut self, name: &str) -> Vec<String> {
        let (mine, others) = std::mem::take(&mut self.pairs).into_iter().partition(|(known, _)| known == name);
        self.pairs = others;
        let mine: Vec<(String, String)> = mine;
        mine.into_iter().map(|(_, value)| value).collect()
    }

    /// What `read` makes of each word between commas; `expected` says what there is.
    pub(crate) fn words<T>(&mut self, name: &str, expected: &str, read: impl Fn(&str) -> Option<T>) -> Vec<T> {
        let Some(text) = self.take(name) else { return Vec::new() };
        let words: Option<Vec<T>> = text.split(',').map(|word| read(word.trim())).collect();
        if words.is_none() {
            self.fault(name, format!("must be {expected}, several with commas between them"));
        }
        words.unwrap_or_default()
    }

    pub(crate) fn as_of(&mut self) -> AsOf {
        match self.take("as_of") {
            None => AsOf::Until(Until::Now),
            Some(text) => as_of(&text).unwrap_or_else(|| {
                self.fault(
                    "as_of",
                    "must be an RFC 3339 time with its offset, or a position: <epoch>:<number>, <number>",
                );
                AsOf::Until(Until::Now)
            }),
        }
    }

    /// What `FromStr` makes of a parameter.
    pub(crate) fn named<T: FromStr<Err: fmt::Display>>(&mut self, name: &str) -> Option<T> {
        match self.take(name)?.parse() {
            Ok(read) => Some(read),
            Err(error) => {
                self.fault(name, error.to_string());
                None
            }
        }
    }

    pub(crate) fn limit(&mut self) -> usize {
        let limit = self.take("limit").map(|limit| limit.parse().ok().filter(|n| (1..=MOST_ITEMS).contains(n)));
        if limit == Some(None) {
            self.fault("limit", format!("must be a number from 1 to {MOST_ITEMS}"));
        }
        limit.flatten().unwrap_or(USUAL_ITEMS)
    }

    /// A row beside the log, by the position of its event and its number there.
    pub(crate) fn row(&mut self) -> (u64, u32) {
        let Some(cursor) = self.take("cursor") else { return (0, 0) };
        let row = cursor.split_once('.').and_then(|(at, ord)| Some((at.parse().ok()?, ord.parse().ok()?)));
        // As large as the database counts.
        let row = row.filter(|(at, ord): &(u64, u32)| i64::try_from(*at).is_ok() && i32::try_from(*ord).is_ok());
        row.unwrap_or_else(|| {
            self.fault("cursor", "must be the next_cursor of a page before");
            (0, 0)
        })
    }

    pub(crate) fn part(&mut self) -> Part {
        let limit = self.limit();
        let cursor = self.take("cursor").map(|cursor| cursor.parse().ok());
        if cursor == Some(None) {
            self.fault("cursor", "must be the next_cursor of a page before");
        }
        Part { after: cursor.flatten().unwrap_or(0), limit }
    }

    /// To be called last.
    pub(crate) fn close(mut self) -> Result<(), Problem> {
        for (name, _) in &self.pairs {
            self.faults.push(Fault::new(format!("/query/{name}"), "is not a known parameter here"));
        }
        if self.faults.is_empty() { Ok(()) } else { Err(Problem::invalid(self.faults)) }
    }
}

fn as_of(text: &str) -> Option<AsOf> {
    if let Ok(position) = text.parse() {
        return Some(AsOf::Until(Until::Position(position)));
    }
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(AsOf::Until(Until::Instant(instant)));
    }
    text.parse().ok().map(AsOf::Token)
}

#[cfg(test)]
mod tests {
    use projections::as_of::Until;

    use super::{AsOf, Part, Query, as_of};

    #[test]
    fn as_of_is_a_time_or_a_position() {
        assert_eq!(as_of("7"), Some(AsOf::Until(Until::Position(7))));
        let instant = "2026-01-02T03:04:05Z".parse().unwrap();
        assert_eq!(as_of("2026-01-02T04:04:05+01:00"), Some(AsOf::Until(Until::Instant(instant))));
        assert!(matches!(as_of("a1b2c3:42"), Some(AsOf::Token(token)) if token.position == 42));
        for wrong in ["", "-1", "yesterday", "2026-01-02", "2026-01-02T03:04:05", "99999999999999999999"] {
            assert_eq!(as_of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn parts_are_bounded() {
        let part = |query| {
            let mut query = Query::parse(query).unwrap();
            let part = query.part();
            query.close().map(|()| part).map_err(drop)
        };
        assert_eq!(part(""), Ok(Part { after: 0, limit: 50 }));
        assert_eq!(part("limit=200&cursor=9"), Ok(Part { after: 9, limit: 200 }));
        for wrong in ["limit=0", "limit=201", "limit=x", "cursor=x", "limit=1&limit=2", "offset=1"] {
            assert_eq!(part(wrong), Err(()), "{wrong}");
        }
    }
}
