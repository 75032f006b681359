//! `cargo xtask setup`: the programs that conformance tests use, most of them from Debian packages.
//!
//! Installing starts no daemon: a policy file tells the packages so while they are unpacked.

mod crates;
mod judges;

use crate::in_ci;
use crate::repo::Repo;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A program, or a file by its whole path (`*` for a folder of any name), and the package that has it.
const NEEDED: &[(&str, &str)] = &[
    ("kea-dhcp4", "kea-dhcp4-server"),
    ("perfdhcp", "kea-admin"),
    ("dhclient", "isc-dhcp-client"),
    ("udhcpc", "udhcpc"),
    ("dhcpcd", "dhcpcd-base"),
    ("dnsmasq", "dnsmasq-base"),
    ("dhcp_release", "dnsmasq-utils"),
    ("dhcrelay", "isc-dhcp-relay"),
    ("tcpdump", "tcpdump"),
    ("tshark", "tshark"),
    ("ip", "iproute2"),
    ("iptables", "iptables"),
    ("promtool", "prometheus"),
    ("jq", "jq"),
    ("curl", "curl"),
    ("tftp", "tftp-hpa"),
    ("atftp", "atftp"),
    ("busybox", "busybox"),
    ("valgrind", "valgrind"),
    ("qemu-system-x86_64", "qemu-system-x86"),
    ("/usr/lib/ipxe/qemu/pxe-virtio.rom", "ipxe-qemu"),
    ("/usr/lib/ipxe/snponly.efi", "ipxe"),
    ("/usr/share/OVMF/OVMF_CODE_4M.fd", "ovmf"),
    ("/usr/lib/PXELINUX/pxelinux.0", "pxelinux"),
    ("/usr/lib/syslinux/modules/bios/ldlinux.c32", "syslinux-common"),
    ("haproxy", "haproxy"),
    ("nginx", "nginx"),
    (
        "/usr/lib/nginx/modules/ngx_stream_module.so",
        "libnginx-mod-stream",
    ),
    ("openssl", "openssl"),
    ("redis-server", "redis-server"),
    ("redis-sentinel", "redis-sentinel"),
    ("redis-cli", "redis-tools"),
    ("grub-mkimage", "grub-common"),
    ("/usr/lib/grub/x86_64-efi/tftp.mod", "grub-efi-amd64-bin"),
    ("/usr/lib/postgresql/*/bin/postgres", "postgresql"),
    ("ovsdb-client", "openvswitch-common"),
    ("/usr/lib/openvswitch-switch/ovs-vswitchd", "openvswitch-switch"),
    ("ovn-nbctl", "ovn-common"),
    ("ovn-northd", "ovn-central"),
    ("ovn-controller", "ovn-host"),
    ("node", "nodejs"),
    ("npm", "npm"),
    ("python3", "python3"),
    ("/usr/lib/*/ensurepip/__init__.py", "python3-venv"),
];

/// Asked by maintainer scripts before they start a service (deb-systemd-invoke, invoke-rc.d).
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Installs what is missing; only says what is missing when that cannot be done here.
pub(crate) fn run(repo: &Repo) -> Result<bool, String> {
    let built = crates::run(repo)? || !in_ci();
    let installed = packages()?;
    // After the packages: it needs some of them.
    let judged = judges::run(repo)? || !in_ci();
    Ok(installed && built && judged)
}

fn packages() -> Result<bool, String> {
    let missing = missing();
    if missing.is_empty() {
        println!("   every package is installed");
        return Ok(true);
    }
    println!("   missing: {}", missing.join(" "));
    if !is_root() || find("apt-get").is_none() {
        println!(
            "   install them as root to run every test: apt-get install --no-install-recommends {}",
            missing.join(" ")
        );
        return Ok(!in_ci());
    }
    let _policy = Policy::deny();
    // A list of packages that is a little old is better than none: the installation decides.
    let _ = apt(&["update"]);
    if !install(&missing)? {
        // One package that this system does not have must not keep the others away.
        for package in &missing {
            install(&[package])?;
        }
    }
    let missing = self::missing();
    if !missing.is_empty() {
        println!(
            "   apt-get could not install {}; their tests will be skipped",
            missing.join(" ")
        );
    }
    Ok(missing.is_empty() || !in_ci())
}

fn install(packages: &[&str]) -> Result<bool, String> {
    let mut arguments = vec!["install", "-y", "--no-install-recommends"];
    arguments.extend(packages);
    apt(&arguments)
}

fn missing() -> Vec<&'static str> {
    NEEDED
        .iter()
        .filter(|(program, _)| find(program).is_none())
        .map(|(_, package)| *package)
        .collect()
}

/// A whole path stays itself: joined to a folder it replaces it.
fn find(program: &str) -> Option<PathBuf> {
    if let Some((parent, rest)) = program.split_once("/*/") {
        let folders = fs::read_dir(parent).ok()?.flatten();
        return folders
            .map(|folder| folder.path().join(rest))
            .find(|file| file.is_file());
    }
    let path = std::env::var("PATH").unwrap_or_default();
    let folders = path.split(':').chain(["/usr/sbin", "/sbin"]);
    folders
        .map(|folder| Path::new(folder).join(program))
        .find(|file| file.is_file())
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn apt(arguments: &[&str]) -> Result<bool, String> {
    let mut command = Command::new("apt-get");
    command
        .args(["-q", "-o", "Dpkg::Use-Pty=0"])
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive");
    let status = command.stdout(Stdio::null()).status();
    status
        .map(|status| status.success())
        .map_err(|cause| format!("cannot run apt-get: {cause}"))
}

/// While it lives, packages do not start their services.
#[derive(Debug)]
struct Policy {
    ours: bool,
}

impl Policy {
    fn deny() -> Self {
        let ours = !Path::new(POLICY).exists() && Self::write().is_ok();
        Self { ours }
    }

    fn write() -> std::io::Result<()> {
        fs::write(POLICY, "#!/bin/sh\nexit 101\n")?;
        fs::set_permissions(POLICY, fs::Permissions::from_mode(0o755))
    }
}

impl Drop for Policy {
    fn drop(&mut self) {
        if self.ours {
            let _ = fs::remove_file(POLICY);
        }
    }
}
