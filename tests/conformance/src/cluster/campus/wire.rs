//! Hosts on one private switch, and the scissors.
//!
//! ```text
//!   switch: br0 ── v1 ═══ eth0 n1 10.77.0.1/16
//!               ── v2 ═══ eth0 n2 10.77.0.2/16   ...
//! ```
//!
//! Every host is a namespace of its own. Cuts are rules of its packet filter: a paused process is no cut, because its
//! socket goes on receiving.

use crate::lab::text_of;
use crate::need;
use crate::space::Space;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// A machine of the campus.
#[derive(Debug)]
pub struct Host {
    pub name: String,
    pub address: Ipv4Addr,
    pub space: Space,
}

/// The switch and everybody on it.
#[derive(Debug)]
pub struct Wire {
    hosts: Vec<Arc<Host>>,
    switch: Space,
    folder: PathBuf,
}

impl Wire {
    pub(super) fn new(folder: &Path) -> Self {
        let switch = Space::make("sw", folder.to_owned());
        switch.ip("link add br0 type bridge");
        switch.ip("link set br0 up");
        Self {
            hosts: Vec::new(),
            switch,
            folder: folder.to_owned(),
        }
    }

    /// One more host, at 10.77.0.`last`.
    pub(super) fn plug_in(&mut self, name: &str, last: u8) -> Arc<Host> {
        let space = Space::make(name, self.folder.clone());
        let port = format!("v{last}");
        self.switch.join(&port, &space, "eth0");
        self.switch.ip(&format!("link set {port} master br0"));
        let address = Ipv4Addr::new(10, 77, 0, last);
        space.ip(&format!("addr add {address}/16 dev eth0"));
        let host = Arc::new(Host {
            name: name.to_owned(),
            address,
            space,
        });
        self.hosts.push(Arc::clone(&host));
        host
    }

    /// Nothing passes between the two, in either direction.
    pub fn cut(&self, one: &str, other: &str) {
        self.cut_one_way(one, other);
        self.cut_one_way(other, one);
    }

    /// Nothing that `from` sends reaches `to`.
    pub fn cut_one_way(&self, from: &str, to: &str) {
        let source = self.host(from).address.to_string();
        self.host(to)
            .filter(&["-I", "INPUT", "-s", &source, "-j", "DROP"]);
    }

    /// Nothing passes between any address of `one` and `other`.
    pub fn cut_all_from(&self, one: &str, other: &str) {
        let (host, far) = (self.host(one), self.host(other).address.to_string());
        host.filter(&["-I", "INPUT", "-s", &far, "-j", "DROP"]);
        host.filter(&["-I", "OUTPUT", "-d", &far, "-j", "DROP"]);
    }

    /// Of what reaches `host`, so many packets in a hundred are lost, by chance.
    pub fn lose(&self, host: &str, percent: u32) {
        let chance = format!("0.{percent:02}");
        let by_chance = ["-m", "statistic", "--mode", "random", "--probability", &chance];
        let rule = [&["-I", "INPUT", "-i", "eth0"][..], &by_chance, &["-j", "DROP"]].concat();
        self.host(host).filter(&rule);
    }

    /// Ends every cut and every loss.
    pub fn heal(&self) {
        for host in &self.hosts {
            host.filter(&["-F"]);
        }
    }

    /// A host by its name.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn host(&self, name: &str) -> &Arc<Host> {
        let found = self.hosts.iter().find(|host| host.name == name);
        found.unwrap_or_else(|| panic!("no host is called {name}"))
    }
}

impl Host {
    fn filter(&self, rule: &[&str]) {
        let program = text_of(&need::program("iptables").expect("asked for before"));
        let output = self.space.run(&program, &[&["-w"], rule].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{rule:?} at {}: {said}", self.name);
    }

    /// A command on this host. It gets `signal` when the thread that starts it is gone, however that came.
    pub(in crate::cluster) fn bound_to_us(&self, program: &Path, signal: &str) -> Command {
        let bound = ["--pdeathsig", signal, "--", &text_of(program)];
        self.space.command("setpriv", &bound)
    }
}
