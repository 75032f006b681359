//! `purlin dhcp`: what the DHCP service knows and does.

mod decision;
mod forecast;
mod lease;
mod object;
mod pin;
mod probe;

use super::Context;
use crate::exit::Outcome;
use clap::Subcommand;
use object::{CLASSES, POOLS, RESERVATIONS, SUBNETS};

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
    /// Addresses that another part of the installation gives to machines, such as OVN's ports.
    #[command(subcommand)]
    Pin(pin::Command),
    /// Client classes.
    #[command(subcommand)]
    Class(object::Command),
    /// Leases.
    #[command(subcommand)]
    Lease(lease::Command),
    /// When the pools of each subnet will be full, and how far that is to be believed.
    #[command(after_help = forecast::EXAMPLES)]
    Forecast(crate::cli::ListArgs),
    /// Decisions: who got what, who did not, and why.
    #[command(subcommand)]
    Decision(decision::Command),
    /// Ask any server for a lease as a real client would; shows each step and what was granted.
    Probe(Box<probe::ProbeArgs>),
}

pub(super) fn run(command: Command, context: &Context) -> Outcome {
    match command {
        Command::Subnet(verb) => context.block_on(object::run(&SUBNETS, &verb, context)),
        Command::Pool(verb) => context.block_on(object::run(&POOLS, &verb, context)),
        Command::Reservation(verb) => context.block_on(object::run(&RESERVATIONS, &verb, context)),
        Command::Pin(verb) => context.block_on(pin::run(&verb, context)),
        Command::Class(verb) => context.block_on(object::run(&CLASSES, &verb, context)),
        Command::Lease(verb) => context.block_on(lease::run(&verb, context)),
        Command::Decision(verb) => context.block_on(decision::run(&verb, context)),
        Command::Forecast(args) => context.block_on(forecast::run(&args, context)),
        Command::Probe(args) => probe::run(&args, context),
    }
}
