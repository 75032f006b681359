//! One meaning in three notations.

use super::checked;
use purlin_config::{Document, Faults, Input};

#[test]
fn the_same_document_in_three_notations_gives_equal_settings() {
    let toml = "[tftp]\nlisten = [\"127.0.0.1:6969\"]\nroot = \"/srv/tftp\"\nremap = \"rg \\\\\\\\ /\\n\"\ncache = { ttl = \"1m\" }\n\
                [[boot.profiles]]\nname = \"bios\"\narch = \"bios\"\nfile = \"undionly.kpxe\"\n";
    let yaml = "
tftp:
  listen: [\"127.0.0.1:6969\"]
  root: /srv/tftp
  remap: |
    rg \\\\ /
  cache: { ttl: 60 }
boot:
  profiles:
    - { name: bios, arch: [bios], file: undionly.kpxe }
";
    let mut faults = Faults::new();
    let json = Document::parse([Input::file("a.toml", toml)], &mut faults).to_json();
    let (from_toml, report) = checked("a.toml", toml);
    assert_eq!(report, "");
    assert!(from_toml.as_ref().is_some_and(|settings| settings.enabled));
    assert_eq!(checked("a.yaml", yaml), (from_toml.clone(), String::new()));
    assert_eq!(checked("a.json", &json.to_string()), (from_toml, String::new()));
}
