//! Beside another DHCP server: dnsmasq gives the addresses, Purlin says what to boot, real firmware does it.

use purlin_conformance::{Firmware, Lab, MACHINE_MAC, Machine, machine_programs};
use serde_json::Value;

const MARK: &str = "PURLIN-PROXY-OK";
/// dnsmasq on the machine's side of the wire; it has the boot files as well.
const OTHER: &str = "10.77.0.2";

/// Files are dnsmasq's.
const FILES_ELSEWHERE: &str = r#"
[node]
id = "lab"

[dhcp]
interfaces = ["s0"]
proxy = true
next_server = "10.77.0.2"
boot = [
    { arch = "uefi-x64", file = "snponly.efi" },
    { name = "script", user_class = "iPXE", file = "boot.ipxe" },
]
"#;

/// Files are Purlin's own, and profiles say them.
const OWN_FILES: &str = r#"
[node]
id = "lab"

[dhcp]
interfaces = ["s0"]
proxy = true

[tftp]
listen = ["10.77.0.1:69"]
root = "TREE"

[tftp.http]
listen = ["10.77.0.1:80"]

[[boot.profiles]]
name = "script"
user_class = "iPXE"
file = "boot.ipxe"

[[boot.profiles]]
name = "firmware"
arch = "uefi-x64-http"
file = "snponly.efi"
"#;

/// Boots one machine; what Purlin decided about it.
fn boot(firmware: Firmware, config: &str) -> Option<Vec<Value>> {
    let [qemu, ip] = machine_programs();
    let lab = Lab::new(&[qemu, ip, "dnsmasq"])?;
    let tree = lab.path("tree");
    std::fs::create_dir(&tree).expect("the laboratory's folder can be written");
    if firmware != Firmware::Bios {
        let program = std::fs::copy("/usr/lib/ipxe/snponly.efi", tree.join("snponly.efi"));
        program.expect("ipxe is installed where Debian puts it");
    }
    let script = format!("#!ipxe\necho {MARK} ${{net0/ip}} ${{filename}}\npoweroff || sleep 1000\n");
    std::fs::write(tree.join("boot.ipxe"), script).expect("the laboratory's folder can be written");
    let node = lab.node(&config.replace("TREE", &tree.to_string_lossy()));
    let mut machine = Machine::boot(&lab, firmware);
    // The machine needs seconds to ask for an address, and asks more than once.
    lab.client.ip(&format!("addr add {OTHER}/16 dev br0"));
    let (tree, leases) = (tree.to_string_lossy(), lab.path("other.leases"));
    let arguments = [
        "-k",
        "--conf-file=/dev/null",
        "--port=0",
        "--user=root",
        "--interface=br0",
        "--bind-interfaces",
        "--dhcp-range=10.77.5.10,10.77.5.200,255.255.0.0,1h",
        &format!("--dhcp-leasefile={}", leases.to_string_lossy()),
        "--enable-tftp",
        &format!("--tftp-root={tree}"),
        "--log-facility=-",
    ];
    let _other = lab.client.start("dnsmasq.log", "dnsmasq", &arguments);
    // With an address of the other server.
    machine.prints(&format!("{MARK} 10.77.5."));
    assert!(node.leases("bound").is_empty());
    let list = node.json(&["dhcp", "decision", "list", "--mac", MACHINE_MAC]);
    let told = list.get("items").unwrap_or(&list).as_array().cloned();
    let told = told.expect("a list of decisions");
    Some(told)
}

fn count(told: &[Value], slug: &str, text: &str) -> usize {
    let fits = |decision: &&Value| {
        let shown = decision.to_string();
        shown.contains(&format!("\"{slug}\"")) && shown.contains(text)
    };
    told.iter().filter(fits).count()
}

#[test]
fn a_bios_machine_boots_from_the_offer_of_a_proxy() {
    let Some(told) = boot(Firmware::Bios, FILES_ELSEWHERE) else {
        return;
    };
    let words = "boot file boot.ipxe at 10.77.0.2 from boot entry \\\"script\\\" of [dhcp]";
    assert!(count(&told, "proxy_offered", words) > 0, "{told:#?}");
    assert_eq!(count(&told, "proxy_confirmed", ""), 0, "{told:#?}");
}

#[test]
fn a_uefi_machine_asks_a_proxy_again_and_boots() {
    let Some(told) = boot(Firmware::UefiPxe, FILES_ELSEWHERE) else {
        return;
    };
    assert!(
        count(&told, "proxy_confirmed", "boot file snponly.efi") > 0,
        "{told:#?}"
    );
    assert!(
        count(&told, "proxy_offered", "boot file boot.ipxe") > 0,
        "{told:#?}"
    );
}

#[test]
fn a_uefi_machine_boots_over_http_from_a_proxy_with_profiles() {
    let Some(told) = boot(Firmware::UefiHttp, OWN_FILES) else {
        return;
    };
    let firmware = "boot file http://10.77.0.1/snponly.efi from profile \\\"firmware\\\"";
    assert!(count(&told, "proxy_offered", firmware) > 0, "{told:#?}");
    let script = "boot file boot.ipxe at 10.77.0.1 from profile \\\"script\\\"";
    assert!(count(&told, "proxy_offered", script) > 0, "{told:#?}");
}
