//! What pure crates must not name, and where `unsafe` may stand.

use crate::rust_text::{code_only, without_tests, word_at};

/// Crates that take time, entropy and records as arguments and return what must happen.
const PURE: &[&str] = &[
    "crates/types/src/",
    "crates/telemetry/src/",
    "crates/config/src/",
    "crates/load/src/",
    "crates/store/src/",
    "crates/fabric/core/src/",
    "crates/chain/proto/src/",
    "crates/chain/signatures/src/",
    "crates/chain/core/src/",
    "crates/chain/bft/src/",
    "crates/dhcp/proto/src/",
    "crates/dhcp/core/src/",
    "crates/ovn/core/src/",
    "crates/tftp/proto/src/",
    "crates/tftp/core/src/",
    "crates/ovn/ovsdb/src/",
    "crates/ovn/nbctl/src/",
];

/// The contract suite drives real engines, so it may use real files; what a process has used stands in a file; a client
/// has sockets around its pure parts, an engine a thread and a file.
const EXEMPT: &[&str] = &[
    "crates/store/src/contract",
    "crates/load/src/cost.rs",
    "crates/chain/bft/src/driver.rs",
    "crates/chain/bft/src/log/file",
    "crates/ovn/ovsdb/src/client",
    "crates/ovn/nbctl/src/shell",
];

/// Clock, socket, file, runtime, randomness, logger.
const IMPURE: &[&str] = &[
    "Instant::now",
    "SystemTime::now",
    "UdpSocket",
    "TcpStream",
    "TcpListener",
    "UnixDatagram",
    "UnixStream",
    "std::fs",
    "std::thread",
    "std::env",
    "std::process",
    "tokio",
    "rand",
    "getrandom",
    "RandomState",
    "rustix",
    "libc",
    "tracing",
    "print!",
    "println!",
    "eprintln!",
    "eprint!",
    "dbg!",
];

/// The crate that talks to the kernel, and the one that hands out memory.
const UNSAFE_HOMES: [&str; 2] = ["crates/heap/", "crates/netio/"];

pub(super) fn check(file: &str, source: &str) -> Vec<String> {
    let code = code_only(source);
    let mut faults = Vec::new();
    if !UNSAFE_HOMES.iter().any(|home| file.starts_with(home))
        && !file.starts_with("fuzz/")
        && let Some(line) = word_at(&code, "unsafe")
    {
        faults.push(format!(
            "{file}:{line}: unsafe code belongs into {}",
            UNSAFE_HOMES.join(" or ")
        ));
    }
    if is_pure(file) {
        let code = without_tests(&code);
        let named = IMPURE
            .iter()
            .filter_map(|word| Some((word, path_at(code, word)?)));
        faults.extend(named.map(|(word, line)| {
            format!("{file}:{line}: a pure crate names {word}; take the value as an argument or return what must happen")
        }));
    }
    faults
}

fn is_pure(file: &str) -> bool {
    let starts = |folders: &[&str]| folders.iter().any(|folder| file.starts_with(folder));
    let test = file.ends_with("/tests.rs") || file.contains("/tests/");
    starts(PURE) && !starts(EXEMPT) && !test
}

/// Line of `word`; a library counts only as the start of a path (`rand::random`).
fn path_at(code: &str, word: &str) -> Option<usize> {
    let library = word.chars().all(|c| c.is_ascii_lowercase());
    if library {
        word_at(code, &format!("{word}::"))
    } else {
        word_at(code, word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CORE: &str = "crates/dhcp/core/src/engine.rs";

    #[test]
    fn a_clock_in_a_pure_crate_is_named_with_its_line() {
        let faults = check(CORE, "fn a() {\n    let now = std::time::Instant::now();\n}\n");
        assert_eq!(faults.len(), 1);
        assert!(faults[0].starts_with("crates/dhcp/core/src/engine.rs:2: a pure crate names Instant::now"));
    }

    #[test]
    fn comments_tests_and_other_crates_are_free() {
        assert!(
            check(
                CORE,
                "//! Knows no `std::fs`.\nfn a() {}\n#[cfg(test)]\nmod tests {\n use std::fs; }"
            )
            .is_empty()
        );
        assert!(check("crates/dhcp/core/src/engine/tests.rs", "use std::fs;").is_empty());
        assert!(check("crates/api/src/lib.rs", "use std::fs;").is_empty());
    }

    #[test]
    fn libraries_count_as_paths_only() {
        assert!(check(CORE, "let rand = 1; use crate::rand_like;").is_empty());
        assert_eq!(check(CORE, "rand::random()").len(), 1);
    }

    #[test]
    fn unsafe_has_one_home() {
        let source = concat!("fn a() { un", "safe { b() } }");
        assert_eq!(check("crates/api/src/lib.rs", source).len(), 1);
        assert!(check("crates/netio/src/sys.rs", source).is_empty());
    }
}
