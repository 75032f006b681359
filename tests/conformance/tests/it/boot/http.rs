//! curl against HTTP and HTTPS boot.

use super::{node, octets, tree, words};
use purlin_conformance::{Lab, until};

const BIG: &str = "http://10.77.0.1/big";

/// Header fields and body of an answer.
struct Answer {
    head: String,
    body: Vec<u8>,
}

impl Answer {
    /// What follows the name of a field, without case.
    fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (field, value) = line.split_once(':')?;
            field.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    fn status(&self) -> &str {
        let first = self.head.lines().next().unwrap_or_default();
        first.split(' ').nth(1).unwrap_or_default()
    }
}

/// Asks from the client's side; fails when curl does.
fn curl(lab: &Lab, arguments: &[&str]) -> Answer {
    let (head, body) = (lab.path("head"), lab.path("body"));
    let _ = std::fs::remove_file(&body);
    let (head_text, body_text) = (head.to_string_lossy(), body.to_string_lossy());
    let mut all = vec!["-s", "-S", "--max-time", "60", "-D", &head_text, "-o", &body_text];
    all.extend(arguments);
    let output = lab.client.run("curl", &all);
    assert!(output.status.success(), "curl {arguments:?}: {}", words(&output));
    Answer {
        head: std::fs::read_to_string(&head).unwrap_or_default(),
        body: std::fs::read(&body).unwrap_or_default(),
    }
}

/// Firmware asks with HEAD first, to know whether the file fits.
#[test]
fn head_tells_size_and_tag_and_get_sends_the_file() {
    let Some(lab) = Lab::new(&[]) else { return };
    let node = node(&lab);
    let head = curl(&lab, &["-I", BIG]);
    assert_eq!(head.status(), "200");
    assert_eq!(head.field("content-length"), Some("3000000"));
    assert_eq!(head.field("accept-ranges"), Some("bytes"));
    let got = curl(&lab, &[BIG]);
    assert!(got.body == octets(3_000_000));
    assert_eq!(got.field("etag"), head.field("etag"));
    assert!(curl(&lab, &["http://10.77.0.1/empty"]).body.is_empty());
    let records = node.json(&["tftp", "records"]).to_string();
    for slug in ["size_probe", "file_sent"] {
        assert!(records.contains(slug), "{records}");
    }
}

#[test]
fn a_range_is_sent_alone() {
    let Some(lab) = Lab::new(&[]) else { return };
    let _node = node(&lab);
    let whole = octets(3_000_000);
    // The second and the third cross a chunk of the cache.
    for (range, from, to) in [
        ("0-0", 0, 1),
        ("200000-1200000", 200_000, 1_200_001),
        ("262143-262144", 262_143, 262_145),
        ("2999000-", 2_999_000, 3_000_000),
        ("-500", 2_999_500, 3_000_000),
        ("2999999-5000000", 2_999_999, 3_000_000),
    ] {
        let part = curl(&lab, &["-r", range, BIG]);
        assert_eq!(part.status(), "206", "{range}");
        assert!(part.body == whole[from..to], "{range}");
        let told = format!("bytes {from}-{}/3000000", to - 1);
        assert_eq!(part.field("content-range"), Some(told.as_str()));
    }
    let behind = curl(&lab, &["-r", "3000000-", BIG]);
    assert_eq!(behind.status(), "416");
    assert_eq!(behind.field("content-range"), Some("bytes */3000000"));
}

#[test]
fn a_download_that_broke_off_goes_on() {
    let Some(lab) = Lab::new(&[]) else { return };
    let _node = node(&lab);
    let (whole, file) = (octets(3_000_000), lab.path("kept"));
    std::fs::write(&file, &whole[..1_000_001]).expect("the laboratory's folder can be written");
    let file_text = file.to_string_lossy();
    let output = lab
        .client
        .run("curl", &["-s", "-S", "-C", "-", "-o", &file_text, BIG]);
    assert!(output.status.success(), "{}", words(&output));
    assert!(std::fs::read(&file).unwrap_or_default() == whole);
}

#[test]
fn a_client_that_takes_gzip_gets_fewer_octets() {
    let Some(lab) = Lab::new(&[]) else { return };
    let _node = node(&lab);
    let menu = "menuentry install { linux vmlinuz console=ttyS0 }\n".repeat(400);
    std::fs::write(tree(&lab).join("menu.cfg"), &menu).expect("the laboratory's folder can be written");
    let url = "http://10.77.0.1/menu.cfg";
    let packed = curl(&lab, &["-H", "accept-encoding: gzip", url]);
    assert_eq!(packed.field("content-encoding"), Some("gzip"));
    assert!(packed.body.len() < menu.len() / 10, "{}", packed.body.len());
    let unpacked = curl(&lab, &["--compressed", url]);
    assert!(unpacked.body == menu.as_bytes());
    let plain = curl(&lab, &[url]);
    assert_eq!(plain.field("content-encoding"), None);
    assert!(plain.body == menu.as_bytes());
    // Two representations, so two tags (RFC 9110, section 8.8.3).
    assert_ne!(packed.field("etag"), plain.field("etag"));
}

#[test]
fn a_tag_saves_a_second_transfer_until_the_file_changes() {
    let Some(lab) = Lab::new(&[]) else { return };
    let _node = node(&lab);
    let tag = curl(&lab, &[BIG])
        .field("etag")
        .expect("every answer has a tag")
        .to_owned();
    let condition = format!("if-none-match: {tag}");
    let same = curl(&lab, &["-H", &condition, BIG]);
    assert_eq!((same.status(), same.body.len()), ("304", 0));
    std::fs::write(tree(&lab).join("big"), b"another").expect("the laboratory's folder can be written");
    until("the change was noticed", || {
        let changed = curl(&lab, &["-H", &condition, BIG]);
        changed.status() == "200" && changed.body == b"another"
    });
}

#[test]
fn https_is_trusted_with_the_nodes_authority_only() {
    let Some(lab) = Lab::new(&[]) else { return };
    let _node = node(&lab);
    let url = "https://10.77.0.1/big";
    let authority = lab.path("data").join("tls").join("ca.pem");
    let got = curl(&lab, &["--cacert", &authority.to_string_lossy(), url]);
    assert!(got.body == octets(3_000_000));
    let output = lab.client.run("curl", &["-s", "-S", url]);
    assert_eq!(output.status.code(), Some(60), "{}", words(&output));
}

#[test]
fn nothing_outside_the_tree_is_sent() {
    let Some(lab) = Lab::new(&[]) else { return };
    let _node = node(&lab);
    for path in [
        "none",
        "../purlin.toml",
        "%2e%2e/purlin.toml",
        "up/..%2f..%2fpurlin.toml",
        "up",
    ] {
        let url = format!("http://10.77.0.1/{path}");
        let answer = curl(&lab, &["--path-as-is", &url]);
        assert!(answer.status().starts_with('4'), "{path}: {}", answer.head);
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(!body.contains("/tmp") && !body.contains("node"), "{body}");
    }
}
