//! Servers and clients of others, where they are installed; a line says which are not.

use std::net::{SocketAddr, UdpSocket};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use purlin_tftp_client::{TransferError, TransferOptions, TransferReport, get, put};

use crate::server::content;

/// A server process, ended with its value.
struct Peer {
    child: Child,
    address: SocketAddr,
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> SocketAddr {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Starts a server over `root` and waits until it answers.
fn peer(program: &str, root: &Path) -> Option<Peer> {
    let address = free_port();
    let (port, root) = (address.port().to_string(), root.to_str().unwrap());
    let at = address.to_string();
    let arguments: Vec<String> = match program {
        "in.tftpd" => vec!["-L", "-c", "-s", "-a", &at, "-u", "root", root]
            .into_iter()
            .map(str::to_owned)
            .collect(),
        "atftpd" => [
            "--daemon",
            "--no-fork",
            "--bind-address",
            "127.0.0.1",
            "--user",
            "root",
            "--group",
            "root",
            "--port",
            &port,
            root,
        ]
        .map(str::to_owned)
        .to_vec(),
        _ => vec![
            "--keep-in-foreground".into(),
            "--port=0".into(),
            "--conf-file=/dev/null".into(),
            "--user=root".into(),
            "--pid-file".into(),
            "--enable-tftp".into(),
            format!("--tftp-root={root}"),
            "--listen-address=127.0.0.1".into(),
            "--bind-interfaces".into(),
        ],
    };
    // dnsmasq takes no other port than 69 for TFTP.
    let address = if program == "dnsmasq" {
        "127.0.0.1:69".parse().unwrap()
    } else {
        address
    };
    let spawned = Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(child) = spawned else {
        eprintln!("skipped: {program} is not installed");
        return None;
    };
    let peer = Peer { child, address };
    if answers(address) {
        Some(peer)
    } else {
        eprintln!("skipped: {program} does not start here (no right to, or its port is taken)");
        None
    }
}

/// Asks for a file that is there until somebody answers.
fn answers(address: SocketAddr) -> bool {
    let options = TransferOptions {
        wait: Duration::from_millis(50),
        attempts: 1,
        ..TransferOptions::plain(address)
    };
    let deadline = Instant::now() + Duration::from_secs(3);
    while Instant::now() < deadline {
        match get(&options, "small", &mut Vec::new(), &mut |_| {
            ControlFlow::Continue(())
        }) {
            Err(TransferError::NoAnswer { .. }) => {}
            _ => return true,
        }
    }
    false
}

fn fetch(options: &TransferOptions, name: &str) -> (Vec<u8>, TransferReport) {
    let mut octets = Vec::new();
    let report = get(options, name, &mut octets, &mut |_| ControlFlow::Continue(())).unwrap();
    (octets, report)
}

#[test]
fn installed_servers_serve_this_client() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("small"), content(700)).unwrap();
    std::fs::write(root.path().join("big"), content(3_000_000)).unwrap();
    std::fs::write(root.path().join("up"), "").unwrap();
    open_to_all(root.path());
    for program in ["in.tftpd", "atftpd", "dnsmasq"] {
        let Some(peer) = peer(program, root.path()) else {
            continue;
        };
        for options in [
            TransferOptions::plain(peer.address),
            TransferOptions::new(peer.address),
        ] {
            for (name, size) in [("small", 700), ("big", 3_000_000)] {
                let (octets, report) = fetch(&options, name);
                assert!(octets == content(size), "{program}: {report:?}");
                assert_eq!(report.tsize.is_some(), options.tsize, "{program}");
            }
        }
        let missing = get(
            &TransferOptions::new(peer.address),
            "none",
            &mut Vec::new(),
            &mut |_| ControlFlow::Continue(()),
        );
        assert!(
            matches!(missing, Err(TransferError::Refused { code: 1, .. })),
            "{program}"
        );
        if program == "in.tftpd" {
            put(
                &TransferOptions::new(peer.address),
                &content(90_000),
                "up",
                &mut |_| ControlFlow::Continue(()),
            )
            .unwrap();
            assert!(std::fs::read(root.path().join("up")).unwrap() == content(90_000));
        }
    }
}

/// Servers that drop their rights read as somebody else.
fn open_to_all(root: &Path) {
    use std::os::unix::fs::PermissionsExt;
    for path in std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
    {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666)).unwrap();
    }
    std::fs::set_permissions(root, std::fs::Permissions::from_mode(0o755)).unwrap();
}
