//! A northbound of three members, a southbound on its own, and ovn-northd between them.

use super::{Daemon, Mounted, World};
use purlin_ovn_server::{Operating, Platform, Settings, Tools};
use purlin_ovsdb::client::{Config, parse_endpoints};
use serde_json::Value;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

pub(crate) struct Raft {
    pub(crate) world: World,
    pub(crate) platform: Platform,
    northd: Option<Daemon>,
}

const DATABASE: &str = "OVN_Northbound";

impl Raft {
    pub(crate) async fn new(operating: Operating) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let at = folder.path().to_owned();
        let raft = |n: usize| format!("unix:{}", at.join(format!("nb{n}.raft")).display());
        let schema = "/usr/share/ovn/ovn-nb.ovsschema";
        tool(
            &at,
            &[
                "--election-timer=1000",
                "create-cluster",
                "nb1.db",
                schema,
                &raft(1),
            ],
        );
        for n in 2..=3 {
            tool(
                &at,
                &["join-cluster", &format!("nb{n}.db"), DATABASE, &raft(n), &raft(1)],
            );
        }
        tool(&at, &["create", "sb.db", "/usr/share/ovn/ovn-sb.ovsschema"]);
        let daemons = ["nb1", "nb2", "nb3", "sb"].map(|name| Daemon(server(&at, name)));
        let endpoint = |name: &str| format!("unix:{}", at.join(format!("{name}.sock")).display());
        let north = ["nb1", "nb2", "nb3"].map(endpoint).join(",");
        let config = |database: &str, endpoints: &str| {
            Config::new(database, parse_endpoints(endpoints).expect("endpoints"))
        };
        let platform = Platform::start(Settings {
            northbound: config(DATABASE, &north),
            southbound: Some(config("OVN_Southbound", &endpoint("sb"))),
            origin: "given",
            unattended: false,
            tools: Tools {
                folder: at.join("scratch"),
                tls: None,
            },
        });
        let northd = Command::new("ovn-northd")
            .arg(format!("--ovnnb-db={north}"))
            .arg(format!("--ovnsb-db={}", endpoint("sb")))
            .arg(format!("--unixctl={}", at.join("northd.ctl").display()))
            .stderr(Stdio::null())
            .spawn();
        platform.operate(Operating {
            controls: vec![at.clone()],
            ..operating
        });
        let mounted = Mounted::of(&at, &platform).await;
        let world = World {
            router: mounted.router,
            tokens: mounted.tokens,
            daemons: daemons.into(),
            _store: mounted.store,
            folder,
        };
        let rig = Self {
            world,
            platform,
            northd: Some(Daemon(northd.expect("ovn-northd starts"))),
        };
        rig.until(|look| look["databases"][0]["members_alive"] == 3 && look["northd"]["nb_cfg"].is_number())
            .await;
        rig
    }

    pub(crate) async fn until(&self, holds: impl Fn(&Value) -> bool) -> Value {
        self.world.until("/api/v1/ovn/operations", holds).await
    }

    /// The place of the leader among the members.
    pub(crate) async fn leader(&self) -> usize {
        let look = self
            .until(|look| look["databases"][0]["leader"].is_string())
            .await;
        let members = look["databases"][0]["members"]
            .as_array()
            .expect("members")
            .clone();
        let leads = members.iter().position(|member| member["role"] == "leader");
        leads.expect("one of them leads")
    }

    /// As if the power went at one member.
    pub(crate) fn kill(&mut self, at: usize) {
        let child = &mut self.world.daemons[at].0;
        child.kill().expect("it runs");
        child.wait().expect("it is ours");
        // A socket that nobody serves any more.
        let name = format!("nb{}.ctl", at + 1);
        std::fs::remove_file(self.world.folder.path().join(name)).expect("it was there");
    }

    pub(crate) fn northd(&self, signal: &str) {
        let pid = self.northd.as_ref().expect("it runs").0.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status();
        assert!(sent.expect("kill runs").success());
    }

    pub(crate) fn kill_northd(&mut self) {
        self.northd = None;
    }

    pub(crate) fn sbctl(&self, words: &str) {
        let db = format!("--db=unix:{}", self.world.folder.path().join("sb.sock").display());
        let told = Command::new("ovn-sbctl")
            .args([&db, "--timeout=10"])
            .args(words.split_whitespace())
            .output()
            .expect("ovn-sbctl runs");
        assert!(
            told.status.success(),
            "{words}: {}",
            String::from_utf8_lossy(&told.stderr)
        );
    }
}

/// Alarms at once.
pub(crate) fn hasty() -> Operating {
    Operating {
        northd_lag_max: Duration::from_millis(100),
        chassis_stale_after: Duration::from_millis(100),
        ..Operating::default()
    }
}

fn tool(folder: &Path, arguments: &[&str]) {
    let made = Command::new("ovsdb-tool")
        .args(arguments)
        .current_dir(folder)
        .output();
    let made = made.expect("ovsdb-tool runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

fn server(folder: &Path, name: &str) -> Child {
    Command::new("ovsdb-server")
        .arg(format!(
            "--remote=punix:{}",
            folder.join(format!("{name}.sock")).display()
        ))
        .arg(format!(
            "--unixctl={}",
            folder.join(format!("{name}.ctl")).display()
        ))
        .arg(folder.join(format!("{name}.db")))
        .stderr(Stdio::null())
        .spawn()
        .expect("ovsdb-server starts")
}
