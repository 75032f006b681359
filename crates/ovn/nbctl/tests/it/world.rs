//! Servers, command lines, and what both say.

use purlin_ovn_nbctl::shell::{Called, Environment, Told, told};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A server with an empty northbound database.
pub(crate) struct Server {
    process: Child,
    folder: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Whether OVN's packages are here; only a full test run insists on them.
pub(crate) fn installed() -> bool {
    let there = |program: &str| Command::new(program).arg("--version").output().is_ok();
    let all = ["ovsdb-tool", "ovsdb-server", "ovn-nbctl"].into_iter().all(there);
    assert!(
        all || std::env::var("CI").is_err(),
        "ovsdb-server and ovn-nbctl are not installed: cargo xtask setup"
    );
    if !all {
        println!("skipped: ovsdb-server and ovn-nbctl are not installed");
    }
    all
}

impl Server {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("nb.ovsschema"), purlin_ovsdb::schemas::NB).unwrap();
        let created = Command::new("ovsdb-tool")
            .arg("create")
            .args([path("nb.db"), path("nb.ovsschema")])
            .status()
            .unwrap();
        assert!(created.success());
        let process = Command::new("ovsdb-server")
            .arg(path("nb.db"))
            .arg(format!("--remote=punix:{}", path("nb.sock").display()))
            .arg(format!("--unixctl={}", path("nb.ctl").display()))
            .args(["-vconsole:off", "-vsyslog:off"])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { process, folder };
        until("the server listens", || UnixStream::connect(server.socket()).ok());
        server
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("nb.sock")
    }

    pub(crate) fn database(&self) -> String {
        format!("unix:{}", self.socket().display())
    }

    pub(crate) fn transact(&self, operations: Vec<Value>) -> Vec<Value> {
        let mut stream = UnixStream::connect(self.socket()).unwrap();
        let params: Vec<Value> = std::iter::once(json!("OVN_Northbound"))
            .chain(operations)
            .collect();
        let request = json!({"id": 1, "method": "transact", "params": params});
        stream.write_all(request.to_string().as_bytes()).unwrap();
        let mut answer = Vec::new();
        let mut piece = vec![0; 65536];
        loop {
            let length = stream.read(&mut piece).unwrap();
            answer.extend_from_slice(&piece[..length]);
            if let Ok(json) = serde_json::from_slice::<Value>(&answer) {
                return json["result"].as_array().unwrap().clone();
            }
        }
    }
}

/// What holds at last.
pub(crate) fn until<T>(what: &str, mut holds: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = holds() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}: not within 20 s");
        std::thread::yield_now();
    }
}

/// Our program, in this process.
pub(crate) fn ours(environment: Environment, words: &[String]) -> Told {
    told(&Called {
        name: "ovn-nbctl",
        words,
        environment,
        node: None,
    })
}

/// The packaged one.
pub(crate) fn theirs(words: &[String]) -> Told {
    let output = Command::new("ovn-nbctl").args(words).output().unwrap();
    let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
    Told {
        code: u8::try_from(ended(output.status)).unwrap(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// As a shell tells it.
fn ended(status: ExitStatus) -> i32 {
    status
        .code()
        .or(status.signal().map(|signal| 128 + signal))
        .unwrap()
}

/// The words of a line: quotes hold words together.
pub(crate) fn words(line: &str) -> Vec<String> {
    Environment {
        options: Some(line.to_owned()),
        ..Environment::default()
    }
    .option_words()
}
