//! One meaning in three notations; the sample configurations of the project.

use super::checked;
use purlin_config::{Document, Faults, Input};

#[test]
fn the_same_document_in_three_notations_gives_equal_settings() {
    let toml = crate::reader::demo();
    let mut faults = Faults::new();
    let json = Document::parse([Input::file("a.toml", toml)], &mut faults).to_json();
    let yaml = r#"
dhcp:
  listen: ["127.0.0.1:6767"]
  ack: durable
  subnets:
    - name: demo
      network: 10.67.0.0/16
      pools: [10.67.1.0-10.67.250.255]
      relays: [127.0.0.0/8]
      gateway: 10.67.0.1
      dns_servers: [10.67.0.1]
      domain_name: demo.example
      lease_time: 3600
      reservations:
        - { mac: "02:00:00:00:00:01", address: 10.67.0.50, hostname: first }
"#;
    let (from_toml, report) = checked("a.toml", toml);
    assert_eq!(report, "");
    assert!(from_toml.is_some());
    assert_eq!(checked("a.yaml", yaml), (from_toml.clone(), String::new()));
    assert_eq!(checked("a.json", &json.to_string()), (from_toml, String::new()));
}

/// The samples that the project gives its users.
const SAMPLES: [(&str, &str); 5] = [
    (
        "single-subnet.toml",
        include_str!("../../../../../../examples/single-subnet.toml"),
    ),
    ("home.toml", include_str!("../../../../../../examples/home.toml")),
    (
        "shared-network.yaml",
        include_str!("../../../../../../examples/shared-network.yaml"),
    ),
    (
        "netboot.toml",
        include_str!("../../../../../../examples/netboot.toml"),
    ),
    (
        "options.json",
        include_str!("../../../../../../examples/options.json"),
    ),
];

#[test]
fn the_sample_configurations_are_good() {
    for (name, text) in SAMPLES {
        let (settings, report) = checked(name, text);
        assert_eq!(report, "", "{name}");
        assert!(settings.is_some_and(|settings| settings.enabled), "{name}");
    }
}
