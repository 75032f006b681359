//! SIGHUP: the file is read again; what is new in it becomes a revision, what is wrong in it changes nothing.

use super::Renew;
use super::boot::{self, Boot};
use super::node::Node;
use super::{ground, grown};
use crate::log;
use crate::settings::Settings;
use purlin_api::revisions::{Note, Origin, Proposal};
use purlin_config::Document;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Remembers what the file said last.
#[derive(Debug)]
pub(super) struct Reloader {
    file: Option<PathBuf>,
    renew: Option<Renew>,
    data_dir: PathBuf,
    seen: Value,
}

impl Reloader {
    pub(super) fn new(boot: &Boot) -> Self {
        Self {
            file: boot.file.clone(),
            renew: boot.renew,
            data_dir: boot.data_dir.clone(),
            seen: boot.config.clone(),
        }
    }

    /// Reads and applies; everything there is to say goes to the log and, as a revision, to the event stream.
    pub(super) async fn reload(&mut self, node: &Node) {
        let Some(file) = self.file.clone() else {
            return log::info("there is no configuration file to read again");
        };
        let renewed = self.renew.map_or(Ok(()), |renew| renew(&self.data_dir));
        let laid = |(document, settings): (Document, Settings)| {
            grown::laid(document.to_json(), &settings, &self.data_dir)
        };
        let config = match renewed.and_then(|()| boot::checked(&file)).and_then(laid) {
            Ok(good) => good,
            Err(failure) => {
                node.tell_event("config.file", "refused", &failure.what);
                return log::error(&format!("{}; the configuration in effect stays", failure.what));
            }
        };
        if config == self.seen {
            return log::info(&format!("{} has not changed", file.display()));
        }
        if node.revisions.is_shared() {
            return self.reread(node, &file, config).await;
        }
        let note = Note {
            author: file.display().to_string(),
            origin: Origin::File,
            message: "read again on SIGHUP".to_owned(),
            if_revision: None,
            dry_run: false,
        };
        match node
            .revisions
            .apply(Proposal {
                config: config.clone(),
                note,
            })
            .await
        {
            Ok(change) => {
                self.seen = config;
                log::info(&format!(
                    "{}: revision {} is in effect",
                    file.display(),
                    change.revision
                ));
                change.impact.iter().for_each(|line| log::info(line));
                change
                    .warnings
                    .iter()
                    .for_each(|fault| log::warn(&format!("{}: {}", fault.path, fault.message)));
            }
            Err(problem) => {
                node.tell_event("config.file", "refused", problem.detail());
                log::error(&format!(
                    "{} was not applied: {}",
                    file.display(),
                    problem.detail()
                ));
            }
        }
    }

    /// The same among nodes that share one configuration.
    async fn reread(&mut self, node: &Node, file: &Path, config: Value) {
        let origin = file.display().to_string();
        match node.revisions.reread_file(&config, &origin).await {
            Ok((current, settled)) => {
                self.seen = config;
                ground::tell_settled(&settled, &current, &origin);
            }
            Err(problem) => {
                node.tell_event("config.file", "refused", problem.detail());
                log::error(&format!("{origin} was not applied: {}", problem.detail()));
            }
        }
    }
}
