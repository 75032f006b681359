//! What names come to.

mod escape;
mod rules;
mod templates;
mod uploads;

use super::*;
use crate::settings::{Files, Uploads};

/// A plan over these files.
fn plan(files: Files) -> Arc<Plan> {
    Plan::compile(&Settings {
        files,
        ..Settings::default()
    })
}

/// A plan over `/srv/tftp` with a map in the notation of tftpd-hpa.
fn mapped(map: &str) -> Arc<Plan> {
    plan(Files {
        root: Some("/srv/tftp".into()),
        rules: crate::rule::hpa::parse(map).expect("the map of a test is good"),
        ..Files::default()
    })
}

fn ask(name: &str) -> Ask<'_> {
    Ask {
        name,
        client: "192.0.2.169".parse().unwrap(),
        server: Some("192.0.2.1".parse().unwrap()),
        write: false,
        scheme: Scheme::Tftp,
    }
}

/// `root:path`, or the code of the refusal.
fn place(resolved: &Resolved) -> String {
    match resolved {
        Resolved::File { root, path } => format!("{}:{path}", root.display()),
        Resolved::Made { text, kind } => format!("{kind}:{text}"),
        Resolved::MadeFrom { path, .. } => format!("from:{path}"),
        Resolved::Refused(code) => code.to_string(),
        Resolved::NoValue(mark) => format!("no value for {mark:?}"),
    }
}

fn read(plan: &Plan, name: &str) -> String {
    place(&plan.resolve(&ask(name), None))
}

#[test]
fn without_rules_a_name_is_a_path_below_the_root() {
    let plan = mapped("");
    assert_eq!(
        read(&plan, "/boot\\x64//bootmgfw.efi"),
        "/srv/tftp:boot/x64/bootmgfw.efi"
    );
    assert_eq!(read(&plan, "../etc/passwd"), "PUR-2404");
    assert_eq!(read(&plan, &"a/".repeat(300)), "PUR-2401");
    assert!(!plan.depends_on_client("x", false) && !plan.needs_facts("x"));
    assert_eq!(plan.roots(), [PathBuf::from("/srv/tftp")]);
    assert_eq!(read(&self::plan(Files::default()), "x"), "PUR-2408");
}

#[test]
fn caps_are_those_of_the_first_class_that_fits() {
    use crate::rule::Pattern;
    use crate::settings::{Caps, ClientClass, Network};
    let class = |blksize: u16| ClientClass {
        name: blksize.to_string(),
        networks: Vec::new(),
        file: None,
        asks_blksize: None,
        asks_windowsize: None,
        caps: Caps {
            blksize,
            ..Caps::default()
        },
    };
    let pi = ClientClass {
        file: Some(Pattern::parse("^[0-9a-f]{8}/", false).unwrap()),
        caps: Caps {
            rollover: 1,
            ..Caps::default()
        },
        ..class(0)
    };
    let edk2 = ClientClass {
        asks_blksize: Some(1468),
        asks_windowsize: Some(true),
        ..class(1400)
    };
    let far = ClientClass {
        networks: vec![Network {
            address: "10.0.0.0".parse().unwrap(),
            length: 8,
        }],
        ..class(1024)
    };
    let plan = Plan::compile(&Settings {
        classes: vec![pi, edk2, far],
        ..Settings::default()
    });
    let caps = |client: &str, name, size, window| plan.caps(client.parse().unwrap(), name, size, window);
    assert_eq!(caps("192.0.2.1", "0a1b2c3d/start4.elf", None, false).rollover, 1);
    assert_eq!(caps("192.0.2.1", "x", Some(1468), true).blksize, 1400);
    assert_eq!(caps("192.0.2.1", "x", Some(1468), false).blksize, 65_464);
    assert_eq!(caps("::ffff:10.9.9.9", "x", Some(1432), false).blksize, 1024);
}
