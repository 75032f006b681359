//! The compose file that is shipped: its shape, and whether the binary and the shipped files agree with what it says.
//! Containers are not run here.

use crate::harness::{Ended, command};
use purlin_config::{Document, Faults, Input};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const PASSWORD: &str = "0123456789abcdef";
/// What the compose specification has for a service, as far as this file needs it.
const KEYS: [&str; 15] = [
    "image",
    "build",
    "command",
    "environment",
    "depends_on",
    "ports",
    "volumes",
    "networks",
    "healthcheck",
    "stop_grace_period",
    "profiles",
    "sysctls",
    "restart",
    "user",
    "configs",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/compose")
}

fn text(name: &str) -> String {
    let path = folder().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()))
}

/// The file, with the variables that `.env` would set.
fn compose() -> Value {
    let told = text("compose.yaml").replace("${POSTGRES_PASSWORD:?run ./prepare.sh first}", PASSWORD);
    assert!(!told.contains("${"), "a variable that nobody sets");
    let mut faults = Faults::new();
    let document = Document::parse([Input::file("compose.yaml", told)], &mut faults);
    assert_eq!(faults.errors(), 0, "{}", faults.to_text(&document, false));
    document.to_json()
}

fn keys(value: &Value) -> Vec<&str> {
    let all = value.as_object().into_iter().flatten();
    all.map(|(key, _)| key.as_str()).collect()
}

fn texts(value: &Value) -> Vec<&str> {
    let all = value.as_array().into_iter().flatten();
    all.map(|one| one.as_str().expect("a text")).collect()
}

fn nodes(compose: &Value) -> [&Value; 3] {
    ["ovncp-1", "ovncp-2", "ovncp-3"].map(|name| &compose["services"][name])
}

/// A command in an environment that holds nothing but what a node's container is given.
fn as_in(node: &Value, dir: &Path, arguments: &[&str]) -> Ended {
    let mut command = command(dir);
    for (name, value) in node["environment"].as_object().expect("variables") {
        command.env(name, value.as_str().expect("variables are texts"));
    }
    let output = command.args(arguments).output();
    output.expect("the binary was built for this test").into()
}

#[test]
fn s4_29_the_compose_file_has_the_guides_services_and_nothing_hangs_in_the_air() {
    let compose = compose();
    assert_eq!(keys(&compose), ["name", "services", "volumes", "networks"]);
    let services = compose["services"].as_object().expect("services");
    for name in ["ovncp-1", "ovncp-2", "ovncp-3", "nginx", "redis", "postgres"] {
        assert!(services.contains_key(name), "{name}");
    }
    let volumes: BTreeSet<&str> = keys(&compose["volumes"]).into_iter().collect();
    for (name, service) in services {
        let strange: Vec<&str> = keys(service)
            .into_iter()
            .filter(|key| !KEYS.contains(key))
            .collect();
        assert!(strange.is_empty(), "{name}: {strange:?}");
        assert!(
            service["image"].as_str().is_some_and(|image| image.contains(':')),
            "{name}"
        );
        for other in texts(&service["depends_on"]) {
            assert!(services.contains_key(other), "{name} depends on {other}");
        }
        for place in texts(&service["volumes"]) {
            let (from, to) = place.split_once(':').expect("from:to");
            assert!(to.starts_with('/'), "{name}: {place}");
            // What prepare.sh makes is looked at with that.
            let there =
                volumes.contains(from) || from.starts_with("./certs/") || folder().join(from).is_file();
            assert!(there, "{name}: {place}");
        }
        for port in texts(&service["ports"]) {
            let parts = port.split(':').map(str::parse::<u16>);
            assert!(parts.count() == 2 && port.split(':').all(|part| part.parse::<u16>().is_ok()));
        }
    }
    let published: Vec<&str> = services.values().flat_map(|one| texts(&one["ports"])).collect();
    assert_eq!(
        published,
        ["80:80", "443:443", "8088:80", "8443:443"],
        "nothing behind the fronts"
    );
}

#[test]
fn s4_29_every_node_of_the_compose_file_is_one_of_one_cluster() {
    let (compose, dir) = (compose(), TempDir::new().expect("there is room"));
    let mut seen = BTreeSet::new();
    for node in nodes(&compose) {
        let words = texts(&node["command"]);
        assert_eq!(words, ["purlin", "as", "ovncp"]);
        let checked = as_in(node, dir.path(), &[&words[1..], &["--check"]].concat());
        assert_eq!((checked.code, &*checked.err), (0, ""), "no fault and no note");
        let served: Value = serde_json::from_str(&checked.out).expect("a document");
        assert!(seen.insert(served["node"]["id"].to_string()), "{served}");
        assert_eq!(served["api"]["http"], json!(["0.0.0.0:8080"]));
        assert_eq!(served["store"]["engine"], "postgres");
        assert_eq!(served["coordination"]["engine"], "redis");
        assert_eq!(served["cluster"]["enabled"], true);
        assert_eq!(served["ovn"]["northbound"], json!(["tcp:ovn:6641"]));
        assert_eq!(served["ovn"]["southbound"], json!(["tcp:ovn:6642"]));
        assert!(!checked.out.contains(PASSWORD), "{}", checked.out);
        // The same document, with what is not shown, is a configuration of Purlin, and so are the variables of its own.
        let mut whole = served.clone();
        whole["store"]["url"] = node["environment"]["DATABASE_URL"].clone();
        whole["coordination"]["url"] = node["environment"]["REDIS_URL"].clone();
        whole["cluster"]["secret"] = json!("sixteen octets or more");
        std::fs::write(dir.path().join("node.json"), whole.to_string()).expect("the folder is ours");
        let checked = as_in(node, dir.path(), &["config", "check", "node.json"]);
        assert_eq!(checked.code, 0, "{}{}", checked.out, checked.err);
    }
    let env = &nodes(&compose)[0]["environment"];
    let mut alone = nodes(&compose)[0].clone();
    let variables = alone["environment"].as_object_mut().expect("variables");
    variables.retain(|name, _| !name.starts_with("OVN_"));
    let checked = as_in(&alone, dir.path(), &["as", "ovncp", "--check"]);
    assert!(
        checked
            .err
            .contains("what is written at one is not seen at the others"),
        "{}",
        checked.err
    );
    let database = &compose["services"]["postgres"]["environment"];
    let wanted = format!(
        "postgresql://{}:{PASSWORD}@postgres:5432/{}",
        database["POSTGRES_USER"].as_str().expect("a name"),
        database["POSTGRES_DB"].as_str().expect("a name"),
    );
    assert_eq!(env["DATABASE_URL"], wanted.as_str());
    assert_eq!(database["POSTGRES_PASSWORD"], PASSWORD);
}

#[test]
fn s4_29_the_fronts_of_the_compose_file_find_nodes_certificates_and_trust() {
    let compose = compose();
    let inside = &compose["networks"]["inside"]["ipam"]["config"][0]["subnet"];
    let network = inside.as_str().and_then(|text| text.strip_suffix(".0/24"));
    let network = network.expect("a network of 256 addresses");
    let mut fronts = BTreeSet::new();
    for (front, file) in [
        ("nginx", "../nginx/nginx.conf"),
        ("haproxy", "../haproxy/haproxy.cfg"),
    ] {
        let service = &compose["services"][front];
        let config = text(file);
        for node in ["ovncp-1:8080", "ovncp-2:8080", "ovncp-3:8080"] {
            assert!(config.contains(node), "{file}: {node}");
        }
        let places = texts(&service["volumes"]);
        assert!(places.iter().any(|place| place.starts_with(&format!("{file}:"))));
        // Every file under /etc/ssl that it names is mounted.
        let named = config.split_whitespace().map(|word| word.trim_end_matches(';'));
        let named: Vec<&str> = named.filter(|word| word.starts_with("/etc/ssl/")).collect();
        assert!(!named.is_empty());
        for path in named {
            let to = format!(":{path}:ro");
            assert!(places.iter().any(|place| place.ends_with(&to)), "{front}: {path}");
        }
        let address = service["networks"]["inside"]["ipv4_address"]
            .as_str()
            .expect("fixed");
        assert!(address.starts_with(network), "{address}");
        fronts.insert(address.to_owned());
    }
    for node in nodes(&compose) {
        let trusted = node["environment"]["PURLIN__API__TRUSTED_PROXIES"].as_str();
        let trusted: BTreeSet<String> = serde_json::from_str(trusted.expect("it is set")).expect("a list");
        assert_eq!(trusted, fronts);
    }
}

#[test]
fn s4_30_the_image_of_the_compose_file_is_what_the_dockerfile_beside_it_makes() {
    let compose = compose();
    let image = concat!("purlin:", env!("CARGO_PKG_VERSION"));
    for node in nodes(&compose) {
        assert_eq!(node["image"], image);
    }
    assert_eq!(compose["services"]["ovn"]["image"], image);
    let build = &nodes(&compose)[0]["build"];
    assert_eq!(
        build,
        &json!({ "context": "../..", "dockerfile": "deploy/compose/Dockerfile" })
    );
    let dockerfile = text("Dockerfile");
    let root = folder().join("../..");
    let rust = std::fs::read_to_string(root.join("rust-toolchain.toml")).expect("it is there");
    let rust = rust
        .split('"')
        .nth(1)
        .expect("a version")
        .rsplit_once('.')
        .expect("x.y.z")
        .0;
    assert!(dockerfile.contains(&format!("FROM rust:{rust}-")), "{rust}");
    let copies = dockerfile
        .lines()
        .filter_map(|line| line.strip_prefix("COPY deploy/"));
    for copied in copies {
        let (from, to) = copied.split_once(' ').expect("from and to");
        assert!(root.join("deploy").join(from).is_file(), "{from}");
        let called = to.rsplit('/').next().expect("a name");
        assert_eq!(compose["services"]["ovn"]["command"], json!([called]));
    }
    let page = std::fs::read_to_string(root.join("docs/operating/ovn-scaling-guide.md"));
    let page = page.expect("it is part of the project");
    assert!(page.contains("ghcr.io/lspecian/ovncp:latest") && page.contains(image));
}

/// A password that is not the last one's, and a certificate for the names.
#[test]
fn what_the_compose_file_needs_is_made_once() {
    let dir = TempDir::new().expect("there is room");
    let prepare = || {
        let output = Command::new("sh")
            .arg(folder().join("prepare.sh"))
            .arg(dir.path())
            .output();
        let ended = Ended::from(output.expect("there is a shell"));
        assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
        [".env", "certs/ovncp.crt", "certs/ovncp.key", "certs/ovncp.pem"]
            .map(|name| std::fs::read_to_string(dir.path().join(name)).expect(name))
    };
    let made = prepare();
    let password = made[0]
        .strip_prefix("POSTGRES_PASSWORD=")
        .expect("it is named")
        .trim();
    assert_eq!(password.len(), 48, "{password}");
    assert_eq!(made[3], format!("{}{}", made[1], made[2]));
    assert_eq!(prepare(), made, "what is there stays");
}
