//! A running `purlin lb`.

use crate::lab::text_of;
use crate::need;
use crate::process::{Process, run};
use crate::wait::{LIMIT, within};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A balancer alone, whose fronts listen at whatever port is free.
#[derive(Debug)]
pub struct Front {
    process: Process,
    data: PathBuf,
}

impl Front {
    /// Starts it with these fronts (TOML), its files in `folder`. `command` makes a command where it shall run.
    ///
    /// # Panics
    /// When it does not begin to answer.
    #[must_use]
    pub fn start(folder: &Path, fronts: &str, command: impl Fn(&str, &[&str]) -> Command) -> Self {
        let (file, data) = (folder.join("lb.toml"), folder.join("lb"));
        let text = format!(
            "[node]\nid = \"lb\"\n\n[api]\nhttp = [\"127.0.0.1:0\"]\nhttps = []\nmetrics = []\n\n{fronts}"
        );
        std::fs::write(&file, text).expect("the folder is ours");
        let binary = text_of(&need::purlin().expect("asked for before"));
        let (file, place) = (text_of(&file), text_of(&data));
        let words = ["lb", "--config", &file, "--data-dir", &place];
        let process = Process::start(command(&binary, &words), folder.join("lb.log"));
        let mut front = Self { process, data };
        let up = within(LIMIT, || {
            let ended = !front.process.is_running();
            (ended || front.data.join("node.json").is_file()).then_some(!ended)
        });
        assert_eq!(up, Some(true), "{}", front.process.said());
        front
    }

    /// What `purlin lb ...` prints with `-o json`; it may be asked from any network, for it is asked by `command`.
    ///
    /// # Panics
    /// When it fails.
    #[must_use]
    pub fn asked(&self, arguments: &[&str], command: impl Fn(&str, &[&str]) -> Command) -> Value {
        let binary = text_of(&need::purlin().expect("asked for before"));
        let place = text_of(&self.data);
        let mut words = vec!["lb"];
        words.extend(arguments);
        words.extend(["-o", "json", "--data-dir", &place]);
        let output = run(&mut command(&binary, &words));
        let said = [output.stdout, output.stderr].map(|octets| String::from_utf8_lossy(&octets).into_owned());
        assert!(
            output.status.success(),
            "{words:?}: {said:?}\n{}",
            self.process.said()
        );
        serde_json::from_str(&said[0]).unwrap_or_else(|cause| panic!("{cause} in {said:?}"))
    }

    /// Ends it in order.
    pub fn stop(&mut self) {
        self.process.signal("TERM");
        assert!(self.process.ended(), "{}", self.process.said());
    }
}
