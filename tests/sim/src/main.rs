//! Runs seeds: one with its story, or many with a line of progress.

mod cli;

use clap::Parser;
use cli::{Form, Options};
use std::process::ExitCode;

fn main() -> ExitCode {
    let options = Options::parse();
    let (held, shown) = if options.rules {
        (true, cli::rules(options.form()))
    } else if let Some(seed) = options.seed {
        cli::single(&options, seed)
    } else {
        cli::many(&options)
    };
    match options.form() {
        Form::Text => print!("{shown}"),
        Form::Json => println!("{}", shown.trim_end()),
    }
    ExitCode::from(u8::from(!held))
}
