//! Templates and whom they are for.

use super::codes;
use super::context::Context;
use super::keys;
use super::rules::networks;
use crate::plan::RelativePath;
use crate::settings::{Body, MacPrefix, Profile, Template, Who};
use crate::template::{MARKS, NamePattern, Text};
use purlin_config::{Fault, Reader, TextFault, codes as general, nearest};

pub(super) fn read(top: &Reader<'_>, profiles: &[Profile], context: &mut Context<'_>) -> Vec<Template> {
    let tables = top.tables("templates", &[keys::TEMPLATE]);
    // The same name for other clients is what the conditions are for.
    let named = tables.iter().filter(|table| who(table) == Who::default());
    let named = named.filter_map(|table| {
        let name: String = table.opt("name")?;
        Some((name, table.path_of("name"), table.span_of("name")))
    });
    context.names_once("template", named.collect::<Vec<_>>());
    let templates = tables
        .iter()
        .filter_map(|table| template(table, top, profiles, context));
    templates.collect()
}

fn template(
    table: &Reader<'_>,
    top: &Reader<'_>,
    profiles: &[Profile],
    context: &mut Context<'_>,
) -> Option<Template> {
    let name = name(table, context);
    let body = body(table, top, profiles, context);
    Some(Template {
        name: name?,
        who: who(table),
        body: body?,
    })
}

fn name(table: &Reader<'_>, context: &mut Context<'_>) -> Option<NamePattern> {
    let text: String = table.opt("name")?;
    let name = NamePattern::parse(&text);
    name.map_err(|why| context.refuse_text(general::BAD_VALUE, (table, "name"), why))
        .ok()
}

fn body(
    table: &Reader<'_>,
    top: &Reader<'_>,
    profiles: &[Profile],
    context: &mut Context<'_>,
) -> Option<Body> {
    match (table.node("text"), table.node("file")) {
        (Some(_), Some(_)) => {
            let message = "a template has either `text` or `file`";
            context.refuse(
                general::CONTRADICTION,
                (table, "file"),
                message,
                "remove one of the two",
            );
            None
        }
        (Some(_), None) => {
            let text: String = table.opt("text")?;
            let parsed = Text::parse(&text)
                .map_err(|why| context.refuse_text(codes::BAD_TEMPLATE, (table, "text"), why))
                .ok()?;
            known_marks(table, &parsed, profiles, context);
            Some(Body::Text(parsed))
        }
        (None, Some(_)) => {
            if top.node("root").is_none() {
                let help = "set tftp.root, or write the text itself";
                context.refuse(
                    codes::NOTHING,
                    (table, "file"),
                    "there is no root to find the file below",
                    help,
                );
            }
            let path = RelativePath::parse(&table.opt::<String>("file")?);
            let message = "expected a path below the root, without \"..\"";
            path.map_err(|_| context.refuse(general::BAD_VALUE, (table, "file"), message, ""))
                .ok()
                .map(Body::File)
        }
        (None, None) => {
            let span = table.span();
            let fault = Fault::error(
                general::MISSING_KEY,
                table.path_of("text"),
                span,
                "the key `text` is missing",
            );
            context
                .faults
                .push(fault.help("set text, or file for a text below the root"));
            None
        }
    }
}

/// Marks that nothing will ever fill are typing errors; with a default they may be meant, so they are only told.
fn known_marks(table: &Reader<'_>, text: &Text, profiles: &[Profile], context: &mut Context<'_>) {
    let own = profiles
        .iter()
        .flat_map(|profile| profile.values.iter().map(|(name, _)| name.as_str()));
    let known: Vec<&str> = MARKS.into_iter().chain(own).collect();
    let Some(node) = table.node("text") else { return };
    for mark in text.marks().filter(|mark| !known.contains(&mark.name)) {
        let message = format!("no value is called `{}`", mark.name);
        let span = context
            .document
            .inside(node.span, text.as_str(), mark.at, mark.name.len() + 4);
        let fault = Fault::error(codes::UNKNOWN_MARK, table.path_of("text"), span, message);
        let fault = match nearest(mark.name, known.iter().copied()) {
            Some(near) => fault.note(format!("did you mean {{{{{near}}}}}?")),
            None => {
                fault.help("values of your own are set in [[boot.profiles]]: values = { name = \"...\" }")
            }
        };
        context.faults.push(if mark.has_default {
            fault.as_warning()
        } else {
            fault
        });
    }
}

/// Names that may be written.
pub(super) fn patterns(table: &Reader<'_>, key: &'static str, context: &mut Context<'_>) -> Vec<NamePattern> {
    let mut patterns = Vec::new();
    for (i, node) in table.items(key).iter().enumerate() {
        let Some(text) = node.as_str() else { continue };
        match NamePattern::parse(text) {
            Ok(pattern) => patterns.push(pattern),
            Err(TextFault { at, message, help }) => {
                let span = at.map_or(node.span, |(at, len)| {
                    context.document.inside(node.span, text, at, len)
                });
                let path = format!("{}[{i}]", table.path_of(key));
                let fault = Fault::error(general::BAD_VALUE, path, span, message).help(help);
                context.push_unless_known(node.span, fault);
            }
        }
    }
    patterns
}

/// The conditions of a table on who asks.
pub(super) fn who(table: &Reader<'_>) -> Who {
    let macs = table.items("macs").iter();
    Who {
        networks: networks(table),
        macs: macs.filter_map(|node| MacPrefix::parse(node.as_str()?)).collect(),
    }
}
