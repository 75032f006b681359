//! Client classes and the flexible identifier: names and expressions.

use super::codes;
use super::context::{Context, Place};
use super::keys::{self, SCOPE};
use super::scope::{self, Inherited};
use crate::expr::{Expr, Wanted};
use crate::plan::BuiltIn;
use crate::settings::Class;
use purlin_config::{Fault, Reader, Span};
use std::cell::RefCell;

/// Names of all classes and where they are; needed before anything refers to one.
pub(super) fn names(top: &Reader<'_>) -> Vec<(String, Span)> {
    let tables = top.tables("classes", &[keys::CLASS, SCOPE]);
    tables
        .iter()
        .filter_map(|class| Some((class.opt("name")?, class.span_of("name"))))
        .collect()
}

pub(super) fn read(top: &Reader<'_>, context: &mut Context<'_>) -> Vec<Class> {
    let tables = top.tables("classes", &[keys::CLASS, SCOPE]);
    if let Some(over) = tables.get(crate::CLASSES_MAX) {
        let message = format!(
            "{} classes; at most {} are possible",
            tables.len(),
            crate::CLASSES_MAX
        );
        context
            .faults
            .push(Fault::error(codes::TOO_MANY, over.path(), over.span(), message));
    }
    let named = tables
        .iter()
        .filter_map(|c| Some((c.opt("name")?, c.path_of("name"), c.span_of("name"))));
    let named: Vec<_> = named.collect();
    own_names(&named, context);
    context.names_once("class", named);
    let mut classes = Vec::new();
    for table in &tables {
        let test = expression(table, "test", Wanted::Test, context);
        let (scope, _) = scope::read(table, &Inherited::default(), context);
        if let Some(name) = table.opt("name") {
            classes.push(Class {
                name,
                test,
                scope,
                drop: table.get("drop"),
            });
        }
    }
    classes
}

/// A class of the user's must not hide one that every configuration has.
fn own_names(named: &[(String, String, Span)], context: &mut Context<'_>) {
    for (name, path, span) in named.iter().filter(|(name, ..)| BuiltIn::of(name).is_some()) {
        let fault = Fault::error(
            codes::NAME_TWICE,
            path,
            *span,
            format!("the class \"{name}\" is built in"),
        );
        let help = "guards and expressions can name it without a definition; give this class another name";
        context.faults.push(fault.help(help));
    }
}

/// `dhcp.flex_id`, checked.
pub(super) fn flex_id(top: &Reader<'_>, context: &mut Context<'_>) -> Option<String> {
    expression(top, "flex_id", Wanted::Value, context)
}

/// An expression that reads and names only classes that are there; faults point inside the string.
fn expression(reader: &Reader<'_>, key: &str, wanted: Wanted, context: &mut Context<'_>) -> Option<String> {
    let node = reader.node(key)?;
    let text = node.as_str()?.to_owned();
    let path = reader.path_of(key);
    match Expr::parse_with(&text, wanted, &context.defs) {
        Ok(mut expression) => {
            let members: RefCell<Vec<String>> = RefCell::default();
            expression.resolve_classes(|name| {
                members.borrow_mut().push(name.to_owned());
                None
            });
            for name in members.into_inner() {
                let quoted = text.find(&format!("'{name}'"));
                let span = quoted.map_or(node.span, |at| {
                    context.document.inside(node.span, &text, at + 1, name.len())
                });
                context.require_class(&name, Place::Expression, &path, span);
            }
        }
        Err(why) => {
            let span = context.document.inside(node.span, &text, why.at, why.len);
            let fault = Fault::error(codes::BAD_EXPRESSION, path, span, why.message).help(why.help);
            context.push_unless_known(node.span, fault);
        }
    }
    Some(text)
}
