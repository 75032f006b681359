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
