//! Boot files: stock clients of TFTP and HTTP, and machines that boot.

mod clients;
mod heap;
mod http;
mod machines;
mod readme;
mod sharing;
mod side_by_side;

use purlin_conformance::{Lab, Node, lab_config};
use std::path::PathBuf;
use std::process::Output;

/// `name` and size of the files that every client must get right: lock-step and negotiated blocks end in them with a
/// short block, with an empty one, or at once.
const FILES: [(&str, usize); 6] = [
    ("small.txt", 1000),
    ("empty", 0),
    ("one-block", 512),
    ("blocks-of-512", 512 * 24),
    ("blocks-of-1468", 1468 * 24),
    ("big", 3_000_000),
];

/// Octets in which no two places look alike, so that a lost, repeated or swapped block shows.
fn octets(size: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut made = Vec::with_capacity(size + 8);
    while made.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        made.extend(state.to_le_bytes());
    }
    made.truncate(size);
    made
}

/// The boot tree of a laboratory.
fn tree(lab: &Lab) -> PathBuf {
    let tree = lab.path("tree");
    std::fs::create_dir_all(tree.join("up")).expect("the laboratory's folder can be written");
    tree
}

/// A node that serves [`FILES`] over TFTP, HTTP and HTTPS at 10.77.0.1, with a client at 10.77.0.2.
fn node(lab: &Lab) -> Node<'_> {
    let tree = tree(lab);
    for (name, size) in FILES {
        std::fs::write(tree.join(name), octets(size)).expect("the laboratory's folder can be written");
    }
    let node = lab.node(&lab_config("", "", &boot_config(lab)));
    lab.client.ip("addr add 10.77.0.2/16 dev c0");
    node
}

/// `[tftp]` for the tree of a laboratory.
fn boot_config(lab: &Lab) -> String {
    format!(
        "[tftp]\nlisten = [\"10.77.0.1:69\"]\nroot = \"{}\"\n\
         [tftp.uploads]\nallow = [\"up/*\"]\n\
         [tftp.http]\nlisten = [\"10.77.0.1:80\"]\nhttps = [\"10.77.0.1:443\"]\n",
        lab.path("tree").display()
    )
}

/// What a program said on both of its outputs.
fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}
