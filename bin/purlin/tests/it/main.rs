//! The binary as its users meet it: started as a process, judged by output and exit code.

mod api;
mod boot;
#[cfg(feature = "chain")]
mod chain_demo;
#[cfg(feature = "chain")]
mod chain_files;
#[cfg(feature = "chain")]
mod chain_snapshot;
#[cfg(feature = "chain")]
mod chain_tools;
mod command_line;
mod compose;
mod config;
mod deploy;
mod guide_page;
mod harness;
mod names;
mod nbctl;
mod node;
mod ovn;
mod ovn_bench;
mod ovn_explain;
mod ovn_history;
mod ovn_ports;
mod reload;
mod restored;
mod schema;
mod tftpd;
