//! Nodes that came by a token: `purlin join`, and what it wrote.

use super::{Cluster, Member, bound_to_us, free_port};
use crate::lab::text_of;
use crate::process::run;
use serde_json::Value;

/// How `purlin join` ended.
#[derive(Debug)]
pub struct Tried {
    /// Its exit code.
    pub code: Option<i32>,
    pub said: String,
}

impl Cluster {
    /// A token that `member` makes, for `node` or for any.
    ///
    /// # Panics
    /// When none is made.
    #[must_use]
    pub fn token(&self, member: &Member, node: Option<&str>) -> (String, String) {
        let mut asked = vec!["cluster", "token", "create", "-o", "json"];
        asked.extend(node.iter().flat_map(|node| ["--for", *node]));
        let said = member.says(&asked);
        let made: Value = serde_json::from_str(&said).unwrap_or_else(|cause| panic!("{cause} in {said}"));
        let text = |key: &str| {
            made[key]
                .as_str()
                .unwrap_or_else(|| panic!("{key} in {said}"))
                .to_owned()
        };
        (text("id"), text("token"))
    }

    /// Runs `purlin join` for a node whose files are under `name`.
    #[must_use]
    pub fn join(&self, token: &str, name: &str, more: &[&str]) -> Tried {
        let (data, file) = (self.path(name), self.path(name).with_extension("toml"));
        let mut command = bound_to_us("purlin", "KILL");
        command.args([
            "join",
            token,
            "--data-dir",
            &text_of(&data),
            "--config",
            &text_of(&file),
        ]);
        let output = run(command.args(more));
        let said = [output.stdout, output.stderr].map(|octets| String::from_utf8_lossy(&octets).into_owned());
        Tried {
            code: output.status.code(),
            said: said.concat(),
        }
    }

    /// Starts the node that has joined under `name`, as what it was given says. All nodes of this cluster are on one
    /// machine, so it listens at other ports than `member`, whose configuration it has.
    ///
    /// # Panics
    /// When there is no configuration.
    #[must_use]
    pub fn start_joined(&self, id: &str, name: &str, member: &Member) -> Member {
        let file = self.path(name).with_extension("toml");
        let mut text = std::fs::read_to_string(&file).expect("joining has written it");
        let ports = [
            member.api.port(),
            member.metrics.port(),
            member.peers,
            member.dhcp,
        ];
        let moved = ports.map(|port| (port, free_port()));
        for (old, new) in moved {
            text = text.replace(&format!(":{old}\""), &format!(":{new}\""));
            text = text.replace(&format!("peer_port = {old}\n"), &format!("peer_port = {new}\n"));
        }
        std::fs::write(&file, text).expect("the folder is ours");
        Member::start_with(id, &self.path(name), moved.map(|(_, new)| new))
    }
}
