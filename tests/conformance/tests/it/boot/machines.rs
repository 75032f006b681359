//! Machines without disks that boot from `purlin up` alone, in emulation, and what their story says afterwards.
//!
//! Two ways to boot are in every run. The others take a minute or two each and come with `cargo xtask test --all`.

mod story;

use super::tree;
use purlin_conformance::{Firmware, Lab, MACHINE_MAC, Machine, lab_config, left_for_all, machine_programs};
use std::fs;
use std::path::Path;
use std::process::Command;
use story::Story;

/// The address that is reserved for the machine: a script that names it got it from the lease.
const ADDRESS: &str = "10.77.9.9";
const RESERVED: &str =
    "reservations = [{ mac = \"52:54:00:77:00:01\", address = \"10.77.9.9\", hostname = \"rack1-node1\" }]";

/// What iPXE runs: it fetches a file as an installer would, and says what it was told about itself.
const SCRIPT: &str = r#"
[[tftp.templates]]
name = "boot.ipxe"
text = """
#!ipxe
imgfetch --name blob {{url}}/blob.bin || echo BLOB FAILED
echo BOOTED {{hostname}} {{ip}} {{mac}} ${net0/ip} {{console}}
poweroff || sleep 1000
"""

[[boot.profiles]]
name = "menu"
user_class = "iPXE"
file = "boot.ipxe"
values = { console = "ttyS0" }
"#;

/// The line that the script prints.
const BOOTED: &str = "BOOTED rack1-node1 10.77.9.9 52:54:00:77:00:01 10.77.9.9 ttyS0";

/// A laboratory whose boot tree has a blob of 3 MB and copies of these files.
fn lab(programs: &[&str], files: &[&str]) -> Option<Lab> {
    let all: Vec<&str> = machine_programs()
        .into_iter()
        .chain(programs.iter().copied())
        .collect();
    let lab = Lab::new(&all)?;
    let tree = tree(&lab);
    fs::write(tree.join("blob.bin"), super::octets(3_000_000))
        .expect("the laboratory's folder can be written");
    for file in files {
        let name = Path::new(file).file_name().expect("a file has a name");
        fs::copy(file, tree.join(name)).unwrap_or_else(|cause| panic!("{file} ({cause}): cargo xtask setup"));
    }
    Some(lab)
}

/// `[dhcp]`, `[tftp]` with these further lines, and what follows.
fn config(lab: &Lab, tftp: &str, rest: &str) -> String {
    let root = lab.path("tree");
    let own = format!(
        "[tftp]\nlisten = [\"10.77.0.1:69\"]\nroot = \"{}\"\n{tftp}\n{rest}",
        root.display()
    );
    lab_config("", RESERVED, &own)
}

/// Switches a machine on and waits for `mark`; its story so far.
fn boot(lab: &Lab, config: &str, firmware: Firmware, mark: &str) -> Story {
    let node = lab.node(config);
    let mut machine = Machine::boot(lab, firmware);
    if let Err(screen) = machine.tries(mark) {
        let told = node.cli(&["why", MACHINE_MAC]);
        panic!("{screen}\n{}", super::words(&told));
    }
    let screen = machine.screen();
    assert!(!screen.contains("BLOB FAILED"), "{screen}");
    Story::told(&node, MACHINE_MAC)
}

/// SeaBIOS, iPXE as the card's ROM, script and blob over TFTP.
#[test]
fn a_bios_machine_with_ipxe_boots_over_tftp() {
    let Some(lab) = lab(&[], &[]) else { return };
    let story = boot(&lab, &config(&lab, "", SCRIPT), Firmware::Bios, BOOTED);
    story.has_the_lease(ADDRESS);
    story.has_files(&[("boot.ipxe", "tftp"), ("blob.bin", "tftp")]);
}

/// OVMF's HTTP boot: HEAD and GET of iPXE, which then fetches script and blob.
#[test]
fn a_uefi_machine_boots_over_http() {
    let Some(lab) = lab(&[], &["/usr/lib/ipxe/snponly.efi"]) else {
        return;
    };
    let profile =
        "[[boot.profiles]]\nname = \"uefi-http\"\narch = \"uefi-x64-http\"\nfile = \"snponly.efi\"\n";
    let config = config(
        &lab,
        "[tftp.http]\nlisten = [\"10.77.0.1:80\"]",
        &(SCRIPT.to_owned() + profile),
    );
    let story = boot(&lab, &config, Firmware::UefiHttp, BOOTED);
    story.has_the_lease(ADDRESS);
    story.has_files(&[
        ("snponly.efi", "http"),
        ("boot.ipxe", "tftp"),
        ("blob.bin", "http"),
    ]);
}

/// OVMF's PXE client asks for the size, ends that with error 8, loads iPXE in blocks of 1468 octets. Nothing is reserved
/// here, and firmware and iPXE are two clients (option 61) with an address each: one story all the same.
#[test]
fn a_uefi_machine_boots_ipxe_over_tftp() {
    if left_for_all() {
        return;
    }
    let Some(lab) = lab(&[], &["/usr/lib/ipxe/snponly.efi"]) else {
        return;
    };
    let profile =
        "[[boot.profiles]]\nname = \"uefi\"\narch = [\"uefi-x64\", \"uefi-bc\"]\nfile = \"snponly.efi\"\n";
    let script = SCRIPT.replace("{{hostname}}", "{{hostname|unnamed}}");
    let config = config(&lab, "", &(script + profile)).replace(RESERVED, "");
    let mark = "BOOTED unnamed 10.77.1.1 52:54:00:77:00:01 10.77.1.1 ttyS0";
    let story = boot(&lab, &config, Firmware::UefiPxe, mark);
    story.has_the_lease("10.77.1.0");
    story.has_the_lease("10.77.1.1");
    story.has_files(&[
        ("snponly.efi", "tftp"),
        ("boot.ipxe", "tftp"),
        ("blob.bin", "tftp"),
    ]);
}

/// PXELINUX tries names until it comes to the one that is made for its hardware address.
#[test]
fn a_bios_machine_boots_pxelinux() {
    if left_for_all() {
        return;
    }
    let modules = "/usr/lib/syslinux/modules/bios";
    let files = [
        "/usr/lib/PXELINUX/pxelinux.0",
        &format!("{modules}/ldlinux.c32"),
        &format!("{modules}/poweroff.c32"),
        &format!("{modules}/libcom32.c32"),
    ];
    let Some(lab) = lab(&[], &files) else { return };
    let template = r#"
[[tftp.templates]]
name = "pxelinux.cfg/01-{mac}"
text = """
SERIAL 0 115200
SAY BOOTED {{hostname}} {{ip}} {{mac_dashed}}
DEFAULT off
PROMPT 0
TIMEOUT 20
LABEL off
  COM32 poweroff.c32
"""

[[boot.profiles]]
name = "bios"
arch = "bios"
file = "pxelinux.0"
"#;
    let mark = "BOOTED rack1-node1 10.77.9.9 52-54-00-77-00-01";
    let story = boot(&lab, &config(&lab, "", template), Firmware::Bios, mark);
    story.has_the_lease(ADDRESS);
    story.has_files(&[
        ("pxelinux.0", "tftp"),
        ("ldlinux.c32", "tftp"),
        ("pxelinux.cfg/01-52-54-00-77-00-01", "tftp"),
    ]);
}

/// GRUB, loaded by OVMF's PXE client, reads a configuration of its machine and a large file with its own TFTP client.
#[test]
fn a_uefi_machine_boots_grub() {
    if left_for_all() {
        return;
    }
    let Some(lab) = lab(&["grub-mkimage"], &[]) else {
        return;
    };
    make_grub(&lab);
    let template = r#"
[[tftp.templates]]
name = "words"
text = "read over HTTP"

[[tftp.templates]]
name = "grub.cfg-01-{mac}"
text = """
hashsum --hash sha1 (tftp,{{server}})/blob.bin
hashsum --hash sha1 (http,{{server}})/blob.bin
if cat (http,{{server}})/words; then echo BOOTED {{hostname}} {{ip}} {{mac}}; fi
sleep 1
halt
"""

[[boot.profiles]]
name = "uefi"
arch = ["uefi-x64", "uefi-bc"]
file = "grub.efi"
"#;
    let mark = "BOOTED rack1-node1 10.77.9.9 52:54:00:77:00:01";
    let http = "[tftp.http]\nlisten = [\"10.77.0.1:80\"]";
    let story = boot(&lab, &config(&lab, http, template), Firmware::UefiPxe, mark);
    story.has_the_lease(ADDRESS);
    story.has_files(&[
        ("grub.efi", "tftp"),
        ("grub.cfg-01-52-54-00-77-00-01", "tftp"),
        ("blob.bin", "tftp"),
        // GRUB's own HTTP client, which finds the length by the letter.
        ("blob.bin", "http"),
        ("words", "http"),
    ]);
}

/// A GRUB that goes on with the configuration of its machine. What its console prints, the firmware prints to the serial
/// port.
fn make_grub(lab: &Lab) {
    let first = "net_bootp\nconfigfile (tftp,10.77.0.1)/grub.cfg-01-52-54-00-77-00-01\n";
    let (first, image) = (lab.write("grub.cfg", first), lab.path("tree").join("grub.efi"));
    let modules = [
        "normal",
        "net",
        "efinet",
        "tftp",
        "http",
        "echo",
        "cat",
        "halt",
        "sleep",
        "serial",
        "terminal",
        "hashsum",
        "gcry_sha1",
        "configfile",
    ];
    let made = Command::new("grub-mkimage")
        .args(["-O", "x86_64-efi", "-p", "/", "-c", &first, "-o"])
        .arg(image)
        .args(modules)
        .status();
    assert!(made.is_ok_and(|status| status.success()), "grub-mkimage");
}
