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

/// The samples that the project gives its users.
const SAMPLES: [(&str, &str); 2] = [
    (
        "boot-files.toml",
        include_str!("../../../../../../examples/boot-files.toml"),
    ),
    (
        "tftp-performance.json",
        include_str!("../../../../../../examples/tftp-performance.json"),
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

const PAGES: [&str; 3] = [
    include_str!("../../../../../../docs/howto/boot-files.md"),
    include_str!("../../../../../../docs/howto/boot-rules.md"),
    include_str!("../../../../../../docs/howto/boot-templates.md"),
];

#[test]
fn the_pages_show_good_configurations() {
    let blocks = PAGES.iter().flat_map(|page| page.split("```toml\n").skip(1));
    let blocks: Vec<&str> = blocks.filter_map(|rest| rest.split("```").next()).collect();
    assert!(blocks.len() >= 8);
    for block in blocks {
        let (settings, report) = checked("page.toml", block);
        assert_eq!(report, "", "{block}");
        assert!(settings.is_some());
    }
}

#[test]
fn s2_1_the_performance_guide_is_answered_section_by_section() {
    let page = include_str!("../../../../../../docs/operating/performance-guide.md");
    let sections = [
        "Performance metrics and targets",
        "System optimization",
        "Caching",
        "Load balancing",
        "Connection management",
        "I/O optimization",
        "Compression",
        "Batch processing",
        "Resource limits",
        "Monitoring performance",
        "Scaling strategies",
        "Tuning checklist",
        "Best practices",
        "Troubleshooting",
    ];
    for section in sections {
        assert!(page.contains(&format!("\n## {section}\n")), "{section}");
    }
    // Every key of the guide is named, alone or beside others of its table.
    for section in crate::reader::compat_sections() {
        assert!(page.contains(section.name), "{}", section.name);
    }
}

#[test]
fn s2_83_there_is_a_page_about_scaling() {
    assert!(include_str!("../../../../../../docs/operating/scaling.md").starts_with("# Scaling\n"));
}

#[test]
fn s2_84_there_is_a_page_about_monitoring() {
    assert!(include_str!("../../../../../../docs/operating/monitoring.md").starts_with("# Monitoring\n"));
}

#[test]
fn s2_85_there_is_a_page_about_slow_nodes() {
    let page = include_str!("../../../../../../docs/operating/performance-troubleshooting.md");
    for symptom in ["High CPU", "High memory", "High latency", "Low throughput"] {
        assert!(page.contains(&format!("\n## {symptom}\n")), "{symptom}");
    }
}
