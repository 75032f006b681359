//! What booting clients are told: which file, from which server, and how decisions say it.

mod rule;

use super::conversation::{Answer, Ask, Link, SERVER, mac, reserve, settings};
use crate::boot::LOOKED_AT;
use crate::settings::{BootEntry, OptionValue, Settings};
use crate::view::DecisionQuery;
use purlin_dhcp_proto::{MessageType, code};
use purlin_types::Mac;
use std::net::Ipv4Addr;

const POOL: &[&str] = &["10.0.1.0-10.0.1.9"];
const PXE: &[u8] = b"PXEClient:Arch:00007:UNDI:003016";
const HTTP: &[u8] = b"HTTPClient:Arch:00016:UNDI:003016";
/// What EDK2 asks for that matters here: 43, 60, 66, 67, 97.
const WANTED: [u8; 8] = [1, 3, 43, 54, 60, 66, 67, 97];

fn file(name: &str) -> BootEntry {
    BootEntry {
        file: name.into(),
        ..BootEntry::default()
    }
}

fn of(architectures: &[u16], name: &str) -> BootEntry {
    BootEntry {
        architectures: architectures.to_vec(),
        ..file(name)
    }
}

fn for_ipxe(name: &str) -> BootEntry {
    BootEntry {
        user_class: Some("iPXE".into()),
        ..file(name)
    }
}

fn with(boot: Vec<BootEntry>) -> Settings {
    let mut settings = settings(POOL);
    settings.scope.boot = boot.into();
    settings
}

fn ask(n: u8, arch: u8, vendor: &[u8]) -> Ask {
    Ask::new(MessageType::Discover, n)
        .with(code::CLIENT_ARCH, [0, arch])
        .with(code::VENDOR_CLASS, vendor)
        .with(code::PARAMETER_REQUESTS, WANTED)
}

fn boot_file(answer: &Answer) -> String {
    let message = answer.message();
    let file = message.file();
    let end = file.iter().position(|&b| b == 0).unwrap_or(file.len());
    String::from_utf8_lossy(&file[..end]).into_owned()
}

fn text(link: &Link) -> String {
    let query = DecisionQuery {
        limit: 1,
        ..DecisionQuery::default()
    };
    link.engine.find_decisions(&query)[0].text.clone()
}

#[test]
fn a_file_without_a_server_is_this_servers() {
    let mut link = Link::new(&with(vec![file("x64.efi")]));
    let offer = link.send(&ask(1, 7, PXE));
    assert_eq!(boot_file(&offer), "x64.efi");
    assert_eq!(offer.message().siaddr(), SERVER);
    assert_eq!(
        offer.message().whole(code::TFTP_SERVER_NAME),
        Some(&b"10.0.0.2"[..])
    );
    let mut plain = settings(POOL);
    plain.scope.boot_file = Some("x64.efi".into());
    let offer = Link::new(&plain).send(&ask(1, 7, PXE));
    assert_eq!(offer.message().siaddr(), SERVER, "also for a plain boot_file");
    let none = Link::new(&settings(POOL)).send(&ask(1, 7, PXE));
    assert_eq!(
        none.message().siaddr(),
        Ipv4Addr::UNSPECIFIED,
        "no file, no server"
    );
}

#[test]
fn a_server_named_in_words_is_not_overruled_by_this_one() {
    let mut named = settings(POOL);
    named.scope.boot_file = Some("x64.efi".into());
    named.scope.options = vec![OptionValue {
        code: code::TFTP_SERVER_NAME,
        data: b"boot.example.com".to_vec(),
        always: false,
    }];
    let offer = Link::new(&named).send(&ask(1, 7, PXE));
    assert_eq!(offer.message().siaddr(), Ipv4Addr::UNSPECIFIED);
    named.scope.next_server = Some(Ipv4Addr::new(10, 0, 0, 9));
    let offer = Link::new(&named).send(&ask(1, 7, PXE));
    assert_eq!(offer.message().siaddr(), Ipv4Addr::new(10, 0, 0, 9));
}

#[test]
fn a_relay_that_stands_in_for_the_server_identifier_has_no_boot_files() {
    let mut link = Link::new(&with(vec![file("x64.efi")]));
    // RFC 5107: sub-option 11.
    let offer = link.send(&ask(1, 7, PXE).with(code::RELAY_AGENT, [11, 4, 10, 0, 0, 1]));
    assert_eq!(offer.message().server_id(), Some(Ipv4Addr::new(10, 0, 0, 1)));
    assert_eq!(offer.message().siaddr(), SERVER);
}

#[test]
fn an_http_client_gets_a_url_with_our_address_and_its_class_back() {
    let boot = vec![
        file("bios.0"),
        of(&[16, 19], "http://{server}:8080/x64.efi"),
        of(&[15], "http://boot.example.com/ia32.efi"),
    ];
    let mut link = Link::new(&with(boot));
    for (arch, url) in [
        (16, "http://10.0.0.2:8080/x64.efi"),
        (19, "http://10.0.0.2:8080/x64.efi"),
        (15, "http://boot.example.com/ia32.efi"),
    ] {
        let offer = link.send(&ask(arch, arch, HTTP));
        let message = offer.message();
        assert_eq!(message.whole(code::BOOT_FILE_NAME), Some(url.as_bytes()));
        assert_eq!(message.vendor_class(), Some(&b"HTTPClient"[..]));
    }
    let other = link.send(&ask(4, 20, HTTP));
    assert_eq!(boot_file(&other), "", "a bare name is nothing to an HTTP client");
    assert_eq!(other.message().vendor_class(), None);
}

#[test]
fn a_chain_does_not_load_itself_again_whatever_the_order_and_form() {
    for boot in [
        vec![file("ipxe.efi"), for_ipxe("menu.ipxe")],
        vec![for_ipxe("menu.ipxe"), file("ipxe.efi")],
    ] {
        let mut link = Link::new(&with(boot));
        assert_eq!(boot_file(&link.send(&ask(1, 7, PXE))), "ipxe.efi");
        let bare = ask(1, 7, PXE).with(code::USER_CLASS, *b"iPXE");
        assert_eq!(boot_file(&link.send(&bare)), "menu.ipxe");
        let listed = ask(1, 7, PXE).with(code::USER_CLASS, *b"\x03foo\x04iPXE");
        assert_eq!(boot_file(&link.send(&listed)), "menu.ipxe", "RFC 3004");
    }
}

#[test]
fn machines_are_named_by_hardware_address() {
    let one = BootEntry {
        macs: vec![Mac(mac(3))],
        ..file("special.efi")
    };
    let mut link = Link::new(&with(vec![one, file("x64.efi")]));
    assert_eq!(boot_file(&link.send(&ask(3, 7, PXE))), "special.efi");
    assert_eq!(boot_file(&link.send(&ask(4, 7, PXE))), "x64.efi");
}

/// 100,000 machines with an entry each, `mac(3)` the last; and one entry for whoever is named by none.
fn a_site_of_machines() -> Vec<BootEntry> {
    let other = |n: u32| {
        let [_, high, middle, low] = n.to_be_bytes();
        Mac([6, 0, 0, high, middle, low])
    };
    let one = |mac: Mac, n: u32| BootEntry {
        macs: vec![mac],
        ..file(&format!("{n}.efi"))
    };
    let mut entries: Vec<_> = (1..100_000).map(|n| one(other(n), n)).collect();
    entries.push(one(Mac(mac(3)), 100_000));
    entries.push(file("x64.efi"));
    entries
}

#[test]
fn a_machine_among_a_hundred_thousand_is_found_without_looking_at_the_others() {
    let mut by_profile = settings(POOL);
    for entry in a_site_of_machines() {
        by_profile.add_boot(entry, &[]);
    }
    for settings in [with(a_site_of_machines()), by_profile] {
        let mut link = Link::new(&settings);
        let mut steps = |n| {
            let before = LOOKED_AT.get();
            let answer = link.send(&ask(n, 7, PXE));
            (boot_file(&answer), LOOKED_AT.get() - before)
        };
        assert_eq!(steps(3), ("100000.efi".into(), 1));
        assert_eq!(steps(4), ("x64.efi".into(), 1));
    }
}

#[test]
fn the_stronger_scope_says_the_file_as_entry_or_plainly() {
    let mut settings = with(vec![file("x64.efi")]);
    reserve(&mut settings, 1, "10.0.1.5");
    settings.networks[0].subnets[0].reservations[0].scope.boot_file = Some("node1.efi".into());
    let mut link = Link::new(&settings);
    assert_eq!(boot_file(&link.send(&ask(1, 7, PXE))), "node1.efi");
    assert!(
        text(&link).ends_with("; boot file node1.efi at 10.0.0.2 from boot_file of its reservation"),
        "{}",
        text(&link)
    );
    assert_eq!(boot_file(&link.send(&ask(2, 7, PXE))), "x64.efi");
}

#[test]
fn profiles_come_after_what_the_scopes_say_and_hold_in_their_subnets() {
    let named = |name: &str, entry: BootEntry| BootEntry {
        name: Some(name.into()),
        ..entry
    };
    let mut settings = with(vec![of(&[11], "arm64.efi")]);
    settings.add_boot(named("elsewhere", file("no.efi")), &["other".into()]);
    settings.add_boot(named("here", of(&[7], "here.efi")), &["main".into()]);
    settings.add_boot(named("all", file("all.0")), &[]);
    let mut link = Link::new(&settings);
    assert_eq!(boot_file(&link.send(&ask(1, 11, PXE))), "arm64.efi");
    assert_eq!(boot_file(&link.send(&ask(2, 7, PXE))), "here.efi");
    assert!(
        text(&link).ends_with("; boot file here.efi at 10.0.0.2 from profile \"here\""),
        "{}",
        text(&link)
    );
    assert_eq!(boot_file(&link.send(&ask(3, 0, PXE))), "all.0");
    settings.scope.boot_file = Some("plain.0".into());
    assert_eq!(boot_file(&Link::new(&settings).send(&ask(3, 0, PXE))), "plain.0");
}

#[test]
fn a_configured_pxe_class_tells_the_rom_not_to_discover() {
    let mut settings = with(vec![file("bios.0")]);
    settings.scope.options = vec![OptionValue {
        code: code::VENDOR_CLASS,
        data: b"PXEClient".to_vec(),
        always: true,
    }];
    let mut link = Link::new(&settings);
    let offer = link.send(&ask(1, 0, PXE));
    assert_eq!(
        offer.message().whole(code::VENDOR_INFORMATION),
        Some(&[6, 1, 8, 255][..])
    );
    let other = link.send(&Ask::new(MessageType::Discover, 2));
    assert!(!other.message().has(code::VENDOR_INFORMATION));
    let plain = Link::new(&with(vec![file("bios.0")])).send(&ask(1, 0, PXE));
    assert!(!plain.message().has(code::VENDOR_INFORMATION) && plain.message().vendor_class().is_none());
}

#[test]
fn a_decision_tells_the_boot_file_and_where_it_is_said() {
    let mut link = Link::new(&with(vec![file("a.efi"), of(&[0], "b.0")]));
    link.send(&ask(1, 7, PXE));
    assert!(
        text(&link).ends_with("; boot file a.efi at 10.0.0.2 from boot entry 1 of [dhcp]"),
        "{}",
        text(&link)
    );
    // It outlives the plan that said so.
    let before = text(&link);
    let plan = crate::Plan::compile(&settings(POOL), None);
    link.engine.apply(plan, &link.now);
    assert_eq!(text(&link), before);
    link.send(&ask(1, 7, PXE));
    assert!(!text(&link).contains("a.efi"), "{}", text(&link));
}

/// What the decision about the newest packet says behind its reason.
fn remark(link: &Link) -> Option<String> {
    text(link).split_once("; ").map(|(_, remark)| remark.to_owned())
}

#[test]
fn a_boot_client_that_is_told_no_file_is_told_of() {
    let mut link = Link::new(&with(vec![of(&[7], "x64.efi")]));
    let offer = link.send(&ask(1, 11, PXE));
    let pxe = "no boot file: nothing fits a PXE client of architecture 11, uefi-arm64 (PUR-1307)";
    assert_eq!(remark(&link).as_deref(), Some(pxe));
    let request = Ask::new(MessageType::Request, 1)
        .requested(offer.address())
        .server(SERVER)
        .with(code::CLIENT_ARCH, [0, 11])
        .with(code::VENDOR_CLASS, PXE);
    link.send(&request);
    assert_eq!(remark(&link).as_deref(), Some(pxe), "also of the ACK");
    link.send(&ask(2, 16, HTTP));
    let http = "no boot file: nothing fits an HTTP client of architecture 16, uefi-x64-http (PUR-1307)";
    assert_eq!(remark(&link).as_deref(), Some(http));
    link.send(&ask(3, 200, b"U-Boot.armv8"));
    let other = "no boot file: nothing fits a boot client of architecture 200 (PUR-1307)";
    assert_eq!(remark(&link).as_deref(), Some(other));
    link.send(&Ask::new(MessageType::Discover, 4).with(code::VENDOR_CLASS, *b"PXEClient"));
    let unnamed = "no boot file: nothing fits a PXE client that names no architecture (PUR-1307)";
    assert_eq!(remark(&link).as_deref(), Some(unnamed));
}

#[test]
fn whoever_does_not_boot_or_is_told_how_by_options_is_told_of_no_missing_file() {
    let mut link = Link::new(&settings(POOL));
    link.send(&Ask::new(MessageType::Discover, 1).with(code::VENDOR_CLASS, *b"MSFT 5.0"));
    assert_eq!(remark(&link), None);
    for code in [code::BOOT_FILE_NAME, code::VENDOR_INFORMATION] {
        let mut settings = settings(POOL);
        settings.scope.options = vec![OptionValue {
            code,
            data: b"x".to_vec(),
            always: true,
        }];
        let mut link = Link::new(&settings);
        link.send(&ask(1, 11, PXE));
        assert_eq!(remark(&link), None, "option {code}");
    }
}

#[test]
fn what_a_client_said_when_it_booted_is_found_by_its_address() {
    let mut link = Link::new(&with(vec![file("a.efi")]));
    let offer = link.send(&ask(1, 7, PXE));
    let uuid: Vec<u8> = (0..17).collect();
    let request = Ask::new(MessageType::Request, 1)
        .requested(offer.address())
        .server(SERVER)
        .with(code::HOST_NAME, *b"node1")
        .with(code::CLIENT_ARCH, [0, 7])
        .with(code::CLIENT_UUID, uuid)
        .with(code::USER_CLASS, *b"iPXE");
    assert_eq!(
        link.engine.boot_facts(&link.now, offer.address()),
        None,
        "only offered"
    );
    let ack = link.send(&request);
    let facts = link.engine.boot_facts(&link.now, ack.address()).expect("bound");
    assert_eq!(facts.mac, Mac(mac(1)));
    assert_eq!(facts.architecture.as_deref(), Some("uefi-x64"));
    assert_eq!(facts.user_class.as_deref(), Some("iPXE"));
    assert_eq!(facts.hostname.as_deref(), Some("node1"));
    assert_eq!(facts.subnet.as_deref(), Some("main"));
    assert_eq!(facts.uuid.map(|u| u[15]), Some(16));
    let other = Ipv4Addr::new(10, 0, 1, 9);
    assert_eq!(link.engine.boot_facts(&link.now, other), None);
}

/// Firmware, iPXE and the system name themselves differently (option 61) on one card.
#[test]
fn a_reserved_address_stays_with_the_machine_from_one_program_to_the_next() {
    let mut settings = with(vec![file("x64.efi")]);
    reserve(&mut settings, 1, "10.0.5.5");
    let mut link = Link::new(&settings);
    let named = |kind, who: &[u8]| Ask::new(kind, 1).with(code::CLIENT_ID, who);
    let reserved = Ipv4Addr::new(10, 0, 5, 5);
    for who in [&b"\0firmware"[..], b"\0ipxe", b"\x01\x02\0\0\0\0\x01"] {
        assert_eq!(link.send(&named(MessageType::Discover, who)).address(), reserved);
        let request = named(MessageType::Request, who)
            .requested(reserved)
            .server(SERVER);
        let ack = link.send(&request);
        assert_eq!((ack.kind(), ack.address()), (MessageType::Ack, reserved));
    }
    // The first of them is heard once more.
    let renewal = link.send(&named(MessageType::Request, b"\0firmware").ciaddr(reserved));
    assert_eq!(renewal.kind(), MessageType::Ack);
    assert_eq!(link.engine.usage(&link.now)[0].bound, 1);
    let facts = link.engine.boot_facts(&link.now, reserved).expect("bound");
    assert_eq!(
        facts.hostname.as_deref(),
        Some("host-1"),
        "as its reservation says"
    );
}

#[test]
fn a_discover_that_leads_to_nothing_leaves_the_reserved_address_to_its_machine() {
    let mut settings = with(vec![file("x64.efi")]);
    reserve(&mut settings, 1, "10.0.5.5");
    let mut link = Link::new(&settings);
    let held = link.dora(1).address();
    let firmware = Ask::new(MessageType::Discover, 1).with(code::CLIENT_ID, *b"\0firmware");
    assert_eq!(link.send(&firmware).address(), held);
    assert_eq!(link.engine.usage(&link.now)[0].bound, 1);
    link.pass(60);
    let renewal = link.send(&Ask::new(MessageType::Request, 1).ciaddr(held));
    assert_eq!(renewal.kind(), MessageType::Ack);
    link.send(&Ask::new(MessageType::Discover, 2));
    assert_ne!(link.dora(2).address(), held);
}
