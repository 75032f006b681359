//! The server judged by the tools of OVN and Open vSwitch.

mod clients;
mod durable;
mod judged;
mod rules;
mod sessions;
mod world;
