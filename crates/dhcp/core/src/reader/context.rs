//! What all parts of the reader share: the document, the faults, and the names that others refer to.

use super::{class, codes, option};
use crate::plan::{BuiltIn, VENDOR_CLASS};
use crate::settings::OptionDef;
use purlin_config::{Document, Fault, Faults, Node, Reader, Span, nearest};
use std::collections::HashMap;

/// Where a class is named, which decides about the built-in ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A subnet's or pool's guard.
    Guard,
    /// `member('...')`.
    Expression,
    /// A reservation: it makes its client a member.
    Reservation,
}

impl Place {
    /// Whether a class that nobody defined can be named here.
    fn takes(self, name: &str) -> bool {
        match self {
            Self::Guard => BuiltIn::of(name).is_some(),
            Self::Expression => BuiltIn::of(name).is_some() || name.starts_with(VENDOR_CLASS),
            Self::Reservation => false,
        }
    }
}

pub(super) struct Context<'a> {
    pub(super) document: &'a Document,
    pub(super) faults: &'a mut Faults,
    pub(super) defs: Vec<OptionDef>,
    /// Names of classes and where they were defined.
    pub(super) classes: Vec<(String, Span)>,
    /// Whether another server gives addresses where a subnet does not say otherwise.
    pub(super) proxy: bool,
}

impl<'a> Context<'a> {
    pub(super) fn new(document: &'a Document, top: &Reader<'_>, faults: &'a mut Faults) -> Self {
        let mut context = Self {
            document,
            faults,
            defs: Vec::new(),
            classes: Vec::new(),
            proxy: top.get("proxy"),
        };
        context.defs = option::definitions(top, &mut context);
        context.classes = class::names(top);
        context
    }

    /// A fault at a place, unless the schema check has already refused what is there.
    pub(super) fn push_unless_known(&mut self, span: Span, fault: Fault) {
        if !self.faults.has_error_in(span) {
            self.faults.push(fault);
        }
    }

    /// The names of classes in a list, each of which must be there in this place.
    pub(super) fn class_names(&mut self, reader: &Reader<'_>, key: &str, place: Place) -> Vec<String> {
        let mut names = Vec::new();
        for (i, node) in reader.items(key).iter().enumerate() {
            if let Some(name) = node.as_str() {
                self.require_class(name, place, &format!("{}[{i}]", reader.path_of(key)), node.span);
                names.push(name.to_owned());
            }
        }
        names
    }

    /// Reports a class name that means nothing where it stands.
    pub(super) fn require_class(&mut self, name: &str, place: Place, path: &str, span: Span) {
        if self.classes.iter().any(|(known, _)| known == name) || place.takes(name) {
            return;
        }
        let message = match BuiltIn::of(name) {
            Some(_) => format!("\"{name}\" follows from the packet and cannot be given"),
            None => format!("there is no class \"{name}\""),
        };
        let fault = Fault::error(codes::UNKNOWN_CLASS, path, span, message);
        let built_in = BuiltIn::EVERY
            .map(BuiltIn::name)
            .into_iter()
            .filter(|name| place.takes(name));
        let defined = self.classes.iter().map(|(name, _)| name.as_str());
        let known: Vec<&str> = defined.chain(built_in).collect();
        let fault = match nearest(name, known.iter().copied()) {
            Some(near) => fault.note(format!("did you mean \"{near}\"?")),
            None if self.classes.is_empty() => {
                fault.help("no classes are defined; add one in [[dhcp.classes]]")
            }
            None => fault.help(format!(
                "there are: {}",
                known.into_iter().take(16).collect::<Vec<_>>().join(", ")
            )),
        };
        self.faults.push(fault);
    }

    /// Reports names that occur twice, each with its first place. `what` is the kind of thing, e.g. `subnet`.
    pub(super) fn names_once(&mut self, what: &str, names: impl IntoIterator<Item = (String, String, Span)>) {
        let mut first: HashMap<String, Span> = HashMap::new();
        for (name, path, span) in names {
            match first.get(&name) {
                Some(before) => {
                    let message = format!("the {what} name \"{name}\" is used twice");
                    let fault = Fault::error(codes::NAME_TWICE, path, span, message);
                    self.faults.push(fault.related(*before, "first used here"));
                }
                None => {
                    first.insert(name, span);
                }
            }
        }
    }
}

/// The place of a part of a string value.
pub(super) fn part_of(document: &Document, node: &Node, part: &str) -> Span {
    let Some(text) = node.as_str().filter(|_| !part.is_empty()) else {
        return node.span;
    };
    text.find(part)
        .map_or(node.span, |at| document.inside(node.span, text, at, part.len()))
}
