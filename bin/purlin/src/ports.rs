//! Ports a node wants, and which process has one that is taken.

use std::fmt;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::Path;

/// Transport of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Tcp,
    Udp,
}

/// One address a node listens on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Port {
    pub(crate) transport: Transport,
    pub(crate) address: SocketAddr,
    /// The configuration key that set it.
    pub(crate) key: &'static str,
}

/// Where a node without a configuration file listens: loopback, unprivileged.
pub(crate) const DEFAULTS: [Port; 7] = [
    Port::loopback(Transport::Udp, 6767, "dhcp.listen"),
    Port::loopback(Transport::Udp, 6969, "tftp.listen"),
    Port::loopback(Transport::Tcp, 8080, "api.http"),
    Port::loopback(Transport::Tcp, 8081, "api.https"),
    Port::loopback(Transport::Tcp, 9090, "api.metrics"),
    Port::loopback(Transport::Tcp, 8545, "chain.http"),
    Port::loopback(Transport::Tcp, 8546, "chain.websocket"),
];

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let transport = match self.transport {
            Transport::Tcp => "TCP",
            Transport::Udp => "UDP",
        };
        write!(f, "{transport} {} ({})", self.address, self.key)
    }
}

impl Port {
    const fn loopback(transport: Transport, port: u16, key: &'static str) -> Self {
        Self {
            transport,
            address: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port),
            key,
        }
    }

    /// Binds and lets go again.
    pub(crate) fn try_bind(&self) -> std::io::Result<()> {
        match self.transport {
            Transport::Tcp => TcpListener::bind(self.address).map(drop),
            Transport::Udp => UdpSocket::bind(self.address).map(drop),
        }
    }

    /// What helps when binding failed for this cause.
    pub(crate) fn fix_for(&self, cause: &std::io::Error) -> String {
        match cause.kind() {
            ErrorKind::AddrInUse => format!("stop that process, or set {} to another port", self.key),
            ErrorKind::PermissionDenied => {
                "setcap cap_net_bind_service,cap_net_raw+ep $(command -v purlin), or choose a port from 1024 on".to_owned()
            }
            ErrorKind::AddrNotAvailable => {
                format!("no interface here has {}; set {} to an address of this machine", self.address.ip(), self.key)
            }
            _ => format!("check {}", self.key),
        }
    }
}

/// The process that listens on this port: `dnsmasq (pid 812)`. `None` when it is not ours to see.
pub(crate) fn holder(port: &Port) -> Option<String> {
    let inode = ["", "6"].into_iter().find_map(|version| {
        let file = match port.transport {
            Transport::Tcp => format!("/proc/net/tcp{version}"),
            Transport::Udp => format!("/proc/net/udp{version}"),
        };
        inode_of(&std::fs::read_to_string(file).ok()?, port)
    })?;
    process_with(&format!("socket:[{inode}]"))
}

/// Finds a listening socket's inode in the text of /proc/net/{tcp,udp}[6].
fn inode_of(table: &str, port: &Port) -> Option<String> {
    // 0A is LISTEN, 07 an unconnected UDP socket.
    let state = if port.transport == Transport::Tcp {
        "0A"
    } else {
        "07"
    };
    let wanted = format!(":{:04X}", port.address.port());
    table.lines().skip(1).find_map(|line| {
        let mut fields = line.split_whitespace();
        let local = fields.nth(1)?;
        let found = fields.nth(1)?;
        let inode = fields.nth(5)?;
        (local.ends_with(&wanted) && found == state).then(|| inode.to_owned())
    })
}

fn process_with(socket: &str) -> Option<String> {
    for process in std::fs::read_dir("/proc").ok()?.flatten() {
        let name = process.file_name();
        let Some(pid) = name
            .to_str()
            .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
        else {
            continue;
        };
        if has_open(&process.path(), socket) {
            let command = std::fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some(format!("{} (pid {pid})", command.trim()));
        }
    }
    None
}

fn has_open(process: &Path, socket: &str) -> bool {
    let Ok(files) = std::fs::read_dir(process.join("fd")) else {
        return false;
    };
    files
        .flatten()
        .any(|file| std::fs::read_link(file.path()).is_ok_and(|target| target.as_os_str() == socket))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_of_a_taken_port_is_named() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let port = Port {
            transport: Transport::Udp,
            address,
            key: "dhcp.listen",
        };
        assert_eq!(port.try_bind().unwrap_err().kind(), ErrorKind::AddrInUse);
        let who = holder(&port).expect("our own files are visible to us");
        assert!(who.ends_with(&format!("(pid {})", std::process::id())), "{who}");
    }

    #[test]
    fn tcp_listeners_are_found_too() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        assert!(
            holder(&Port {
                transport: Transport::Tcp,
                address,
                key: "api.http"
            })
            .is_some()
        );
    }
}
