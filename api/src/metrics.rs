//! Figures for Prometheus: the text format, and what this process counts of its own requests.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds of the durations told apart, in seconds.
const BUCKETS: [f64; 11] = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// Where a request went that no route matches.
const NOWHERE: &str = "none";
/// Methods that have a name here; others are made up by whoever sends them.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// A figure with its values.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    pub name: &'static str,
    pub kind: Kind,
    pub help: &'static str,
    pub samples: Vec<Sample>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows, until the process begins anew.
    Counter,
    Gauge,
}

/// One value under its labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    pub labels: Vec<(&'static str, String)>,
    pub value: f64,
}

/// Figures that other rooms keep, asked for when somebody looks.
pub type Source = Arc<dyn Fn() -> Vec<Family> + Send + Sync>;

/// The server's own sources.
#[derive(Clone)]
pub(crate) struct Sources(pub(crate) Vec<Source>);

impl Family {
    pub fn new(name: &'static str, kind: Kind, help: &'static str) -> Self {
        Self { name, kind, help, samples: Vec::new() }
    }

    #[must_use]
    pub fn with(mut self, labels: &[(&'static str, &str)], value: f64) -> Self {
        self.add(labels, value);
        self
    }

    pub fn add(&mut self, labels: &[(&'static str, &str)], value: f64) {
        let labels = labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        self.samples.push(Sample { labels, value });
    }
}

/// A number as a figure. None of ours is so large that it matters what gets lost.
#[expect(clippy::cast_precision_loss, reason = "the format knows no other numbers")]
pub fn number(count: u64) -> f64 {
    count as f64
}

/// Families in the text format, version 0.0.4.
pub(crate) fn text(families: &[Family]) -> String {
    let mut text = String::new();
    for Family { name, kind, help, samples } in families {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        head(&mut text, name, kind, help);
        for Sample { labels, value } in samples {
            line(&mut text, name, labels, *value);
        }
    }
    text
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    let _infallible = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
}

fn line(text: &mut String, name: &str, labels: &[(&'static str, String)], value: f64) {
    text.push_str(name);
    for (n, (label, value)) in labels.iter().enumerate() {
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let _infallible = write!(text, "{}{label}=\"{value}\"", if n == 0 { '{' } else { ',' });
    }
    let _infallible = writeln!(text, "{} {value}", if labels.is_empty() { "" } else { "}" });
}

/// What was answered since the process began. As many entries as there are routes, methods and statuses.
#[derive(Debug, Default)]
pub(crate) struct Requests(Mutex<Tallies>);

#[derive(Debug, Default)]
struct Tallies {
    answered: BTreeMap<(String, &'static str, u16), u64>,
    took: BTreeMap<(String, &'static str), Took>,
}

#[derive(Debug, Default)]
struct Took {
    buckets: [u64; BUCKETS.len()],
    count: u64,
    seconds: f64,
}

impl Requests {
    pub(crate) fn answered(&self, route: Option<String>, method: &str, status: u16, took: Duration) {
        let route = route.unwrap_or_else(|| NOWHERE.to_owned());
        let method = METHODS.iter().find(|known| **known == method).copied().unwrap_or("other");
        let mut tallies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *tallies.answered.entry((route.clone(), method, status)).or_default() += 1;
        let tally = tallies.took.entry((route, method)).or_default();
        let seconds = took.as_secs_f64();
        tally.count += 1;
        tally.seconds += seconds;
        for (count, bound) in tally.buckets.iter_mut().zip(BUCKETS) {
            *count += u64::from(seconds <= bound);
        }
    }

    pub(crate) fn text(&self) -> String {
        let tallies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut answered =
            Family::new("pagefree_http_requests_total", Kind::Counter, "Requests answered, by route and status.");
        for ((route, method, status), count) in &tallies.answered {
            answered.add(&[("route", route), ("method", method), ("status", &status.to_string())], number(*count));
        }
        let mut text = text(&[answered]);
        let name = "pagefree_http_request_duration_seconds";
        head(&mut text, name, "histogram", "How long requests took, from their head to the answer's.");
        for ((route, method), took) in &tallies.took {
            let labels = vec![("route", route.clone()), ("method", (*method).to_owned())];
            let bounds = BUCKETS.iter().map(f64::to_string).chain(["+Inf".to_owned()]);
            for (bound, count) in bounds.zip(took.buckets.into_iter().chain([took.count])) {
                let labels: Vec<_> = labels.iter().cloned().chain([("le", bound)]).collect();
                line(&mut text, &format!("{name}_bucket"), &labels, number(count));
            }
            line(&mut text, &format!("{name}_sum"), &labels, took.seconds);
            line(&mut text, &format!("{name}_count"), &labels, number(took.count));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Family, Kind, Requests, text};

    #[test]
    fn the_format_is_the_format() {
        let family = Family::new("a_total", Kind::Counter, "What it is.").with(&[("x", "a\"\\\n"), ("y", "1")], 2.5);
        let expected = "# HELP a_total What it is.\n# TYPE a_total counter\na_total{x=\"a\\\"\\\\\\n\",y=\"1\"} 2.5\n";
        assert_eq!(text(&[family]), expected);
        let plain = Family::new("b", Kind::Gauge, "Plain.").with(&[], 3.0);
        assert_eq!(text(&[plain]), "# HELP b Plain.\n# TYPE b gauge\nb 3\n");
    }

    #[test]
    fn requests_are_counted_by_what_they_were() {
        let requests = Requests::default();
        let (quick, slow) = (Duration::from_millis(5), Duration::from_mins(1));
        requests.answered(Some("/a/{id}".to_owned()), "GET", 200, quick);
        requests.answered(Some("/a/{id}".to_owned()), "GET", 404, slow);
        requests.answered(None, "BREW", 404, quick);
        let text = requests.text();
        let route = "route=\"/a/{id}\",method=\"GET\"";
        for line in [
            format!("pagefree_http_requests_total{{{route},status=\"200\"}} 1"),
            format!("pagefree_http_requests_total{{{route},status=\"404\"}} 1"),
            "pagefree_http_requests_total{route=\"none\",method=\"other\",status=\"404\"} 1".to_owned(),
            format!("pagefree_http_request_duration_seconds_bucket{{{route},le=\"0.002\"}} 0"),
            format!("pagefree_http_request_duration_seconds_bucket{{{route},le=\"0.005\"}} 1"),
            format!("pagefree_http_request_duration_seconds_bucket{{{route},le=\"10\"}} 1"),
            format!("pagefree_http_request_duration_seconds_bucket{{{route},le=\"+Inf\"}} 2"),
            format!("pagefree_http_request_duration_seconds_sum{{{route}}} 60.005"),
            format!("pagefree_http_request_duration_seconds_count{{{route}}} 2"),
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }
}
