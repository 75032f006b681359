//! One node of a cluster, and the questions that tests ask it.

mod ask;

use super::campus::Host;
use super::{Extra, bound_to_us, free_port, program};
use crate::lab::text_of;
use crate::process::{Process, run};
use crate::wait::{LIMIT, within};
use serde_json::Value;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

const SUBNET: &str = "[[dhcp.subnets]]\nname = \"all\"\nnetwork = \"10.0.0.0/16\"\ngateway = \"10.0.0.1\"\n\
    pools = [\"10.0.1.0-10.0.255.254\"]\n";

/// A running `purlin up`.
#[derive(Debug)]
pub struct Member {
    pub id: String,
    pub process: Process,
    /// UDP port of its DHCP server.
    pub dhcp: u16,
    /// Where it shows its metrics to everybody.
    pub metrics: SocketAddr,
    /// Where other nodes reach it.
    pub(super) peers: u16,
    /// Where its API answers, on its own machine.
    pub(super) api: SocketAddr,
    data: PathBuf,
    /// Its machine, when it has one of its own.
    host: Option<Arc<Host>>,
    lives: u32,
}

/// Where a node listens on loopback.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ports {
    pub(super) api: u16,
    pub(super) metrics: u16,
    pub(super) peers: u16,
}

impl Ports {
    pub(super) fn free() -> Self {
        Self {
            api: free_port(),
            metrics: free_port(),
            peers: free_port(),
        }
    }
}

impl Member {
    /// A process that was started on loopback, and serves no addresses.
    pub(super) fn running(id: &str, process: Process, ports: Ports, data: &Path) -> Self {
        Self {
            id: id.to_owned(),
            process,
            dhcp: 0,
            metrics: (Ipv4Addr::LOCALHOST, ports.metrics).into(),
            api: (Ipv4Addr::LOCALHOST, ports.api).into(),
            data: data.to_owned(),
            peers: ports.peers,
            host: None,
            lives: 1,
        }
    }

    /// On loopback.
    pub(super) fn start(id: &str, data: &Path, database: u16, redis: Option<u16>, extra: Extra) -> Self {
        let subnets = format!("{SUBNET}\n{}", extra.more);
        let seat = Seat {
            store: format!("postgresql://purlin@127.0.0.1:{database}/purlin"),
            redis: redis.map(|port| format!("redis://127.0.0.1:{port}")),
            coordination: extra.coordination,
            dhcp_settings: extra.dhcp,
            subnets: &subnets,
            takeover: if extra.patient { "normal" } else { "fast" },
            ..Seat::on_loopback(id, data)
        };
        Self::sit(&seat, None)
    }

    /// On loopback, with the database at `store`.
    pub(super) fn start_by(id: &str, data: &Path, store: &str) -> Self {
        let seat = Seat {
            store: store.to_owned(),
            ..Seat::on_loopback(id, data)
        };
        Self::sit(&seat, None)
    }

    /// On loopback, alone: its leases are in its own folder.
    pub(super) fn start_alone(id: &str, data: &Path, more: &str) -> Self {
        let subnets = format!("{SUBNET}\n{more}");
        let seat = Seat {
            subnets: &subnets,
            ..Seat::on_loopback(id, data)
        };
        Self::sit(&seat, None)
    }

    /// With this configuration, on a machine of its own or on loopback.
    pub(super) fn sit(seat: &Seat<'_>, host: Option<Arc<Host>>) -> Self {
        let file = seat.data.with_extension("toml");
        std::fs::write(&file, seat.text()).expect("the folder is ours");
        let process = begin(seat.data, host.as_deref(), 1);
        Self {
            id: seat.id.to_owned(),
            process,
            dhcp: seat.dhcp,
            metrics: (seat.address, seat.metrics).into(),
            peers: seat.peers,
            api: (Ipv4Addr::LOCALHOST, seat.api).into(),
            data: seat.data.to_owned(),
            host,
            lives: 1,
        }
    }

    /// On loopback, with the configuration that is there; its ports are API, metrics, peers and DHCP.
    pub(super) fn start_with(id: &str, data: &Path, [api, metrics, peers, dhcp]: [u16; 4]) -> Self {
        Self {
            id: id.to_owned(),
            process: begin(data, None, 1),
            dhcp,
            metrics: (Ipv4Addr::LOCALHOST, metrics).into(),
            peers,
            api: (Ipv4Addr::LOCALHOST, api).into(),
            data: data.to_owned(),
            host: None,
            lives: 1,
        }
    }

    /// One more life on the same data, after the former one has ended.
    pub fn start_again(&mut self) {
        self.lives += 1;
        self.process = begin(&self.data, self.host.as_deref(), self.lives);
    }

    /// Sets its wall clock this many ms off, from now on. Only builds with debug assertions have such a clock.
    ///
    /// # Panics
    /// When the file cannot be written.
    pub fn set_clock(&self, off_ms: i64) {
        // Whole at once: the node may look at any moment.
        let (file, draft) = (clock_file(&self.data), self.data.with_extension("wall-draft"));
        std::fs::write(&draft, off_ms.to_string()).expect("the folder is ours");
        std::fs::rename(draft, file).expect("the folder is ours");
    }

    /// A command on this node's machine.
    fn command(&self, name: &str) -> Command {
        command_on(self.host.as_deref(), name)
    }

    /// Where its API answers, on its own machine.
    #[must_use]
    pub fn api(&self) -> SocketAddr {
        self.api
    }

    /// The token that it made at its first start; valid at all nodes.
    #[must_use]
    pub fn admin_token(&self) -> String {
        let token = std::fs::read_to_string(self.data.join("admin-token"));
        token.expect("made at the start").trim().to_owned()
    }

    /// Status and body of `GET path` with the admin token; `None` while it does not answer.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<(u16, Value)> {
        let token = std::fs::read_to_string(self.data.join("admin-token")).ok()?;
        let token = format!("authorization: Bearer {}", token.trim());
        let url = format!("http://{}{path}", self.api);
        let mut curl = self.command("curl");
        curl.args([
            "-s",
            "--max-time",
            "10",
            "-w",
            "\n%{http_code}",
            "-H",
            &token,
            &url,
        ]);
        let said = String::from_utf8_lossy(&run(&mut curl).stdout).into_owned();
        let (body, status) = said.rsplit_once('\n')?;
        Some((status.parse().ok()?, serde_json::from_str(body).ok()?))
    }

    /// The command line that asks this node: told where it is behind everything else, but before another program's line.
    fn asked(&self, arguments: &[&str]) -> Vec<String> {
        let end = arguments.iter().position(|word| *word == "--");
        let (own, others) = arguments.split_at(end.unwrap_or(arguments.len()));
        let data = text_of(&self.data);
        [own, &["--data-dir", &data], others]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect()
    }

    /// What `purlin ...` says when it asks this node.
    ///
    /// # Panics
    /// When it fails.
    #[must_use]
    pub fn says(&self, arguments: &[&str]) -> String {
        let mut command = self.command("purlin");
        let output = run(command.args(self.asked(arguments)));
        let said = [output.stdout, output.stderr].map(|octets| String::from_utf8_lossy(&octets).into_owned());
        assert!(
            output.status.success(),
            "{arguments:?}: {said:?}\n{}",
            self.process.said()
        );
        said.concat()
    }

    /// What `purlin doctor` finds when it asks this node: name, grade and detail of each.
    ///
    /// # Panics
    /// When it says no JSON.
    #[must_use]
    pub fn doctor(&self, arguments: &[&str]) -> Vec<(String, String, String)> {
        let mut command = self.command("purlin");
        let output = run(command.args(self.asked(&[&["doctor", "-o", "json"], arguments].concat())));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let found: Value = serde_json::from_str(&said)
            .unwrap_or_else(|cause| panic!("{cause}: {said:?} {}", String::from_utf8_lossy(&output.stderr)));
        let rows = found.as_array().or_else(|| found["items"].as_array());
        let rows = rows.or_else(|| found["findings"].as_array()).expect("findings");
        let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
        rows.iter()
            .map(|row| (text(row, "name"), text(row, "grade"), text(row, "detail")))
            .collect()
    }

    /// What a scrape of its metrics gives.
    #[must_use]
    pub fn scrape(&self) -> String {
        let mut curl = self.command("curl");
        curl.args([
            "-s",
            "--max-time",
            "10",
            &format!("http://{}/metrics", self.metrics),
        ]);
        String::from_utf8_lossy(&run(&mut curl).stdout).into_owned()
    }

    /// All nodes as this one sees them.
    #[must_use]
    pub fn members(&self) -> Option<Vec<Value>> {
        let (_, body) = self.get("/api/v1/cluster/nodes")?;
        body["items"].as_array().cloned()
    }

    /// Whether it counts as ready, and the checks that do not pass, as one text.
    #[must_use]
    pub fn readiness(&self) -> Option<(bool, String)> {
        let (status, body) = self.get("/health/ready")?;
        let failed = body["checks"]
            .as_array()?
            .iter()
            .filter(|check| check["state"] != "pass");
        let says: Vec<String> = failed.map(|check| check["says"].to_string()).collect();
        Some((status == 200, says.join("; ")))
    }

    /// Waits until `holds`.
    ///
    /// # Panics
    /// When it does not; with what the node said.
    pub fn until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let held = within(LIMIT, || holds().then_some(()));
        assert!(
            held.is_some(),
            "waited in vain until {what}\n{:?}\n{:?}\n{}",
            self.get("/api/v1/cluster/nodes"),
            self.get("/health"),
            self.process.said()
        );
    }
}

/// What a node's configuration is made of.
#[derive(Debug)]
pub(super) struct Seat<'a> {
    pub(super) id: &'a str,
    pub(super) data: &'a Path,
    pub(super) address: Ipv4Addr,
    pub(super) api: u16,
    /// Where it shows metrics, beside the API.
    pub(super) metrics: u16,
    pub(super) peers: u16,
    pub(super) dhcp: u16,
    /// Where the database is; empty for a node alone.
    pub(super) store: String,
    /// Where Redis is; without, nodes have no hints in common.
    pub(super) redis: Option<String>,
    pub(super) takeover: &'a str,
    /// More lines of `[coordination]`, where there is Redis.
    pub(super) coordination: &'a str,
    /// More lines of `[dhcp]`.
    pub(super) dhcp_settings: &'a str,
    pub(super) subnets: &'a str,
}

impl<'a> Seat<'a> {
    /// Alone, at ports that are free.
    fn on_loopback(id: &'a str, data: &'a Path) -> Self {
        Self {
            id,
            data,
            address: Ipv4Addr::LOCALHOST,
            api: free_port(),
            metrics: free_port(),
            peers: free_port(),
            dhcp: free_port(),
            store: String::new(),
            redis: None,
            takeover: "fast",
            coordination: "",
            dhcp_settings: "",
            subnets: SUBNET,
        }
    }

    fn text(&self) -> String {
        let (id, address, takeover) = (self.id, self.address, self.takeover);
        let (api, peers, dhcp, store) = (self.api, self.peers, self.dhcp, &self.store);
        let metrics = self.metrics;
        let coordination = self.redis.as_ref().map_or_else(String::new, |url| {
            let more = self.coordination;
            format!("[coordination]\nengine = \"redis\"\nurl = \"{url}\"\n{more}\n")
        });
        let place = if store.is_empty() {
            format!("[cluster]\ntakeover = \"{takeover}\"\n\n")
        } else {
            format!(
                "[store]\nengine = \"postgres\"\nurl = \"{store}\"\n\n{coordination}\
                 [cluster]\nenabled = true\nnode_ip = \"{address}\"\nsecret = \"a secret of sixteen octets\"\n\
                 peer_port = {peers}\ntakeover = \"{takeover}\"\n\n"
            )
        };
        format!(
            "[node]\nid = \"{id}\"\n\n[api]\nhttp = [\"127.0.0.1:{api}\"]\nhttps = []\nmetrics = [\"{address}:{metrics}\"]\n\n\
             {place}[dhcp]\nlisten = [\"{address}:{dhcp}\"]\nserver_id = \"10.0.0.1\"\n{}\n{}",
            self.dhcp_settings, self.subnets
        )
    }
}

fn begin(data: &Path, host: Option<&Host>, life: u32) -> Process {
    let file = data.with_extension("toml");
    let mut command = command_on(host, "purlin");
    command.env("PURLIN_TEST_WALL_OFFSET", clock_file(data));
    command.args(["up", "--data-dir", &text_of(data), "--config", &text_of(&file)]);
    command.env("PURLIN_HOOKS_DIR", data.with_file_name("hooks"));
    Process::start(command, data.with_extension(format!("{life}.log")))
}

/// Where a node reads how far its wall clock is off.
fn clock_file(data: &Path) -> PathBuf {
    data.with_extension("wall")
}

fn command_on(host: Option<&Host>, name: &str) -> Command {
    match host {
        Some(host) => host.bound_to_us(&program(name), "KILL"),
        None => bound_to_us(name, "KILL"),
    }
}
