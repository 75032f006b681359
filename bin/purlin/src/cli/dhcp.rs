//! `purlin dhcp`: what the DHCP service knows and does.

mod lease;
mod object;

use super::Context;
use crate::exit::Outcome;
use clap::Subcommand;
use object::{CLASSES, POOLS, RESERVATIONS, SUBNETS};
use serde_json::Value;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Subnets and how full they are.
    #[command(subcommand)]
    Subnet(object::Command),
    /// Ranges of addresses for dynamic leases.
    #[command(subcommand)]
    Pool(object::Command),
    /// Fixed answers for single clients.
    #[command(subcommand)]
    Reservation(object::Command),
    /// Client classes.
    #[command(subcommand)]
    Class(object::Command),
    /// Leases.
    #[command(subcommand)]
    Lease(lease::Command),
}

pub(super) fn run(command: Command, context: &Context) -> Outcome {
    match command {
        Command::Subnet(verb) => context.block_on(object::run(&SUBNETS, &verb, context)),
        Command::Pool(verb) => context.block_on(object::run(&POOLS, &verb, context)),
        Command::Reservation(verb) => context.block_on(object::run(&RESERVATIONS, &verb, context)),
        Command::Class(verb) => context.block_on(object::run(&CLASSES, &verb, context)),
        Command::Lease(verb) => context.block_on(lease::run(&verb, context)),
    }
}

/// The rows of a list answer: `{"items": [...]}` or a bare array.
pub(crate) fn items(answer: &Value) -> &[Value] {
    answer
        .get("items")
        .unwrap_or(answer)
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
}

/// The cursor of the next page.
pub(crate) fn next_cursor(answer: &Value) -> Option<String> {
    match ["next", "next_cursor", "cursor"]
        .into_iter()
        .find_map(|key| answer.get(key))?
    {
        Value::String(cursor) if !cursor.is_empty() => Some(cursor.clone()),
        Value::Number(cursor) => Some(cursor.to_string()),
        _ => None,
    }
}
