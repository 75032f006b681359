//! PostgreSQL on loopback, which a test may stop and start.

use super::{free_port, program};
use crate::lab::text_of;
use crate::process::{Process, run};
use crate::wait::until;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Small, and without syncs: what breaks here is processes, not disks.
const OPTIONS: [&str; 7] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "fsync=off",
    "full_page_writes=off",
    "shared_buffers=16MB",
    "max_connections=80",
    "autovacuum=off",
];

/// Small files of the log, because a folder of them is copied for every standby.
const INITDB: [&str; 9] = [
    "-U",
    "purlin",
    "-A",
    "trust",
    "--no-sync",
    "--no-locale",
    "-E",
    "UTF8",
    "--wal-segsize=1",
];

/// A PostgreSQL with an empty database `purlin`.
#[derive(Debug)]
pub struct Database {
    process: Process,
    data: PathBuf,
    port: u16,
}

/// Rows that nobody can write, until it is dropped.
#[derive(Debug)]
pub struct RowLock<'a> {
    database: &'a Database,
    _holder: Process,
}

impl Drop for RowLock<'_> {
    /// The server would wait to the end for a client that is gone.
    fn drop(&mut self) {
        let holders = "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE granted AND mode = 'ExclusiveLock' \
             AND relation = 'purlin.fenced_row'::regclass";
        let _ = self.database.ask(holders);
    }
}

impl Database {
    pub(super) fn start(folder: &Path) -> Self {
        let (data, port) = (folder.join("postgres"), free_port());
        open_to_all(folder);
        initialise(&data);
        let process = serve(&data, port);
        let database = Self { process, data, port };
        database.until_it_answers();
        database
    }

    /// Where it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What the database itself answers to a query.
    ///
    /// # Panics
    /// When it does not.
    #[must_use]
    pub fn ask(&self, query: &str) -> String {
        let mut psql = Command::new(program("psql"));
        psql.args([
            "-X",
            "-A",
            "-t",
            "-h",
            "127.0.0.1",
            "-U",
            "purlin",
            "-d",
            "purlin",
        ]);
        let output = run(psql.args(["-p", &self.port.to_string(), "-c", query]));
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Offers TLS from now on, and takes nobody without; its certificate, for 127.0.0.1, as a file.
    ///
    /// # Panics
    /// When that cannot be done.
    #[must_use]
    pub fn encrypt(&mut self) -> PathBuf {
        let (key, certificate) = (self.data.join("server.key"), self.data.join("server.crt"));
        let mut make = as_server_user("openssl", None);
        make.args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ]);
        make.args(["-subj", "/CN=database", "-addext", "subjectAltName=IP:127.0.0.1"]);
        make.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
        make.arg("-keyout").arg(&key).arg("-out").arg(&certificate);
        let made = run(make.current_dir("/"));
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let shown = self.data.with_extension("crt");
        std::fs::copy(&certificate, &shown).expect("root may");
        let rules = "hostnossl all purlin 127.0.0.1/32 reject\nhostssl all purlin 127.0.0.1/32 trust\n";
        self.stop();
        std::fs::write(self.data.join("pg_hba.conf"), rules).expect("root may");
        let more = "ssl = on\nssl_cert_file = 'server.crt'\nssl_key_file = 'server.key'\n";
        let mut settings = std::fs::OpenOptions::new()
            .append(true)
            .open(self.data.join("postgresql.conf"));
        let written = settings
            .as_mut()
            .map(|file| std::io::Write::write_all(file, more.as_bytes()));
        written.expect("root may").expect("the disk takes it");
        self.start_again();
        shown
    }

    /// Believes nobody to be this role any more without its password.
    ///
    /// # Panics
    /// When the rules cannot be written.
    pub fn ask_for_the_password_of(&self, role: &str) {
        let file = self.data.join("pg_hba.conf");
        let rules = std::fs::read_to_string(&file).expect("root may");
        let rules = format!("host all {role} 127.0.0.1/32 scram-sha-256\n{rules}");
        std::fs::write(&file, rules).expect("root may");
        assert_eq!(self.ask("SELECT pg_reload_conf()"), "t");
        // Read by the server when it comes to it.
        let port = self.port.to_string();
        until("the rules were read", || {
            let mut psql = Command::new(program("psql"));
            psql.args(["-X", "-w", "-h", "127.0.0.1", "-U", role, "-d", "purlin"]);
            !run(psql.args(["-p", &port, "-c", "SELECT 1"])).status.success()
        });
    }

    /// Begins to keep everybody from writing leases, until it is dropped.
    ///
    /// # Panics
    /// When the table is not there.
    #[must_use]
    pub fn lock_rows(&self) -> RowLock<'_> {
        let mut psql = Command::new(program("psql"));
        psql.args([
            "-X",
            "-h",
            "127.0.0.1",
            "-U",
            "purlin",
            "-d",
            "purlin",
            "-p",
            &self.port.to_string(),
        ]);
        psql.args([
            "-c",
            "BEGIN",
            "-c",
            "LOCK TABLE purlin.fenced_row IN EXCLUSIVE MODE",
            "-c",
            "SELECT pg_sleep(60)",
        ]);
        let holder = Process::start(psql, self.data.with_extension("lock.log"));
        until("the table was locked", || {
            self.ask("SELECT count(*) FROM pg_locks WHERE mode = 'ExclusiveLock' AND relation = 'purlin.fenced_row'::regclass")
                == "1"
        });
        RowLock {
            database: self,
            _holder: holder,
        }
    }

    /// Ends it at once (`pg_ctl -m immediate stop`): every connection breaks.
    pub fn stop(&mut self) {
        self.process.signal("QUIT");
        let _ = self.process.ended();
    }

    /// Starts it again on the same data.
    pub fn start_again(&mut self) {
        self.process = serve(&self.data, self.port);
        self.until_it_answers();
    }

    fn until_it_answers(&self) {
        until("PostgreSQL was ready", || {
            self.process
                .said()
                .contains("database system is ready to accept connections")
        });
    }
}

/// Makes the database `purlin`, before anybody listens.
fn create(data: &Path) {
    use std::io::Write;
    let mut single = as_server_user("postgres", None);
    single.args(["--single", "-D"]).arg(data).arg("postgres");
    single.current_dir("/").stdin(std::process::Stdio::piped());
    single
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null());
    let mut child = single.spawn().expect("it was found");
    let mut input = child.stdin.take().expect("asked for");
    input.write_all(b"CREATE DATABASE purlin\n").expect("it reads");
    drop(input);
    assert!(child.wait().is_ok_and(|status| status.success()));
}

fn serve(data: &Path, port: u16) -> Process {
    let mut command = as_server_user("postgres", Some("QUIT"));
    command.arg("-D").arg(data).args(["-p", &port.to_string()]);
    for option in OPTIONS {
        command.args(["-c", option]);
    }
    let log = data.with_extension("log");
    Process::start(
        {
            command.current_dir("/");
            command
        },
        log,
    )
}

/// PostgreSQL refuses root.
fn as_server_user(name: &str, at_our_end: Option<&str>) -> Command {
    let mut command = Command::new(program("setpriv"));
    command.args(words_as_server_user(name, at_our_end));
    command
}

/// What `setpriv` is told to run a program of PostgreSQL.
pub(super) fn words_as_server_user(name: &str, at_our_end: Option<&str>) -> Vec<String> {
    let mut words = Vec::new();
    if let Some((uid, gid)) = other_user() {
        words.extend([format!("--reuid={uid}"), format!("--regid={gid}")]);
        words.push("--clear-groups".to_owned());
    }
    if let Some(signal) = at_our_end {
        words.extend(["--pdeathsig".to_owned(), signal.to_owned()]);
    }
    words.extend(["--".to_owned(), text_of(&program(name))]);
    words
}

/// Makes a folder that the server's user owns.
pub(super) fn folder_of_server(data: &Path) {
    use std::os::unix::fs::DirBuilderExt;
    // PostgreSQL refuses a folder that others may look into.
    let made = std::fs::DirBuilder::new().mode(0o700).create(data);
    made.expect("the folder is ours");
    own(data);
}

/// Gives a file or folder to the server's user.
pub(super) fn own(path: &Path) {
    if let Some((uid, gid)) = other_user() {
        std::os::unix::fs::chown(path, Some(uid), Some(gid)).expect("root may");
    }
}

/// Makes the files of a server whose superuser is `purlin`, with a database of that name.
pub(super) fn initialise(data: &Path) {
    folder_of_server(data);
    let mut make = as_server_user("initdb", None);
    make.arg("-D").arg(data).args(INITDB);
    let made = run(make.current_dir("/"));
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    create(data);
}

/// As whom the server runs when we are root.
fn other_user() -> Option<(u32, u32)> {
    (id(&["-u"])? == 0).then(|| {
        let named = |name| Some((id(&["-u", name])?, id(&["-g", name])?));
        ["postgres", "nobody"]
            .into_iter()
            .find_map(named)
            .expect("there is a user beside root")
    })
}

fn id(arguments: &[&str]) -> Option<u32> {
    let output = run(Command::new("id").args(arguments));
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}

/// The server's user must get through to its own folder.
pub(super) fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder, mode).expect("the folder is ours");
}
