//! The client of rs-tftpd, the one stock client besides atftp that asks for windows.

use super::{Line, gets, puts, run};
use crate::boot::{node, words};
use purlin_conformance::Lab;

#[test]
fn rs_tftpd_gets_files() {
    gets(&["tftpc", "-i", "10.77.0.1", "-d", "{file}", "{name}"]);
}

#[test]
fn rs_tftpd_gets_files_in_windows_of_large_blocks() {
    gets(&[
        "tftpc",
        "-i",
        "10.77.0.1",
        "-b",
        "1468",
        "-w",
        "16",
        "-d",
        "{file}",
        "{name}",
    ]);
}

#[test]
fn rs_tftpd_puts_files() {
    puts(&["tftpc", "-i", "10.77.0.1", "-u", "{file}", "{name}"]);
}

/// RFC 7440 holds for writes too: the server acknowledges windows.
#[test]
fn rs_tftpd_puts_files_in_windows_of_large_blocks() {
    puts(&[
        "tftpc",
        "-i",
        "10.77.0.1",
        "-b",
        "1468",
        "-w",
        "16",
        "-u",
        "{file}",
        "{name}",
    ]);
}

#[test]
fn rs_tftpd_is_told_that_there_is_no_such_file() {
    let line: Line = &["tftpc", "-i", "10.77.0.1", "-d", "{file}", "{name}"];
    let Some(lab) = Lab::new(&line[..1]) else { return };
    let _node = node(&lab);
    let file = lab.path("got");
    let output = run(&lab, line, "none", &file.to_string_lossy());
    assert!(!output.status.success() && !file.exists(), "{}", words(&output));
    assert!(
        words(&output).to_lowercase().contains("not found"),
        "{}",
        words(&output)
    );
}
