//! Which profile is chosen.

use super::*;

fn profile(name: &str, fits: Fits) -> Profile {
    Profile {
        name: name.into(),
        fits,
        file: "x".into(),
        server: None,
        values: Vec::new(),
    }
}

const TABLE: &str = include_str!("../../../../../tests/tables/boot-profiles.txt");

fn set(word: &str) -> Option<String> {
    Some(word.to_owned()).filter(|word| word != "-")
}

fn mac(text: &str) -> Mac {
    text.parse().expect("a hardware address")
}

/// DHCP tells a client the file of the profile that this fills templates from: one table tests both.
#[test]
fn boot_files_choose_profiles_as_dhcp_does() {
    let mut profiles = Vec::new();
    let mut clients = 0;
    for line in TABLE.lines() {
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["---"] => profiles.clear(),
            ["profile", name, architectures, class, one, subnet] => profiles.push(profile(
                name,
                Fits {
                    architectures: set(architectures)
                        .map_or(Vec::new(), |names| names.split(',').map(str::to_owned).collect()),
                    user_class: set(class),
                    macs: set(one).map(|text| mac(&text)).into_iter().collect(),
                    subnets: set(subnet).into_iter().collect(),
                },
            )),
            ["client", architecture, class, one, "=>", name] => {
                let facts = Facts {
                    mac: Some(mac(one)),
                    architecture: set(architecture),
                    user_class: set(class),
                    subnet: Some("main".into()),
                    ..Facts::default()
                };
                clients += 1;
                let chosen = select(&profiles, &facts).map(|profile| profile.name.clone());
                assert_eq!(chosen, set(name), "{line}");
            }
            _ => assert!(line.is_empty() || line.starts_with('#'), "{line}"),
        }
    }
    assert!(clients > 10, "the table was read");
}

#[test]
fn a_prefix_of_a_hardware_address_fits_its_makers_cards() {
    let prefix = MacPrefix::parse("52:54:00").unwrap();
    assert!(prefix.fits(Mac([0x52, 0x54, 0, 1, 2, 3])));
    assert!(!prefix.fits(Mac([0x52, 0x55, 0, 1, 2, 3])));
    assert_eq!(MacPrefix::parse(""), None);
    assert_eq!(MacPrefix::parse("01:02:03:04:05:06:07"), None);
}
