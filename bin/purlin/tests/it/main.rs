//! The binary as its users meet it: started as a process, judged by output and exit code.

mod api;
mod command_line;
mod config;
mod harness;
mod names;
mod node;
mod reload;
mod restored;
