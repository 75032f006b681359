//! A real OVN in a [`Lab`]'s server namespace: databases, ovn-northd, and a hypervisor whose datapath is in user space.
//!
//! ```text
//!   namespace "server"                                            namespace of a guest
//!   ovsdb-server (northbound, southbound) ── ovn-northd
//!        │
//!   ovn-controller ── ovs-vswitchd, br-int ── v1 ═══ veth ═══ eth0 ── ping, udhcpc
//!                              └── purlin0 ── purlin up
//! ```
//!
//! No kernel module, no service manager: every program is a child of the test and ends with it.

mod guest;
mod northbound;

pub use guest::{Guest, Lease};
pub use northbound::northbound;

use crate::lab::{Lab, text_of};
use crate::process::{Process, run};
use crate::wait::until;
use std::cell::{Cell, RefCell};
use std::process::Output;

/// Schemas of the databases, where Debian puts them.
const NORTHBOUND: &str = "/usr/share/ovn/ovn-nb.ovsschema";
const SOUTHBOUND: &str = "/usr/share/ovn/ovn-sb.ovsschema";
const SWITCH: &str = "/usr/share/openvswitch/vswitch.ovsschema";

/// OVN with one hypervisor; gone when dropped.
#[derive(Debug)]
pub struct Ovn<'lab> {
    lab: &'lab Lab,
    // Ended in this order: who asks before who answers.
    _controller: Process,
    _datapath: Process,
    _northd: Process,
    network: RefCell<Process>,
    _switch: Process,
    guests: Cell<u8>,
}

impl<'lab> Ovn<'lab> {
    /// What it needs besides a [`Lab`].
    pub const PROGRAMS: [&'static str; 8] = [
        "ovsdb-tool",
        "ovsdb-server",
        "ovs-vsctl",
        "ovs-vswitchd",
        "ovn-northd",
        "ovn-controller",
        "ovn-trace",
        "busybox",
    ];

    /// A [`Lab`] for it; `None` when this machine cannot run the test.
    #[must_use]
    pub fn lab(programs: &[&str]) -> Option<Lab> {
        Lab::new(&[&Self::PROGRAMS, programs].concat())
    }

    /// Starts it, and waits until the hypervisor's bridge is there.
    #[must_use]
    pub fn start(lab: &'lab Lab) -> Self {
        for (name, schema) in [("nb", NORTHBOUND), ("sb", SOUTHBOUND), ("ovs", SWITCH)] {
            let file = text_of(&lab.path(&format!("{name}.db")));
            succeeded(&lab.server.run("ovsdb-tool", &["create", &file, schema]));
        }
        let network = database(lab, "ovn", &["nb.db", "sb.db"]);
        let switch = database(lab, "ovs", &["ovs.db"]);
        let remote = Self::remote_of(lab);
        let northd = program(
            lab,
            "ovn-northd",
            &[&format!("--ovnnb-db={remote}"), &format!("--ovnsb-db={remote}")],
        );
        vsctl(lab, &["init"]);
        let about = [
            "system-id=hypervisor-1",
            "hostname=hypervisor-1",
            "ovn-encap-type=geneve",
            "ovn-encap-ip=127.0.0.1",
            "ovn-bridge-datapath-type=netdev",
            &format!("ovn-remote={remote}"),
        ];
        let about: Vec<String> = about.iter().map(|pair| format!("external-ids:{pair}")).collect();
        let about: Vec<&str> = about.iter().map(String::as_str).collect();
        vsctl(lab, &[&["set", "open", "."], &about[..]].concat());
        vsctl(
            lab,
            &[
                "add-br",
                "br-int",
                "--",
                "set",
                "bridge",
                "br-int",
                "datapath_type=netdev",
                "fail-mode=secure",
            ],
        );
        let local = format!("unix:{}", text_of(&lab.path("ovs.sock")));
        let datapath = program(lab, "ovs-vswitchd", &["--disable-system", &local]);
        until("the bridge was there", || is_interface(lab, "br-int"));
        let controller = program(lab, "ovn-controller", &[&local]);
        Self {
            lab,
            _controller: controller,
            _datapath: datapath,
            _northd: northd,
            network: RefCell::new(network),
            _switch: switch,
            guests: Cell::new(0),
        }
    }

    /// Where both databases of OVN are reached.
    #[must_use]
    pub fn remote(&self) -> String {
        Self::remote_of(self.lab)
    }

    fn remote_of(lab: &Lab) -> String {
        format!("unix:{}", text_of(&lab.path("ovn.sock")))
    }

    /// The section of a node's configuration that names it.
    #[must_use]
    pub fn section(&self) -> String {
        let remote = self.remote();
        format!("[ovn]\nenabled = true\nnorthbound = [\"{remote}\"]\nsouthbound = [\"{remote}\"]\n")
    }

    /// A machine behind the logical port of this name, without an address yet.
    #[must_use]
    pub fn guest(&self, port: &str, mac: &str) -> Guest<'lab> {
        let number = self.guests.get() + 1;
        self.guests.set(number);
        let link = format!("v{number}");
        let guest = Guest::new(self.lab, &link, mac);
        self.plug(&link, port, &[]);
        guest
    }

    /// An interface of the hypervisor itself behind a logical port, with an address.
    pub fn interface(&self, name: &str, port: &str, mac: &str, address: &str) {
        self.plug(name, port, &["type=internal"]);
        until("the interface was there", || is_interface(self.lab, name));
        self.lab.server.ip(&format!("link set {name} address {mac} up"));
        self.lab.server.ip(&format!("addr add {address} dev {name}"));
    }

    fn plug(&self, link: &str, port: &str, more: &[&str]) {
        let id = format!("external_ids:iface-id={port}");
        let words = ["add-port", "br-int", link, "--", "set", "Interface", link, &id];
        vsctl(self.lab, &[&words[..], more].concat());
    }

    /// Both databases of OVN end, as when their machine loses its power.
    pub fn lose_network(&self) {
        self.network.borrow_mut().crash();
    }

    /// `ovn-nbctl ...`, as somebody does who knows nothing of Purlin.
    pub fn nbctl(&self, words: &[&str]) {
        let db = format!("--db={}", self.remote());
        succeeded(
            &self
                .lab
                .server
                .run("ovn-nbctl", &[&[&db, "--timeout=20"], words].concat()),
        );
    }
}

/// A server of these databases, listening.
fn database(lab: &Lab, name: &str, files: &[&str]) -> Process {
    let at = |file: &str| text_of(&lab.path(file));
    let socket = lab.path(&format!("{name}.sock"));
    let mut arguments = vec![
        format!("--remote=punix:{}", text_of(&socket)),
        format!("--unixctl={}", at(&format!("{name}.ctl"))),
    ];
    arguments.extend(files.iter().map(|file| at(file)));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let server = lab
        .server
        .start(&format!("{name}-db.log"), "ovsdb-server", &arguments);
    until("the database listened", || socket.exists());
    server
}

/// A program of OVN or Open vSwitch that keeps its sockets in the laboratory's folder.
fn program(lab: &Lab, name: &str, arguments: &[&str]) -> Process {
    let folder = lab.folder();
    let homes = [
        "OVS_RUNDIR",
        "OVN_RUNDIR",
        "OVS_LOGDIR",
        "OVN_LOGDIR",
        "OVS_DBDIR",
        "OVN_DBDIR",
    ];
    let homes: Vec<String> = homes.iter().map(|home| format!("{home}={folder}")).collect();
    let mut words: Vec<&str> = homes.iter().map(String::as_str).collect();
    words.push(name);
    words.extend(arguments);
    lab.server.start(&format!("{name}.log"), "env", &words)
}

/// Returns when the database has it; whether the datapath has it too is for whoever needs that to look at.
fn vsctl(lab: &Lab, words: &[&str]) {
    let db = format!("--db=unix:{}", text_of(&lab.path("ovs.sock")));
    succeeded(
        &lab.server
            .run("ovs-vsctl", &[&[db.as_str(), "--no-wait"], words].concat()),
    );
}

fn is_interface(lab: &Lab, name: &str) -> bool {
    let mut command = lab.server.command("ip", &["link", "show", name]);
    run(&mut command).status.success()
}

fn succeeded(output: &Output) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
}
