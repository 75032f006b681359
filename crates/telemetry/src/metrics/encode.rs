//! From values to the text of a scrape.

use super::{Histogram, Kind, NameFault, Summary, name};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Series a family may have unless it says otherwise.
pub const SERIES_MAX: usize = 500;

/// Gathers the families of one scrape. Several collectors may add to one family; equal series are summed.
#[derive(Debug, Default)]
pub struct Encoder {
    families: BTreeMap<&'static str, Content>,
    faults: Vec<NameFault>,
    folded: BTreeMap<&'static str, u64>,
}

#[derive(Debug)]
struct Content {
    kind: Kind,
    help: &'static str,
    /// By their labels as written, so that a scrape is sorted and the same twice.
    series: BTreeMap<String, Value>,
}

#[derive(Debug, Clone)]
enum Value {
    Number(f64),
    Histogram(Histogram),
    Summary(Box<Summary>),
}

impl Value {
    fn merge(&mut self, other: Self) {
        match (self, other) {
            (Self::Number(mine), Self::Number(theirs)) => *mine += theirs,
            (Self::Histogram(mine), Self::Histogram(theirs)) => mine.merge(&theirs),
            (Self::Summary(mine), Self::Summary(theirs)) => mine.merge(&theirs),
            // One family holds one kind of value.
            _ => {}
        }
    }
}

/// A family that takes values. Values of a refused family go nowhere; [`Encoder::faults`] says why.
#[derive(Debug)]
pub struct Family<'a> {
    name: &'static str,
    content: Option<&'a mut Content>,
    folded: &'a mut BTreeMap<&'static str, u64>,
    faults: &'a mut Vec<NameFault>,
    budget: usize,
}

/// Label names with their values.
pub(super) type Labels<'l> = &'l [(&'static str, &'l str)];

impl Encoder {
    pub fn counter(&mut self, name: &'static str, help: &'static str) -> Family<'_> {
        self.family(name, Kind::Counter, help)
    }

    pub fn gauge(&mut self, name: &'static str, help: &'static str) -> Family<'_> {
        self.family(name, Kind::Gauge, help)
    }

    /// For a value whose name says another kind; see [`Kind::Untyped`].
    pub fn untyped(&mut self, name: &'static str, help: &'static str) -> Family<'_> {
        self.family(name, Kind::Untyped, help)
    }

    pub fn histogram(&mut self, name: &'static str, help: &'static str) -> Family<'_> {
        self.family(name, Kind::Histogram, help)
    }

    pub fn summary(&mut self, name: &'static str, help: &'static str) -> Family<'_> {
        self.family(name, Kind::Summary, help)
    }

    /// The family of that name, made when it is not there yet.
    pub fn family(&mut self, name: &'static str, kind: Kind, help: &'static str) -> Family<'_> {
        let checked = name::check_family(name, kind, help);
        let mut content = None;
        match checked {
            Err(fault) => self.faults.push(fault),
            Ok(()) => {
                let new = || Content {
                    kind,
                    help,
                    series: BTreeMap::new(),
                };
                let found = self.families.entry(name).or_insert_with(new);
                if (found.kind, found.help) == (kind, help) {
                    content = Some(found);
                } else {
                    self.faults.push(NameFault::Conflict(name.to_owned()));
                }
            }
        }
        Family {
            name,
            content,
            folded: &mut self.folded,
            faults: &mut self.faults,
            budget: SERIES_MAX,
        }
    }

    /// What was refused and why; empty in a correct program.
    #[must_use]
    pub fn faults(&self) -> &[NameFault] {
        &self.faults
    }

    /// Notes that `count` values of a family went to `other` before they came here.
    pub(super) fn note_folded(&mut self, family: &'static str, count: u64) {
        if count > 0 {
            *self.folded.entry(family).or_default() += count;
        }
    }

    /// How many values went to `other`, by family.
    pub(super) fn folded(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.folded.iter().map(|(name, count)| (*name, *count))
    }

    /// The text of the scrape.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::with_capacity(64 * 1024);
        for (name, content) in self
            .families
            .iter()
            .filter(|(_, content)| !content.series.is_empty())
        {
            head(&mut out, name, content);
            for (labels, value) in &content.series {
                body(&mut out, name, labels, value);
            }
        }
        out
    }
}

impl Family<'_> {
    /// Changes how many series the family may have.
    #[must_use]
    pub fn budget(mut self, series: usize) -> Self {
        self.budget = series;
        self
    }

    /// Adds a counter's or gauge's value.
    pub fn value(&mut self, labels: Labels<'_>, value: f64) {
        self.add(labels, Kind::Counter, Value::Number(value));
    }

    /// Adds a count; exact up to 2^53.
    pub fn count(&mut self, labels: Labels<'_>, count: u64) {
        self.value(labels, count as f64);
    }

    pub fn histogram(&mut self, labels: Labels<'_>, histogram: &Histogram) {
        self.add(labels, Kind::Histogram, Value::Histogram(histogram.clone()));
    }

    pub fn summary(&mut self, labels: Labels<'_>, summary: &Summary) {
        self.add(labels, Kind::Summary, Value::Summary(Box::new(summary.clone())));
    }

    fn add(&mut self, labels: Labels<'_>, kind: Kind, value: Value) {
        let Some(content) = &mut self.content else {
            return;
        };
        let numeric = |kind| matches!(kind, Kind::Counter | Kind::Gauge | Kind::Untyped);
        if content.kind != kind && !(numeric(content.kind) && numeric(kind)) {
            self.faults.push(NameFault::Conflict(self.name.to_owned()));
            return;
        }
        if let Some(fault) = labels
            .iter()
            .find_map(|(label, _)| name::check_label(label).err())
        {
            self.faults.push(fault);
            return;
        }
        let mut key = written(labels.iter().copied());
        // One place of the budget is kept for `other`.
        if !content.series.contains_key(&key) && content.series.len() + 1 >= self.budget && !labels.is_empty()
        {
            key = written(labels.iter().map(|(label, _)| (*label, "other")));
            *self.folded.entry(self.name).or_default() += 1;
        }
        match content.series.get_mut(&key) {
            Some(present) => present.merge(value),
            None => drop(content.series.insert(key, value)),
        }
    }
}

/// Labels as they stand between the braces.
fn written<'l>(labels: impl Iterator<Item = (&'static str, &'l str)>) -> String {
    let mut out = String::new();
    for (label, value) in labels {
        let comma = if out.is_empty() { "" } else { "," };
        let value = value
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n");
        write!(out, "{comma}{label}=\"{value}\"").expect("a String takes everything");
    }
    out
}

fn head(out: &mut String, name: &str, content: &Content) {
    let help = content.help.replace('\\', "\\\\").replace('\n', "\\n");
    let kind = content.kind.as_str();
    write!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n").expect("a String takes everything");
}

fn body(out: &mut String, name: &str, labels: &str, value: &Value) {
    match value {
        Value::Number(number) => line(out, name, "", labels, None, *number),
        Value::Histogram(histogram) => {
            for (bound, count) in histogram.buckets() {
                line(out, name, "_bucket", labels, Some(("le", bound)), count as f64);
            }
            line(out, name, "_sum", labels, None, histogram.sum());
            line(out, name, "_count", labels, None, histogram.count() as f64);
        }
        Value::Summary(summary) => {
            for (quantile, value) in summary.quantiles() {
                line(out, name, "", labels, Some(("quantile", quantile)), value);
            }
            line(out, name, "_sum", labels, None, summary.sum());
            line(out, name, "_count", labels, None, summary.count() as f64);
        }
    }
}

fn line(out: &mut String, name: &str, suffix: &str, labels: &str, own: Option<(&str, f64)>, value: f64) {
    out.push_str(name);
    out.push_str(suffix);
    if own.is_some() || !labels.is_empty() {
        out.push('{');
        out.push_str(labels);
        if let Some((label, bound)) = own {
            out.push_str(if labels.is_empty() { "" } else { "," });
            out.push_str(label);
            out.push_str("=\"");
            number(out, bound);
            out.push('"');
        }
        out.push('}');
    }
    out.push(' ');
    number(out, value);
    out.push('\n');
}

fn number(out: &mut String, value: f64) {
    if value == f64::INFINITY {
        out.push_str("+Inf");
    } else if value == f64::NEG_INFINITY {
        out.push_str("-Inf");
    } else {
        write!(out, "{value}").expect("a String takes everything");
    }
}
