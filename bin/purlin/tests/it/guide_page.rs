//! The page that answers the scaling guide for OVN: what it shows is true of this binary.

use crate::harness::{Node, command};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operating/ovn-scaling-guide.md");
    std::fs::read_to_string(&path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()))
}

/// The code blocks of a language.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let mut fences = page.split("\n```");
    let first = fences.next();
    assert!(first.is_some());
    // Every second one closes.
    let opened = fences.step_by(2);
    let named = opened.filter_map(|block| block.strip_prefix(&format!("{language}\n")));
    named.collect()
}

#[test]
fn s4_1_the_scaling_guide_for_ovn_is_answered_section_by_section() {
    let page = page();
    for section in [
        "Overview",
        "Architecture",
        "Components",
        "Deployment strategies",
        "Configuration",
        "Load balancing",
        "Monitoring",
        "Best practices",
        "Troubleshooting",
        "Performance tuning",
        "Security considerations",
    ] {
        assert!(page.contains(&format!("\n## {section}\n")), "{section}");
    }
    for component in [
        "1. Cluster coordinator",
        "2. Session affinity",
        "3. Distributed locking",
        "4. Cache synchronization",
    ] {
        assert!(page.contains(&format!("\n### {component}\n")), "{component}");
    }
}

#[test]
fn s4_1_the_configuration_in_the_page_is_taken_without_a_fault() {
    let (page, dir) = (page(), TempDir::new().expect("there is room"));
    let file = |name: &str, text: &str| -> PathBuf {
        let path = dir.path().join(name);
        std::fs::write(&path, text).expect("the folder is ours");
        path
    };
    let (yaml, toml) = (blocks(&page, "yaml"), blocks(&page, "toml"));
    assert_eq!((yaml.len(), toml.len()), (1, 1));
    let guide = file("config.yaml", yaml[0]);
    let mut check = command(dir.path());
    for (name, value) in [
        ("NODE_ID", "node-1"),
        ("NODE_IP", "10.0.0.11"),
        ("REDIS_PASSWORD", "r"),
        ("DB_USER", "ovncp"),
        ("DB_PASSWORD", "p"),
    ] {
        check.env(name, value);
    }
    let checked = check
        .args(["as", "ovncp", "--check", "--config"])
        .arg(guide)
        .output();
    let checked = crate::harness::Ended::from(checked.expect("the binary was built for this test"));
    assert_eq!((checked.code, &*checked.err), (0, ""));
    let _ = file("purlin.toml", toml[0]);
    let checked = crate::harness::run_in(dir.path(), &["config", "check", "purlin.toml"]);
    assert_eq!(checked.code, 0, "{}{}", checked.out, checked.err);
    assert!(!checked.err.contains("warning"), "{}", checked.err);
    // Without one OVN for all, each node would have its own: that is said.
    let lines = toml[0].lines().filter(|line| !line.contains("bound = [\"tcp:"));
    let _ = file("purlin.toml", &lines.collect::<Vec<_>>().join("\n"));
    let checked = crate::harness::run_in(dir.path(), &["config", "check", "purlin.toml"]);
    let warned = checked
        .err
        .contains("every node of this cluster starts an OVN of its own");
    assert!(checked.code == 0 && warned, "{}{}", checked.out, checked.err);
}

/// Against a node alone, which is a cluster of one.
#[test]
fn s4_1_the_commands_in_the_page_do_what_they_are_there_for() {
    let page = page();
    let config = "[api]\nhttp = [\"127.0.0.1:0\"]\nhttps = []\nmetrics = []\n\n[dhcp]\nenabled = false\n\n\
                  [tftp]\nenabled = false\n\n[ovn]\nenabled = true\nown = \"in_process\"\n";
    let node = Node::start(config);
    let commands: Vec<&str> = blocks(&page, "sh").into_iter().flat_map(str::lines).collect();
    assert!(commands.len() >= 8, "{commands:?}");
    for line in commands {
        let words = line
            .strip_prefix("purlin ")
            .unwrap_or_else(|| panic!("not ours: {line}"));
        let words: Vec<&str> = words
            .split_whitespace()
            .map(|word| word.trim_matches('\''))
            .collect();
        let ended = node.run(&words);
        // What doctor thinks of this machine is its own matter.
        let good = ended.code == 0 || (words[0] == "doctor" && ended.out.contains("node"));
        assert!(good, "{line}: {} {}{}", ended.code, ended.out, ended.err);
    }
}
