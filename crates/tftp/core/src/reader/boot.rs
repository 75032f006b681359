//! `[boot]`: profiles.

use super::codes;
use super::context::Context;
use super::keys;
use crate::profile::ARCHITECTURES;
use crate::settings::{Fits, Profile};
use crate::template::{MARKS, is_name};
use purlin_config::{Fault, Node, Reader, codes as general, nearest};

pub(super) fn profiles(context: &mut Context<'_>) -> Vec<Profile> {
    let top = Reader::section(context.document, &keys::BOOT);
    let tables = top.tables("profiles", &[keys::PROFILE]);
    let named = tables
        .iter()
        .filter_map(|table| Some((table.opt("name")?, table.path_of("name"), table.span_of("name"))));
    context.names_once("profile", named.collect::<Vec<_>>());
    let mut profiles: Vec<Profile> = Vec::new();
    for table in &tables {
        let Some(profile) = profile(table, context) else {
            continue;
        };
        if let Some(before) = profiles.iter().find(|before| covers(&before.fits, &profile.fits)) {
            let message = format!(
                "no client gets here: the profile \"{}\" fits all of them first",
                before.name
            );
            context.warn(
                codes::NEVER_REACHED,
                (table, "name"),
                message,
                "put the profile with more conditions first",
            );
        }
        profiles.push(profile);
    }
    profiles
}

fn profile(table: &Reader<'_>, context: &mut Context<'_>) -> Option<Profile> {
    let architectures = match table.node("arch") {
        None => Vec::new(),
        Some(node) => match node.as_list() {
            Some(items) => items
                .iter()
                .filter_map(|item| arch(item, table, context))
                .collect(),
            None => arch(node, table, context).into_iter().collect(),
        },
    };
    let values = values(table, context);
    let file: String = table.opt("file")?;
    if file.starts_with("http") && !file.contains("://") {
        let message = "a URL has :// behind its scheme";
        context.refuse(
            general::BAD_VALUE,
            (table, "file"),
            message,
            "write http://server/path",
        );
    }
    if file.chars().any(char::is_control) {
        context.refuse(
            general::BAD_VALUE,
            (table, "file"),
            "a file name has no control characters",
            "",
        );
    }
    Some(Profile {
        name: table.opt("name")?,
        fits: Fits {
            architectures,
            user_class: table.opt("user_class"),
            macs: table.opt("macs").unwrap_or_default(),
            subnets: table.opt("subnets").unwrap_or_default(),
        },
        file,
        server: table.opt("server"),
        values,
    })
}

fn values(table: &Reader<'_>, context: &mut Context<'_>) -> Vec<(String, String)> {
    let entries = table.node("values").and_then(Node::as_table);
    let mut values = Vec::new();
    for entry in entries.map_or(&[][..], |table| &table.entries) {
        let reserved = MARKS.contains(&entry.key.as_str());
        if reserved || !is_name(&entry.key) {
            let message = match reserved {
                true => format!("`{}` is a mark that every template has", entry.key),
                false => format!("`{}` is no name for a value", entry.key),
            };
            let path = format!("{}.{}", table.path_of("values"), entry.key);
            context
                .faults
                .push(Fault::error(codes::BAD_NAME, path, entry.key_span, message));
        }
        if let Some(value) = entry.node.as_str() {
            values.push((entry.key.clone(), value.to_owned()));
        }
    }
    values
}

fn arch(node: &Node, table: &Reader<'_>, context: &mut Context<'_>) -> Option<String> {
    let text = node.as_str()?;
    let word = text.trim().to_ascii_lowercase().replace('_', "-");
    if ARCHITECTURES.contains(&word.as_str()) {
        return Some(word);
    }
    let message = format!("there is no architecture {text:?}");
    let fault = Fault::error(
        codes::UNKNOWN_ARCHITECTURE,
        table.path_of("arch"),
        node.span,
        message,
    );
    let fault = match nearest(&word, ARCHITECTURES) {
        Some(near) => fault.note(format!("did you mean \"{near}\"?")),
        None => {
            fault.help("write a name such as \"bios\", \"uefi-x64\", \"uefi-arm64\" or \"uefi-x64-http\"")
        }
    };
    context.push_unless_known(node.span, fault);
    None
}

/// Whether whoever fits `later` fits `first` too, and gets that. One that names a user class comes before those that
/// name none, wherever it stands.
fn covers(first: &Fits, later: &Fits) -> bool {
    fn within<T: PartialEq>(first: &[T], later: &[T]) -> bool {
        first.is_empty() || (!later.is_empty() && later.iter().all(|item| first.contains(item)))
    }
    within(&first.architectures, &later.architectures)
        && first.user_class == later.user_class
        && within(&first.macs, &later.macs)
        && within(&first.subnets, &later.subnets)
}
