//! The rule that chooses a boot profile, by the table that the boot files' own test reads too.

use super::{Link, PXE, boot_file, file};
use crate::engine::tests::conversation::{Ask, settings};
use crate::settings::{BootEntry, Settings};
use purlin_dhcp_proto::{Arch, MessageType, code};
use purlin_types::Mac;

const TABLE: &str = include_str!("../../../../../../../tests/tables/boot-profiles.txt");

fn set(word: &str) -> Option<&str> {
    Some(word).filter(|word| *word != "-")
}

fn arch(name: &str) -> u16 {
    Arch::parse(name).expect("a name of option 93").0
}

fn add(settings: &mut Settings, words: &[&str]) {
    let [name, architectures, class, mac, subnet] = words[..] else {
        panic!("five words: {words:?}");
    };
    let mac: Option<Mac> = set(mac).map(|mac| mac.parse().expect("a hardware address"));
    let entry = BootEntry {
        architectures: set(architectures).map_or(Vec::new(), |names| names.split(',').map(arch).collect()),
        user_class: set(class).map(str::to_owned),
        macs: mac.into_iter().collect(),
        ..file(name)
    };
    let subnets: Vec<String> = set(subnet).map(str::to_owned).into_iter().collect();
    settings.add_boot(entry, &subnets);
}

fn told(settings: &Settings, words: &[&str]) -> String {
    let [architecture, class, mac, ..] = words[..] else {
        panic!("a client: {words:?}");
    };
    let mac: Mac = mac.parse().expect("a hardware address");
    let mut ask = Ask::new(MessageType::Discover, mac.0[5]).with(code::VENDOR_CLASS, PXE);
    if let Some(name) = set(architecture) {
        ask = ask.with(code::CLIENT_ARCH, arch(name).to_be_bytes());
    }
    if let Some(class) = set(class) {
        ask = ask.with(code::USER_CLASS, class);
    }
    boot_file(&Link::new(settings).send(&ask))
}

#[test]
fn dhcp_chooses_profiles_as_boot_files_do() {
    let pool = &["10.0.1.0-10.0.1.9"];
    let mut now = settings(pool);
    let mut clients = 0;
    for line in TABLE.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["---"] => now = settings(pool),
            ["profile", ..] => add(&mut now, &words[1..]),
            ["client", .., "=>", name] => {
                clients += 1;
                assert_eq!(told(&now, &words[1..]), set(name).unwrap_or_default(), "{line}");
            }
            _ => assert!(line.is_empty() || line.starts_with('#'), "{line}"),
        }
    }
    assert!(clients > 10, "the table was read");
}
