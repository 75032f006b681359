//! A server on a socket in a folder of its own, and programs that talk to it.

use purlin_ovn_embedded::{Server, serve};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;
use tokio::runtime::Runtime;

pub(crate) use purlin_ovsdb::schemas::{NB, SB};

/// Octets that look random and are not, so that a test does the same each time.
pub(crate) fn random() -> purlin_ovn_embedded::Random {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Box::new(|| {
        let mut state = NEXT
            .fetch_add(1, Ordering::Relaxed)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut octets = [0; 16];
        for half in octets.chunks_mut(8) {
            state ^= state >> 29;
            state = state.wrapping_mul(0xbf58_476d_1ce4_e5b9) ^ (state >> 32);
            half.copy_from_slice(&state.to_be_bytes());
        }
        octets
    })
}

pub(crate) fn schema(text: &str) -> Value {
    serde_json::from_str(text).expect("a schema")
}

/// A running server. It ends with the test.
pub(crate) struct World {
    _runtime: Runtime,
    folder: PathBuf,
}

impl World {
    pub(crate) fn start(folder: &TempDir, schemas: &[&str]) -> Self {
        Self::at(folder.path(), schemas)
    }

    pub(crate) fn at(folder: &Path, schemas: &[&str]) -> Self {
        let mut server = Server::new(random());
        for text in schemas {
            let schema = schema(text);
            let name = schema["name"].as_str().expect("a name").to_owned();
            server
                .open(&schema, &folder.join(format!("{name}.db")))
                .expect("the log opens");
        }
        let runtime = Runtime::new().expect("a runtime");
        let (door, running) = serve(server);
        runtime.spawn(running);
        runtime.block_on(async { door.unix(&folder.join("db.sock")).expect("a socket") });
        Self {
            _runtime: runtime,
            folder: folder.to_owned(),
        }
    }

    pub(crate) fn socket(&self) -> String {
        format!("unix:{}", self.folder.join("db.sock").display())
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs a program to its end; what it printed.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.try_run(program, arguments);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {arguments:?}: {told}");
        String::from_utf8(output.stdout).expect("text")
    }

    /// Runs a program that fails; what it complained about.
    pub(crate) fn fail(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.try_run(program, arguments);
        assert!(!output.status.success(), "{program} {arguments:?} succeeded");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    fn try_run(&self, program: &str, arguments: &[&str]) -> Output {
        Command::new(program)
            .args(arguments)
            .env("OVN_NB_DB", self.socket())
            .env("OVN_SB_DB", self.socket())
            .output()
            .unwrap_or_else(|error| panic!("{program}: {error}; cargo xtask setup installs it"))
    }

    pub(crate) fn nbctl(&self, words: &str) -> String {
        let words: Vec<&str> = ["--timeout=10"]
            .into_iter()
            .chain(words.split_whitespace())
            .collect();
        self.run("ovn-nbctl", &words)
    }

    /// The results of a transaction, by the tool of Open vSwitch.
    pub(crate) fn transact(&self, operations: &str) -> Value {
        let transaction = format!("[\"OVN_Northbound\",{operations}]");
        let told = self.run(
            "ovsdb-client",
            &["--timeout=10", "transact", &self.socket(), &transaction],
        );
        serde_json::from_str(&told).expect("JSON")
    }
}
