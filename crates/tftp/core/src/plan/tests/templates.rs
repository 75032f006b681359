//! Texts made for a client.

use super::*;
use crate::settings::{Body, Fits, Template};
use crate::template::{NamePattern, Text};

fn template(name: &str, text: &str) -> Template {
    Template {
        name: NamePattern::parse(name).unwrap(),
        who: Who::default(),
        body: Body::Text(Text::parse(text).unwrap()),
    }
}

fn with(templates: Vec<Template>) -> Arc<Plan> {
    let settings = Settings {
        files: Files {
            root: Some("/srv/tftp".into()),
            templates,
            ..Files::default()
        },
        listen: vec!["0.0.0.0:6969".parse().unwrap()],
        profiles: vec![Profile {
            name: "rack".into(),
            fits: Fits {
                subnets: vec!["racks".into()],
                ..Fits::default()
            },
            file: "vmlinuz".into(),
            server: None,
            values: vec![("console".into(), "ttyS0".into())],
        }],
        ..Settings::default()
    };
    Plan::compile(&settings)
}

fn facts() -> Facts {
    Facts {
        mac: Some(Mac([2, 0, 0, 0, 0, 1])),
        hostname: Some("node-1".into()),
        subnet: Some("racks".into()),
        ..Facts::default()
    }
}

#[test]
fn an_ipxe_script_is_made_from_lease_and_profile() {
    let plan = with(vec![template(
        "boot.ipxe",
        "#!ipxe\nkernel {{file_url}} console={{console}} host={{hostname}} mac={{mac}} ${next-server}",
    )]);
    assert!(plan.needs_facts("/boot.ipxe") && !plan.needs_facts("other"));
    assert_eq!(
        place(&plan.resolve(&ask("/boot.ipxe"), Some(&facts()))),
        "ipxe:#!ipxe\nkernel tftp://192.0.2.1:6969/vmlinuz console=ttyS0 host=node-1 mac=02:00:00:00:00:01 ${next-server}"
    );
    assert_eq!(read(&plan, "/boot.ipxe"), "no value for {{file_url}}");
    assert_eq!(read(&plan, "other"), "/srv/tftp:other");
}

#[test]
fn a_configuration_for_each_machine_is_made_from_its_name_alone() {
    let plan = with(vec![
        template("pxelinux.cfg/01-{mac}", "{{mac}} {{mac_dashed}} {{name}}"),
        template("grub/grub.cfg-01-{mac}", "{{mac}}"),
        template("pxelinux.cfg/{ip_hex}", "{{ip}} {{ip_hex}}"),
    ]);
    let name = "pxelinux.cfg/01-02-00-00-00-ab-01";
    assert!(!plan.needs_facts(name) && !plan.depends_on_client(name, false));
    assert_eq!(
        read(&plan, name),
        format!("pxelinux:02:00:00:00:ab:01 02-00-00-00-ab-01 {name}")
    );
    assert_eq!(
        read(&plan, "/grub/grub.cfg-01-02-00-00-00-ab-01"),
        "grub:02:00:00:00:ab:01"
    );
    assert_eq!(read(&plan, "pxelinux.cfg/0A000001"), "pxelinux:10.0.0.1 0A000001");
    assert_eq!(
        read(&plan, "pxelinux.cfg/0A00000"),
        "/srv/tftp:pxelinux.cfg/0A00000"
    );
}

#[test]
fn the_lease_of_another_machine_is_not_mixed_in() {
    let plan = with(vec![template("{mac}.ipxe", "{{mac}} {{hostname|?}}")]);
    let made = |name| place(&plan.resolve(&ask(name), Some(&facts())));
    assert_eq!(made("02-00-00-00-00-01.ipxe"), "ipxe:02:00:00:00:00:01 node-1");
    assert_eq!(made("02-00-00-00-00-02.ipxe"), "ipxe:02:00:00:00:00:02 ?");
}

#[test]
fn the_first_template_that_fits_name_and_client_counts() {
    let only = |prefix: &str, text: &str| Template {
        who: Who {
            networks: Vec::new(),
            macs: vec![crate::settings::MacPrefix::parse(prefix).unwrap()],
        },
        ..template("*.ipxe", text)
    };
    let plan = with(vec![
        only("02:00", "two"),
        template("a.ipxe", "exact"),
        template("*.ipxe", "rest"),
    ]);
    let made = |name, facts: Option<&Facts>| place(&plan.resolve(&ask(name), facts));
    assert_eq!(made("a.ipxe", Some(&facts())), "ipxe:two");
    assert_eq!(made("a.ipxe", None), "ipxe:exact");
    assert_eq!(made("b.ipxe", None), "ipxe:rest");
    assert_eq!(made("c/b.ipxe", None), "/srv/tftp:c/b.ipxe");
    assert!(plan.depends_on_client("a.ipxe", false));
}

#[test]
fn a_file_below_the_root_can_be_the_text() {
    let body = Body::File(RelativePath::parse("templates/menu").unwrap());
    let plan = with(vec![Template {
        body,
        ..template("menu.ipxe", "")
    }]);
    let Resolved::MadeFrom { root, path, values } = plan.resolve(&ask("menu.ipxe"), Some(&facts())) else {
        panic!("the text comes from a file")
    };
    assert_eq!(
        (root.display().to_string(), path.as_str()),
        ("/srv/tftp".into(), "templates/menu")
    );
    assert_eq!(
        values.fill("{{hostname}} {{server}}"),
        Ok("node-1 192.0.2.1".into())
    );
    assert!(values.fill("{{nothing}}").is_err());
}

#[test]
fn an_unknown_server_is_the_address_that_is_listened_on() {
    let settings = Settings {
        files: Files {
            templates: vec![template("a", "{{server}} {{url}}")],
            ..Files::default()
        },
        listen: vec!["0.0.0.0:69".parse().unwrap(), "192.0.2.7:6969".parse().unwrap()],
        ..Settings::default()
    };
    let plan = Plan::compile(&settings);
    let unknown = Ask {
        server: None,
        ..ask("a")
    };
    assert_eq!(
        place(&plan.resolve(&unknown, None)),
        "text:192.0.2.7 tftp://192.0.2.7:6969"
    );
}
