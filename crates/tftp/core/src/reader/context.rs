//! What all parts of the reader share: the document, the faults, and values that may be written in two places.

use super::codes;
use purlin_config::{Document, Fault, Faults, FromNode, Reader, Span, TextFault, codes as general};
use purlin_telemetry::ReasonCode;
use std::collections::HashMap;

pub(super) struct Context<'a> {
    pub(super) document: &'a Document,
    pub(super) faults: &'a mut Faults,
}

/// A key in a table.
pub(super) type Written<'r, 'a> = (&'r Reader<'a>, &'static str);

impl Context<'_> {
    /// A fault at a place, unless the schema check has already refused what is there.
    pub(super) fn push_unless_known(&mut self, span: Span, fault: Fault) {
        if !self.faults.has_error_in(span) {
            self.faults.push(fault);
        }
    }

    /// A fault about the value of a key.
    pub(super) fn refuse(
        &mut self,
        code: ReasonCode,
        (reader, key): Written<'_, '_>,
        message: impl Into<String>,
        help: &str,
    ) {
        let span = reader.span_of(key);
        let fault = Fault::error(code, reader.path_of(key), span, message).help(help);
        self.push_unless_known(span, fault);
    }

    /// The same, but the configuration still counts as good.
    pub(super) fn warn(
        &mut self,
        code: ReasonCode,
        (reader, key): Written<'_, '_>,
        message: impl Into<String>,
        help: &str,
    ) {
        let span = reader.span_of(key);
        let fault = Fault::error(code, reader.path_of(key), span, message).help(help);
        self.faults.push(fault.as_warning());
    }

    /// A fault inside a string.
    pub(super) fn refuse_text(&mut self, code: ReasonCode, (reader, key): Written<'_, '_>, why: TextFault) {
        let Some(node) = reader.node(key) else { return };
        let text = node.as_str().unwrap_or_default();
        let span = why.at.map_or(node.span, |(at, len)| {
            self.document.inside(node.span, text, at, len)
        });
        let fault = Fault::error(code, reader.path_of(key), span, why.message).help(why.help);
        self.push_unless_known(node.span, fault);
    }

    /// A value that Purlin's own key or keys of the performance guide may give. Twice with two meanings is a fault.
    pub(super) fn given<T: FromNode + PartialEq>(&mut self, places: &[Written<'_, '_>]) -> Option<T> {
        let mut first: Option<(T, Written<'_, '_>)> = None;
        for &(reader, key) in places {
            let Some(value) = reader.opt::<T>(key) else {
                continue;
            };
            match &first {
                None => first = Some((value, (reader, key))),
                Some((before, (there, name))) if *before != value => {
                    let message = format!("`{key}` says something else than {}", there.path_of(name));
                    let fault = Fault::error(
                        general::CONTRADICTION,
                        reader.path_of(key),
                        reader.span_of(key),
                        message,
                    );
                    self.faults.push(fault.related(there.span_of(name), "set here"));
                }
                Some(_) => {}
            }
        }
        first.map(|(value, _)| value)
    }

    /// The same with the default of Purlin's own key, which is the first place.
    pub(super) fn value<T: FromNode + PartialEq>(&mut self, places: &[Written<'_, '_>]) -> T {
        let (reader, key) = places[0];
        self.given(places).unwrap_or_else(|| reader.get(key))
    }

    /// Reports names that occur twice, each with its first place.
    pub(super) fn names_once(&mut self, what: &str, names: impl IntoIterator<Item = (String, String, Span)>) {
        let mut first: HashMap<String, Span> = HashMap::new();
        for (name, path, span) in names {
            match first.get(&name) {
                Some(before) => {
                    let message = format!("the {what} \"{name}\" is there twice");
                    let fault = Fault::error(codes::NAME_TWICE, path, span, message);
                    self.faults.push(fault.related(*before, "first used here"));
                }
                None => {
                    first.insert(name, span);
                }
            }
        }
    }

    /// Reports a lower bound above its upper bound.
    pub(super) fn ordered<T: FromNode + PartialOrd>(
        &mut self,
        code: ReasonCode,
        low: Written<'_, '_>,
        high: Written<'_, '_>,
    ) {
        let (Some(a), Some(b)) = (or_default::<T>(low), or_default::<T>(high)) else {
            return;
        };
        if a > b {
            let (at, to) = if low.0.node(low.1).is_some() {
                (low, high)
            } else {
                (high, low)
            };
            let message = format!("`{}` is above `{}`", low.1, high.1);
            let mut fault = Fault::error(code, at.0.path_of(at.1), at.0.span_of(at.1), message);
            match to.0.node(to.1) {
                Some(node) => fault = fault.related(node.span, format!("`{}` is set here", to.1)),
                None => fault = fault.help(format!("`{}` has its default", to.1)),
            }
            self.push_unless_known(at.0.span_of(at.1), fault);
        }
    }
}

/// The value of a key or its default; `None` where it has none.
fn or_default<T: FromNode>((reader, key): Written<'_, '_>) -> Option<T> {
    reader
        .opt(key)
        .or_else(|| reader.node(key).is_none().then(|| reader.get(key)))
}
