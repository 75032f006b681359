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

/// Heap profilers follow the system's allocator, and are loaded before the program: valgrind is one of them.
#[test]
fn s2_74_whoever_is_loaded_before_the_program_sees_its_heap() {
    let dir = tempfile::TempDir::new().unwrap();
    for (preload, heap) in [("", "mimalloc"), ("libm.so.6", "system")] {
        let mut version = crate::harness::command(dir.path());
        version.args(["version", "-o", "json"]).env("LD_PRELOAD", preload);
        let ended = version.output().unwrap();
        let about: serde_json::Value = serde_json::from_slice(&ended.stdout).unwrap();
        assert_eq!(about["heap"], heap, "LD_PRELOAD={preload}");
    }
}

/// The configuration in the map, with the variables of the pods and the files of their secret.
#[test]
fn s0_23_a_pods_configuration_is_good_and_has_the_autoscalers_bounds() {
    let map = shipped("kubernetes/dhcp/configmap.yaml");
    let (_, text) = map.split_once("purlin.toml: |\n").expect("it is in the map");
    let text: Vec<_> = text
        .lines()
        .map(|line| line.strip_prefix("    ").unwrap_or(line))
        .collect();
    let dir = tempfile::TempDir::new().unwrap();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    write("purlin.toml", &text.join("\n"));
    write("database", "postgresql://user:pass@postgres:5432/purlin");
    write("redis", "redis://redis-service:6379");
    write("cluster", "0123456789abcdef0123456789abcdef");
    let mut check = crate::harness::command(dir.path());
    check.args(["config", "check", "purlin.toml"]);
    let set = shipped("kubernetes/dhcp/statefulset.yaml");
    let variables = set.match_indices("PURLIN__").map(|(at, _)| &set[at..]);
    let name = |text: &str| text[..text.find([',', '\n', '}']).expect("more follows")].to_owned();
    let names: Vec<String> = variables.map(name).collect();
    assert_eq!(names.len(), 5, "{names:?}");
    for name in names {
        let value = match name.rsplit("__").next().expect("a key") {
            "ID" => "simple-dhcpd-datacenter-0",
            "NODE_IP" => "10.0.0.11",
            "URL_FILE" if name.contains("STORE") => "database",
            "URL_FILE" => "redis",
            _ => "cluster",
        };
        check.env(name, value);
    }
    let checked = check.output().unwrap();
    assert!(
        checked.status.success(),
        "{}",
        String::from_utf8_lossy(&checked.stderr)
    );
    let bounds = |text: &str, low: &str, high: &str| text.contains(low) && text.contains(high);
    assert!(bounds(&map, "min_nodes = 3", "max_nodes = 10"));
    let hpa = shipped("kubernetes/dhcp/hpa.yaml");
    assert!(bounds(&hpa, "minReplicas: 3", "maxReplicas: 10"));
}
