//! What may be written.

use super::*;
use crate::settings::Network;
use crate::template::NamePattern;

fn written(uploads: Uploads, name: &str) -> String {
    let plan = plan(Files {
        root: Some("/srv/tftp".into()),
        uploads,
        ..Files::default()
    });
    place(&plan.resolve(
        &Ask {
            write: true,
            ..ask(name)
        },
        None,
    ))
}

fn allow(patterns: &[&str]) -> Uploads {
    Uploads {
        allow: patterns
            .iter()
            .map(|text| NamePattern::parse(text).unwrap())
            .collect(),
        ..Uploads::default()
    }
}

#[test]
fn nothing_may_be_written_until_names_are_allowed() {
    assert_eq!(written(Uploads::default(), "x"), "PUR-2410");
    assert_eq!(
        written(allow(&["configs/*.cfg"]), "configs/sw1.cfg"),
        "/srv/tftp:configs/sw1.cfg"
    );
    assert_eq!(
        written(allow(&["configs/*.cfg"]), "configs/../pxelinux.0"),
        "PUR-2404"
    );
    assert_eq!(written(allow(&["configs/*.cfg"]), "pxelinux.0"), "PUR-2411");
    assert_eq!(written(allow(&["configs/*.cfg"]), "configs/a/b.cfg"), "PUR-2411");
}

#[test]
fn only_listed_networks_may_write() {
    let uploads = Uploads {
        networks: vec![Network {
            address: "198.51.100.0".parse().unwrap(),
            length: 24,
        }],
        ..allow(&["**"])
    };
    assert_eq!(written(uploads, "x"), "PUR-2412");
}
