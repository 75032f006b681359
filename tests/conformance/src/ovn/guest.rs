//! A machine behind a port of a logical switch.

use crate::lab::{Lab, text_of};
use crate::space::Space;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A namespace whose `eth0` is at a logical port; gone when dropped.
#[derive(Debug)]
pub struct Guest<'lab> {
    lab: &'lab Lab,
    space: Space,
    /// Its end of the cable in the hypervisor; what it writes is called so, too.
    name: String,
}

/// What a DHCP client was told, by the names that udhcpc gives it.
pub type Lease = BTreeMap<String, String>;

impl<'lab> Guest<'lab> {
    pub(super) fn new(lab: &'lab Lab, link: &str, mac: &str) -> Self {
        let space = lab.space("g");
        lab.server.join(link, &space, "eth0");
        space.ip(&format!("link set eth0 address {mac}"));
        Self {
            lab,
            space,
            name: link.to_owned(),
        }
    }

    /// Gives it an address, and perhaps a router for what is not beside it.
    pub fn address(&self, address: &str, router: Option<&str>) {
        self.space.ip(&format!("addr add {address} dev eth0"));
        if let Some(router) = router {
            self.space.ip(&format!("route add default via {router}"));
        }
    }

    /// Whether an echo request comes back within a second.
    #[must_use]
    pub fn reaches(&self, address: &str) -> bool {
        let ping = ["ping", "-c", "1", "-W", "1", address];
        self.space.run("busybox", &ping).status.success()
    }

    /// Asks for an address by DHCP, once; `None` when nobody answers.
    #[must_use]
    pub fn lease(&self) -> Option<Lease> {
        self.ask(&[])
    }

    /// The same, and says which address it would like.
    #[must_use]
    pub fn lease_of(&self, address: &str) -> Option<Lease> {
        self.ask(&["-r", address])
    }

    fn ask(&self, more: &[&str]) -> Option<Lease> {
        let told = self.told();
        let _ = std::fs::remove_file(&told);
        let hook = self.hook();
        let arguments = [
            "-i", "eth0", "-f", "-q", "-n", "-t", "6", "-T", "1", "-O", "bootfile", "-s", &hook,
        ];
        let client = self.space.run("udhcpc", &[&arguments[..], more].concat());
        if !client.status.success() {
            return None;
        }
        let text = std::fs::read_to_string(told).unwrap_or_default();
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        Some(
            pairs
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        )
    }

    fn told(&self) -> PathBuf {
        self.lab.path(&format!("{}.lease", self.name))
    }

    /// A script that writes down what the client says, and leaves the machine as it is.
    fn hook(&self) -> String {
        use std::os::unix::fs::PermissionsExt;
        let told = text_of(&self.told());
        let script = format!("#!/bin/sh\n[ \"$1\" = bound ] && env >{told}\nexit 0\n");
        let path = self.lab.path(&format!("{}.hook", self.name));
        std::fs::write(&path, script).expect("the laboratory's folder can be written");
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&path, mode).expect("our own file can be changed");
        text_of(&path)
    }
}
