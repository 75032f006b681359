//! What a node starts from: the file with all its faults told, or the built-in demo, and the data directory.

use super::{Args, Renew, grown};
use crate::cli::{Context, DEFAULT_DATA_DIR};
use crate::exit::Failure;
use crate::output::Paint;
use crate::services;
use crate::settings::{self, Settings};
use purlin_config::{Document, Faults};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Where the demo looks for boot files, below the data directory.
pub(crate) const DEMO_TREE: &str = "boot";

/// A good configuration and where it came from.
#[derive(Debug, Clone)]
pub(super) struct Boot {
    /// `None` is the demo.
    pub(super) file: Option<PathBuf>,
    /// What the file says, without the environment: that is what becomes a revision.
    pub(super) config: Value,
    pub(super) data_dir: PathBuf,
    pub(super) renew: Option<Renew>,
    /// Leases in this node's own store are left behind.
    pub(super) leave_leases: bool,
}

impl Boot {
    /// Reads and checks; nothing is bound or made yet.
    ///
    /// # Errors
    /// When the file cannot be read, or with every fault of it.
    pub(super) fn read(args: &Args, context: &Context) -> Result<Self, Failure> {
        let named = context.named_data_dir().map(PathBuf::from);
        let demo_dir = named.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_DATA_DIR));
        let tree = std::path::absolute(demo_dir)?.join(DEMO_TREE);
        let (document, settings) = match &args.config {
            Some(file) => checked(file)?,
            None => {
                let mut faults = Faults::new();
                let document = Document::parse(services::demo(&tree), &mut faults);
                judged((document, faults), "the environment")?
            }
        };
        let data_dir = named.unwrap_or_else(|| PathBuf::from(&settings.node.data_dir));
        Ok(Self {
            file: args.config.clone(),
            config: grown::laid(document.to_json(), &settings, &data_dir)?,
            data_dir,
            renew: args.renew,
            leave_leases: args.leave_leases,
        })
    }

    /// The same with what the node was given when it grew.
    pub(super) fn with(&self, overlay: &Value) -> Self {
        let mut boot = self.clone();
        grown::lay(&mut boot.config, overlay);
        boot
    }

    /// For people: the file's name.
    pub(super) fn origin(&self) -> String {
        self.file
            .as_ref()
            .map_or_else(|| "built-in demo".to_owned(), |file| file.display().to_string())
    }
}

/// The file's own document, once it has proved good together with the environment.
pub(super) fn checked(file: &Path) -> Result<(Document, Settings), Failure> {
    let mut faults = Faults::new();
    let document = settings::parse_file(file, &mut faults)?;
    judged((document, faults), &file.display().to_string())
}

fn judged((document, mut faults): (Document, Faults), name: &str) -> Result<(Document, Settings), Failure> {
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
            Err(Failure::failed(
                format!("{name} is not a good configuration"),
                "correct the faults above",
            ))
        }
    }
}
