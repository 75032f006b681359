//! The files that are shipped beside the binary.

use std::path::Path;

fn shipped(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../deploy")
        .join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()))
}

/// The value of a directive in the unit.
fn directive<'a>(unit: &'a str, name: &str) -> Option<&'a str> {
    unit.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
}

#[test]
fn s2_62_the_unit_allows_enough_open_files() {
    let unit = shipped("systemd/purlin.service");
    let files: u64 = directive(&unit, "LimitNOFILE")
        .expect("it is set")
        .parse()
        .expect("a number");
    assert!(files >= 65_536, "{files}");
}

#[test]
fn s2_63_the_unit_caps_no_memory() {
    let unit = shipped("systemd/purlin.service");
    for name in ["MemoryMax", "MemoryHigh", "LimitRSS", "LimitAS", "LimitDATA"] {
        assert_eq!(directive(&unit, name), None, "{name}");
    }
}

/// Rust sources below a folder.
fn sources(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn s2_74_nothing_replaces_the_system_allocator() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = Vec::new();
    for part in ["crates", "bin/purlin/src"] {
        sources(&root.join(part), &mut found);
    }
    assert!(found.len() > 100, "{}", found.len());
    for path in found {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            !text.contains("global_allocator"),
            "{}: heap profilers follow the system's allocator",
            path.display()
        );
    }
}
