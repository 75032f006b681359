//! Stock TFTP clients against `purlin up`.

mod rs_tftpd;

use super::{FILES, node, octets, tree, words};
use purlin_conformance::{Lab, Node, program, until};
use std::process::Output;

/// A program and its arguments; `{name}` is the file on the server, `{file}` the one beside the client.
type Line = &'static [&'static str];

fn run(lab: &Lab, line: Line, name: &str, file: &str) -> Output {
    let filled: Vec<String> = line
        .iter()
        .map(|word| word.replace("{name}", name).replace("{file}", file))
        .collect();
    let arguments: Vec<&str> = filled.iter().skip(1).map(String::as_str).collect();
    let program = program(&filled[0]).expect("checked before the laboratory was made");
    lab.client.run(&program.to_string_lossy(), &arguments)
}

/// Every file arrives as it is, and the node's records say so.
fn gets(line: Line) {
    gets_some(line, |_| true);
}

/// As [`gets`], of files of these sizes.
fn gets_some(line: Line, fits: impl Fn(usize) -> bool) {
    let Some(lab) = Lab::new(&line[..1]) else { return };
    let node = node(&lab);
    for (name, size) in FILES.into_iter().filter(|(_, size)| fits(*size)) {
        let file = lab.path("got");
        let output = run(&lab, line, name, &file.to_string_lossy());
        let got = std::fs::read(&file).unwrap_or_default();
        assert_eq!(got.len(), size, "{name}: {}", words(&output));
        assert!(got == octets(size), "{name} arrived as something else");
        let _ = std::fs::remove_file(&file);
        ended(&node, name, "file_sent");
    }
}

/// A file goes where that is allowed, as a whole, and nowhere else.
fn puts(line: Line) {
    let Some(lab) = Lab::new(&line[..1]) else { return };
    let node = node(&lab);
    let (tree, source) = (tree(&lab), lab.path("source"));
    let source_text = source.to_string_lossy();
    for (name, size) in FILES {
        std::fs::write(&source, octets(size)).expect("the laboratory's folder can be written");
        let target = format!("up/{name}");
        let output = run(&lab, line, &target, &source_text);
        ended(&node, &target, "file_stored");
        let stored = std::fs::read(tree.join(&target)).unwrap_or_else(|cause| {
            panic!("{target} is not there: {cause}\n{}", words(&output));
        });
        assert!(stored == octets(size), "{target} arrived as something else");
    }
    let output = run(&lab, line, "elsewhere", &source_text);
    assert!(!tree.join("elsewhere").exists(), "{}", words(&output));
    ended(&node, "elsewhere", "upload_name");
}

/// A record about this file with this reason is there. A client may be gone before the node has written it.
fn ended(node: &Node<'_>, name: &str, slug: &str) {
    until(&format!("{slug} was on record for {name}"), || {
        let list = node.json(&["tftp", "records", "--file", name]);
        let items = list.get("items").unwrap_or(&list).as_array().cloned();
        items
            .expect("a list of records")
            .iter()
            .any(|record| record["file"] == name && record["slug"] == slug)
    });
}

#[test]
fn tftp_hpa_gets_files() {
    gets(&[
        "tftp",
        "-m",
        "binary",
        "10.77.0.1",
        "-c",
        "get",
        "{name}",
        "{file}",
    ]);
}

#[test]
fn tftp_hpa_puts_files() {
    puts(&[
        "tftp",
        "-m",
        "binary",
        "10.77.0.1",
        "-c",
        "put",
        "{file}",
        "{name}",
    ]);
}

#[test]
fn atftp_gets_files() {
    gets(&["atftp", "-g", "-r", "{name}", "-l", "{file}", "10.77.0.1", "69"]);
}

#[test]
fn atftp_gets_files_in_windows_of_large_blocks() {
    gets(&[
        "atftp",
        "--option",
        "blksize 1468",
        "--option",
        "windowsize 8",
        "-g",
        "-r",
        "{name}",
        "-l",
        "{file}",
        "10.77.0.1",
        "69",
    ]);
}

#[test]
fn atftp_puts_files() {
    puts(&["atftp", "-p", "-r", "{name}", "-l", "{file}", "10.77.0.1", "69"]);
}

#[test]
fn busybox_gets_files() {
    gets(&[
        "busybox",
        "tftp",
        "-g",
        "-r",
        "{name}",
        "-l",
        "{file}",
        "10.77.0.1",
    ]);
}

#[test]
fn busybox_gets_files_in_large_blocks() {
    gets(&[
        "busybox",
        "tftp",
        "-b",
        "1468",
        "-g",
        "-r",
        "{name}",
        "-l",
        "{file}",
        "10.77.0.1",
    ]);
}

#[test]
fn busybox_puts_files() {
    puts(&[
        "busybox",
        "tftp",
        "-p",
        "-r",
        "{name}",
        "-l",
        "{file}",
        "10.77.0.1",
    ]);
}

/// curl takes a `tsize` of 0 for a fault of the server, so the empty file is left to the next test.
#[test]
fn curl_gets_files_over_tftp() {
    gets_some(
        &["curl", "-s", "-S", "-o", "{file}", "tftp://10.77.0.1/{name}"],
        |size| size > 0,
    );
}

#[test]
fn curl_gets_files_over_tftp_without_options() {
    gets(&[
        "curl",
        "-s",
        "-S",
        "--tftp-no-options",
        "-o",
        "{file}",
        "tftp://10.77.0.1/{name}",
    ]);
}

#[test]
fn curl_gets_files_over_tftp_in_large_blocks() {
    let line: Line = &[
        "curl",
        "-s",
        "-S",
        "--tftp-blksize",
        "1468",
        "-o",
        "{file}",
        "tftp://10.77.0.1/{name}",
    ];
    gets_some(line, |size| size > 0);
}

#[test]
fn curl_puts_files_over_tftp() {
    puts(&["curl", "-s", "-S", "-T", "{file}", "tftp://10.77.0.1/{name}"]);
}

/// RFC 1350, section 1: lines end in CR LF on the wire and as usual on both sides.
#[test]
fn tftp_hpa_gets_text_as_netascii() {
    let Some(lab) = Lab::new(&["tftp"]) else { return };
    let node = node(&lab);
    let text = "first\nsecond with \r in it\n\nlast without an end";
    std::fs::write(tree(&lab).join("text"), text).expect("the laboratory's folder can be written");
    let file = lab.path("got");
    let line: Line = &[
        "tftp",
        "-m",
        "ascii",
        "10.77.0.1",
        "-c",
        "get",
        "{name}",
        "{file}",
    ];
    let output = run(&lab, line, "text", &file.to_string_lossy());
    ended(&node, "text", "file_sent");
    let got = std::fs::read_to_string(&file).unwrap_or_else(|cause| panic!("{cause}: {}", words(&output)));
    assert_eq!(got, text);
}

#[test]
fn a_client_is_told_that_there_is_no_such_file() {
    let Some(lab) = Lab::new(&["tftp", "atftp", "busybox"]) else {
        return;
    };
    let node = node(&lab);
    let file = lab.path("got").to_string_lossy().into_owned();
    let lines: [Line; 4] = [
        &[
            "tftp",
            "-m",
            "binary",
            "10.77.0.1",
            "-c",
            "get",
            "{name}",
            "{file}",
        ],
        &["atftp", "-g", "-r", "{name}", "-l", "{file}", "10.77.0.1", "69"],
        &[
            "busybox",
            "tftp",
            "-g",
            "-r",
            "{name}",
            "-l",
            "{file}",
            "10.77.0.1",
        ],
        &["curl", "-s", "-S", "-o", "{file}", "tftp://10.77.0.1/{name}"],
    ];
    for line in lines {
        let name = format!("none-for-{}", line[0]);
        let output = run(&lab, line, &name, &file);
        let said = words(&output).to_lowercase();
        // curl says it by its exit code (CURLE_TFTP_NOTFOUND) and stumbles over the words.
        let told = output.status.code() == Some(68)
            || ["not found", "no such file"]
                .iter()
                .any(|words| said.contains(words));
        assert!(told, "{said}");
        ended(&node, &name, "not_found");
    }
}
