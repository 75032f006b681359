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

#[test]
fn the_first_profile_that_fits_counts() {
    let profiles = [
        profile(
            "menu",
            Fits {
                user_class: Some("iPXE".into()),
                ..Fits::default()
            },
        ),
        profile(
            "uefi",
            Fits {
                architectures: vec!["uefi-x64".into(), "uefi-bc".into()],
                ..Fits::default()
            },
        ),
        profile(
            "one",
            Fits {
                macs: vec![Mac([2, 0, 0, 0, 0, 1])],
                subnets: vec!["racks".into()],
                ..Fits::default()
            },
        ),
        profile("rest", Fits::default()),
    ];
    let chosen = |facts: Facts| select(&profiles, &facts).map(|profile| profile.name.clone());
    let uefi = Facts {
        architecture: Some("uefi-bc".into()),
        ..Facts::default()
    };
    let ipxe = Facts {
        user_class: Some("iPXE".into()),
        ..uefi.clone()
    };
    let one = Facts {
        mac: Some(Mac([2, 0, 0, 0, 0, 1])),
        subnet: Some("racks".into()),
        ..Facts::default()
    };
    let moved = Facts {
        subnet: Some("lab".into()),
        ..one.clone()
    };
    assert_eq!(chosen(uefi).as_deref(), Some("uefi"));
    assert_eq!(chosen(ipxe).as_deref(), Some("menu"));
    assert_eq!(chosen(one).as_deref(), Some("one"));
    assert_eq!(chosen(moved).as_deref(), Some("rest"));
    assert_eq!(select(&profiles[..3], &Facts::default()), None);
}

#[test]
fn a_prefix_of_a_hardware_address_fits_its_makers_cards() {
    let prefix = MacPrefix::parse("52:54:00").unwrap();
    assert!(prefix.fits(Mac([0x52, 0x54, 0, 1, 2, 3])));
    assert!(!prefix.fits(Mac([0x52, 0x55, 0, 1, 2, 3])));
    assert_eq!(MacPrefix::parse(""), None);
    assert_eq!(MacPrefix::parse("01:02:03:04:05:06:07"), None);
}
