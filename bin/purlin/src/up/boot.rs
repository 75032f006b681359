//! What a node starts from: the file with all its faults told, or the built-in demo, and the data directory.

use super::Args;
use crate::cli::Context;
use crate::exit::Failure;
use crate::output::Paint;
use crate::settings::{self, Settings};
use purlin_config::{Document, Faults, Input};
use serde_json::Value;
use std::path::PathBuf;

/// A good configuration and where it came from.
#[derive(Debug)]
pub(super) struct Boot {
    /// `None` is the demo.
    pub(super) file: Option<PathBuf>,
    /// What the file says, without the environment: that is what becomes a revision.
    pub(super) config: Value,
    pub(super) data_dir: PathBuf,
}

impl Boot {
    /// Reads and checks; nothing is bound or made yet.
    ///
    /// # Errors
    /// When the file cannot be read, or with every fault of it.
    pub(super) fn read(args: &Args, context: &Context) -> Result<Self, Failure> {
        let (document, settings) = checked(args.config.as_ref())?;
        let named = context.named_data_dir().map(PathBuf::from);
        Ok(Self {
            file: args.config.clone(),
            config: document.to_json(),
            data_dir: named.unwrap_or_else(|| PathBuf::from(&settings.node.data_dir)),
        })
    }

    /// For people: the file's name.
    pub(super) fn origin(&self) -> String {
        self.file
            .as_ref()
            .map_or_else(|| "built-in demo".to_owned(), |file| file.display().to_string())
    }
}

/// The file's own document, once it has proved good together with the environment.
pub(super) fn checked(file: Option<&PathBuf>) -> Result<(Document, Settings), Failure> {
    let mut faults = Faults::new();
    let document = match file {
        Some(file) => settings::parse_file(file, &mut faults)?,
        None => Document::parse(
            [Input::builtin("demo.toml", purlin_dhcp_core::reader::demo())],
            &mut faults,
        ),
    };
    let mut effective = document.clone();
    settings::overlay_environment(&mut effective, &mut faults);
    let settings = if faults.has_errors() {
        None
    } else {
        settings::check(&effective, &mut faults)
    };
    let told = faults.to_text(&effective, Paint::stderr().is_on());
    match settings {
        Some(settings) => {
            if !faults.is_empty() {
                eprintln!("{}", told.trim_end());
            }
            Ok((document, settings))
        }
        None => {
            eprintln!("{}", told.trim_end());
            let name = file.map_or_else(|| "the environment".to_owned(), |file| file.display().to_string());
            Err(Failure::failed(
                format!("{name} is not a good configuration"),
                "correct the faults above",
            ))
        }
    }
}
