//! A PostgreSQL server of our own: one process tree, a folder, a port on loopback.
//!
//! The server hangs from a shell that waits for its standard input to end: however the tests end, it goes with them.

use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Instant;

use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

use super::need::programs;
use super::{EVERY, LIMIT};

/// Sends the server the signal that it reads from its input, or ends it at once when the input ends.
const GUARD: &str = r#"exec 2>>"$LOG"; "$@" >>"$LOG" 2>&1 & server=$!; read -r signal || signal=QUIT; kill -s "$signal" $server; wait $server"#;

/// Small, and without syncs: what these tests break is processes and lines, not disks.
const OPTIONS: &[&str] = &[
    "listen_addresses=127.0.0.1",
    "fsync=off",
    "full_page_writes=off",
    "shared_buffers=16MB",
    "max_connections=80",
    "autovacuum=off",
    "max_wal_senders=6",
    "wal_keep_size=32MB",
    "min_wal_size=8MB",
    "wal_receiver_timeout=2s",
    "wal_retrieve_retry_interval=100ms",
];

/// A file system in memory.
const MEMORY: &str = "/dev/shm";

/// How a server is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// In order: transactions are ended, standbys have everything.
    Fast,
    /// Killed, without a word to anybody.
    Kill,
}

#[derive(Debug)]
pub(crate) struct Server {
    folder: TempDir,
    port: u16,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    data: PathBuf,
    guard: Option<Child>,
    copies: u32,
}

impl Server {
    /// One for all tests that only use it; ends with the last of them.
    pub(crate) fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let server = Arc::new(Self::fresh());
            *shared = Arc::downgrade(&server);
            server
        })
    }

    /// A new one with nothing in it, running.
    pub(crate) fn fresh() -> Self {
        let server = Self::empty();
        let seed = seed();
        copy(&seed.path().join("data"), &server.data());
        server.start();
        server
    }

    fn empty() -> Self {
        let folder = folder();
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let port = listener.local_addr().expect("bound").port();
        let state = Mutex::new(State {
            data: folder.path().join("data"),
            guard: None,
            copies: 0,
        });
        Self { folder, port, state }
    }

    /// A standby that follows this server under `name`, running.
    pub(crate) fn standby(&self, name: &str) -> Self {
        let standby = Self::empty();
        self.back_up(&standby.data(), &["-R"], name);
        standby.start();
        standby
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Where its Unix socket is.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn data(&self) -> PathBuf {
        self.state().data.clone()
    }

    /// Starts it where it is, as primary or as standby as its folder says. Helpers of one that was killed may need a
    /// moment to notice, and nothing starts beside them.
    pub(crate) fn start(&self) {
        let started = wait(|| self.try_start());
        assert_eq!(started, Some(true), "the server does not start: {}", self.log());
    }

    fn is_up(&self) -> bool {
        let pid = std::fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        let status = pid.lines().nth(7).map(str::trim);
        matches!(status, Some("ready" | "standby"))
    }

    /// `None` when helpers of a former life are in its way.
    fn try_start(&self) -> Option<bool> {
        let said = std::fs::read_to_string(self.folder().join("log")).map_or(0, |log| log.len());
        let found = programs().expect("asked for before");
        let data = self.data();
        let mut command = found.command(Path::new("/bin/sh"));
        command.env("LOG", self.folder().join("log"));
        command.args(["-c", GUARD, "sh"]).arg(found.path("postgres"));
        command.arg("-D").arg(&data).args(["-p", &self.port.to_string()]);
        command.arg("-k").arg(self.folder());
        for option in OPTIONS {
            command.args(["-c", option]);
        }
        let child = command.stdin(Stdio::piped()).current_dir("/").spawn();
        self.state().guard = Some(child.expect("a shell"));
        let outcome = wait(|| {
            let log = std::fs::read_to_string(self.folder().join("log")).unwrap_or_default();
            let in_the_way = log
                .get(said..)
                .is_some_and(|new| new.contains("pre-existing shared memory block"));
            match self.is_up() {
                true => Some(Some(true)),
                false => in_the_way.then_some(None),
            }
        });
        outcome.unwrap_or(Some(false))
    }

    /// The end of what the server said.
    fn log(&self) -> String {
        let log = std::fs::read_to_string(self.folder().join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(12).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    pub(crate) fn stop(&self, how: Stop) {
        let Some(mut guard) = self.state().guard.take() else {
            return;
        };
        if how == Stop::Kill {
            self.signal("KILL");
        }
        let mut input = guard.stdin.take().expect("piped");
        // Nobody reads it any more when the server was killed.
        let _ = input.write_all(if how == Stop::Fast { b"INT\n" } else { b"QUIT\n" });
        drop(input);
        guard.wait().expect("a child of ours");
        // Backends of a killed server end by themselves, and only then can it be started anew.
        let _ = std::fs::remove_file(self.data().join("postmaster.pid"));
    }

    /// Sends a signal to the server's first process.
    fn signal(&self, name: &str) {
        let pid = std::fs::read_to_string(self.data().join("postmaster.pid")).expect("it runs");
        let pid = pid.lines().next().expect("a number").to_owned();
        let status = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "kill -s {name} {pid}"
        );
    }

    /// Copies all that is committed into a folder from which the server may go on later; for [`Self::go_back`].
    pub(crate) fn keep_copy(&self) -> PathBuf {
        let copy = {
            let mut state = self.state();
            state.copies += 1;
            self.folder.path().join(format!("copy-{}", state.copies))
        };
        self.back_up(&copy, &[], "copy");
        copy
    }

    fn back_up(&self, to: &Path, options: &[&str], name: &str) {
        let found = programs().expect("asked for before");
        let from = format!(
            "host=127.0.0.1 port={} user=postgres application_name={name}",
            self.port
        );
        let mut command = found.command(&found.path("pg_basebackup"));
        command.args(["-d", &from, "-D"]).arg(to);
        command
            .args(["-X", "stream", "--checkpoint=fast", "--no-sync"])
            .args(options);
        succeeds(command.current_dir("/"));
    }

    /// Goes on from a copy instead: what was committed since is lost. Without one, from what there is.
    pub(crate) async fn fail_over(&self, copy: Option<PathBuf>) {
        self.stop(if copy.is_some() { Stop::Kill } else { Stop::Fast });
        if let Some(copy) = copy {
            self.state().data = copy;
        }
        let signal = self.data().join("standby.signal");
        std::fs::write(&signal, "").expect("the folder is there");
        programs().expect("asked for before").own(&signal);
        self.start();
        self.promote().await;
    }

    /// Makes a primary of a standby.
    pub(crate) async fn promote(&self) {
        let client = self.sql("postgres").await;
        let promoted = client.query_one("SELECT pg_promote(true, 30)", &[]).await;
        assert!(promoted.expect("it is a standby").get::<_, bool>(0));
    }

    /// A way in that is not ours.
    pub(crate) async fn sql(&self, database: &str) -> Client {
        let config = format!(
            "host=127.0.0.1 port={} user=postgres dbname={database}",
            self.port
        );
        let connected = tokio_postgres::connect(&config, NoTls).await;
        let (client, connection) = connected.unwrap_or_else(|cause| panic!("{cause}: {}", self.log()));
        tokio::spawn(connection);
        client
    }

    /// A new database, by name. Takes a second on a busy machine: one per test, emptied for each of its checks.
    pub(crate) async fn database(&self) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("d{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let made = self.sql("postgres").await;
        let made = made
            .batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0"))
            .await;
        made.expect("there is space");
        name
    }

    /// Has a role `guarded` with password `geheim` and no rights.
    pub(crate) async fn ask_for_passwords(&self) {
        let client = self.sql("postgres").await;
        let made = client.batch_execute("CREATE ROLE guarded LOGIN PASSWORD 'geheim'");
        made.await.expect("may");
        let rules = self.data().join("pg_hba.conf");
        let trusting = std::fs::read_to_string(&rules).expect("initialised");
        let rule = "host all guarded 127.0.0.1/32 scram-sha-256";
        std::fs::write(&rules, format!("{rule}\n{trusting}")).expect("the folder is there");
        let loaded = "SELECT pg_conf_load_time()::text";
        let load_time = async || -> String {
            let row = client.query_one(loaded, &[]).await;
            row.expect("may").get(0)
        };
        let before = load_time().await;
        let reloaded = client.batch_execute("SELECT pg_reload_conf()").await;
        reloaded.expect("may");
        super::until("the rule is read", async || load_time().await != before).await;
    }

    /// Has it offer TLS; its certificate, in DER.
    #[cfg(feature = "tls")]
    pub(crate) async fn encrypt(&self) -> Vec<u8> {
        let found = programs().expect("asked for before");
        let at = |name: &str| self.folder().join(name);
        let openssl = || found.command(Path::new("openssl"));
        let mut make = openssl();
        make.args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
        ]);
        make.args([
            "-days",
            "2",
            "-subj",
            "/CN=here",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
        ]);
        make.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
        make.arg("-keyout")
            .arg(at("key"))
            .arg("-out")
            .arg(at("certificate"));
        succeeds(make.current_dir("/"));
        let mut convert = openssl();
        convert.args(["x509", "-outform", "DER"]);
        convert
            .arg("-in")
            .arg(at("certificate"))
            .arg("-out")
            .arg(at("der"));
        succeeds(convert.current_dir("/"));
        let client = self.sql("postgres").await;
        for (name, value) in [("ssl_cert_file", at("certificate")), ("ssl_key_file", at("key"))] {
            let set = format!("ALTER SYSTEM SET {name} = '{}'", value.display());
            client.batch_execute(&set).await.expect("may");
        }
        client
            .batch_execute("ALTER SYSTEM SET ssl = on")
            .await
            .expect("may");
        self.stop(Stop::Fast);
        self.start();
        std::fs::read(at("der")).expect("converted just now")
    }

    /// Makes commits wait for these standbys, or for none, and waits until that holds.
    pub(crate) async fn synchronous(&self, names: &str) {
        let client = self.sql("postgres").await;
        let set = format!("ALTER SYSTEM SET synchronous_standby_names = '{names}'");
        client.batch_execute(&set).await.expect("may");
        let reloaded = client.batch_execute("SELECT pg_reload_conf()").await;
        reloaded.expect("may");
        super::until("the standby is synchronous", async || {
            let question = "SELECT current_setting('synchronous_standby_names') = $1 AND ($1 = '' OR EXISTS \
                 (SELECT FROM pg_stat_replication WHERE sync_state = 'sync' AND state = 'streaming'))";
            let answer = client.query_one(question, &[&names]).await;
            answer.expect("it answers").get::<_, bool>(0)
        })
        .await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ends with its input.
        if let Some(mut guard) = self.state().guard.take() {
            drop(guard.stdin.take());
            let _ = guard.wait();
        }
    }
}

/// A folder that is the server user's own; in memory where there is room, because a server is a thousand files.
fn folder() -> TempDir {
    let parent = if room_in_memory() {
        PathBuf::from(MEMORY)
    } else {
        std::env::temp_dir()
    };
    let folder = tempfile::Builder::new().prefix("purlin-pg-").tempdir_in(parent);
    let folder = folder.expect("a temporary folder");
    programs().expect("asked for before").own(folder.path());
    folder
}

fn room_in_memory() -> bool {
    let output = Command::new("df").args(["--output=avail", "-k", MEMORY]).output();
    let said = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let free = said
        .ok()
        .and_then(|said| said.lines().nth(1)?.trim().parse::<u64>().ok());
    free.is_some_and(|kib| kib > 2 << 20)
}

/// An initialised data folder, made once while anybody needs one.
fn seed() -> Arc<TempDir> {
    static SEED: Mutex<Weak<TempDir>> = Mutex::new(Weak::new());
    let mut kept = SEED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    kept.upgrade().unwrap_or_else(|| {
        let (found, folder) = (programs().expect("asked for before"), folder());
        let mut command = found.command(&found.path("initdb"));
        command.arg("-D").arg(folder.path().join("data"));
        command.args([
            "-A",
            "trust",
            "-U",
            "postgres",
            "--no-sync",
            "--no-locale",
            "-E",
            "UTF8",
        ]);
        command.args(["--wal-segsize=1", "--no-instructions"]);
        succeeds(command.current_dir("/"));
        let seed = Arc::new(folder);
        *kept = Arc::downgrade(&seed);
        seed
    })
}

fn copy(from: &Path, to: &Path) {
    let found = programs().expect("asked for before");
    let mut command = found.command(Path::new("cp"));
    succeeds(command.arg("-a").arg(from).arg(to).current_dir("/"));
}

fn succeeds(command: &mut Command) {
    let output = command.output().expect("it can be run");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}

fn wait<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + LIMIT;
    while Instant::now() < end {
        if let Some(found) = look() {
            return Some(found);
        }
        std::thread::park_timeout(EVERY);
    }
    None
}
