//! One PostgreSQL on a host, and the disk that is its own.

use crate::cluster::campus::Host;
use crate::cluster::program;
use crate::cluster::server::{initialise, own, words_as_server_user};
use crate::lab::text_of;
use crate::process::{Process, kill, run};
use crate::wait::{LIMIT, within};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;

/// Small, and without syncs: what breaks here is processes, not power. What pg_rewind needs is on.
const OPTIONS: &str = "listen_addresses='0.0.0.0'\nunix_socket_directories=''\nfsync=off\nfull_page_writes=on\n\
    wal_log_hints=on\nwal_keep_size=64MB\nmax_wal_size=64MB\nmin_wal_size=8MB\nshared_buffers=16MB\nmax_connections=80\n\
    autovacuum=off\nwal_receiver_timeout=5s\nwal_sender_timeout=5s\nwal_retrieve_retry_interval=200ms\n\
    tcp_keepalives_idle=5\n";
/// Who may come: everybody, in this lab.
const ADMITTED: &str = "host all all 0.0.0.0/0 trust\nhost replication all 0.0.0.0/0 trust\n";

/// From beside the server, rows without decoration.
const PSQL: [&str; 10] = [
    "-X",
    "-A",
    "-t",
    "-q",
    "-h",
    "127.0.0.1",
    "-U",
    "purlin",
    "-d",
    "purlin",
];
/// A little more than the servers' files and their log need.
const DISK_SIZE: &str = "size=300m";

/// A server and where its files are.
#[derive(Debug)]
pub(super) struct Server {
    // Dropped in this order: the disk goes when nobody uses it any more.
    pub(super) process: Option<Process>,
    _disk: Disk,
    pub(super) host: Arc<Host>,
    pub(super) data: PathBuf,
    log: PathBuf,
    lives: u32,
}

/// A disk of its own, in memory, so that it can be full. Gone when dropped.
#[derive(Debug)]
struct Disk(PathBuf);

impl Disk {
    fn new(folder: &Path) -> Self {
        std::fs::create_dir(folder).expect("the folder is ours");
        let mut mount = std::process::Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", DISK_SIZE, "purlin-test"])
            .arg(folder);
        let output = run(&mut mount);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{mount:?}: {said}");
        own(folder);
        Self(folder.to_owned())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: somebody who is still ending may have it open.
        let _ = std::process::Command::new("umount")
            .arg("-l")
            .arg(&self.0)
            .status();
    }
}

impl Server {
    /// Not there yet.
    pub(super) fn new(host: Arc<Host>, folder: &Path) -> Self {
        let disk = Disk::new(&folder.join(format!("{}-disk", host.name)));
        Self {
            process: None,
            data: disk.0.join(&host.name),
            log: folder.join(&host.name),
            _disk: disk,
            host,
            lives: 0,
        }
    }

    /// The first of all: with an empty database.
    pub(super) fn found(&mut self) {
        initialise(&self.data);
        add(&self.data.join("postgresql.conf"), OPTIONS);
        add(&self.data.join("pg_hba.conf"), ADMITTED);
        self.serve();
    }

    /// The file that takes all the room.
    pub(super) fn ballast(&self) -> PathBuf {
        self.data.with_file_name("ballast")
    }

    /// Starts it on its files.
    pub(super) fn serve(&mut self) {
        self.lives += 1;
        let _ = std::fs::remove_file(self.data.join("postmaster.pid"));
        let log = self.log.with_extension(format!("{}.log", self.lives));
        let mut words = words_as_server_user("postgres", Some("QUIT"));
        words.extend(["-D".to_owned(), text_of(&self.data)]);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut command = self.host.space.command("setpriv", &words);
        command.current_dir("/");
        let mut process = Process::start(command, log);
        process.until("a PostgreSQL that answers", |said| {
            said.contains("ready to accept").then_some(())
        });
        self.process = Some(process);
    }

    /// Starts it as a standby of `source`.
    pub(super) fn follow(&mut self, source: &str) {
        let name = &self.host.name;
        set(
            &self.data,
            &format!("primary_conninfo = '{source} application_name={name}'"),
        );
        let signal = self.data.join("standby.signal");
        add(&signal, "");
        own(&signal);
        self.serve();
    }

    /// Ends everything on this host: a postmaster's children do not die with it at once.
    pub(super) fn kill(&mut self) {
        for pid in self.host.space.processes() {
            kill(pid, "KILL");
        }
        if let Some(mut process) = self.process.take() {
            process.crash();
        }
        let gone = within(LIMIT, || self.host.space.processes().is_empty().then_some(()));
        assert!(gone.is_some(), "processes survive SIGKILL at {}", self.host.name);
    }

    /// What it answers to a query; `None` when it does not.
    pub(super) fn ask(&self, query: &str) -> Option<String> {
        self.ask_within("60", query)
    }

    pub(super) fn ask_briefly(&self, query: &str) -> Option<String> {
        self.ask_within("2", query)
    }

    fn ask_within(&self, secs: &str, query: &str) -> Option<String> {
        let psql = text_of(&program("psql"));
        let words = [&["-k", "1", secs, &psql][..], &PSQL, &["-c", query]].concat();
        let output = self.host.space.run("timeout", &words);
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        output.status.success().then_some(said)
    }

    /// Runs one of its programs.
    pub(super) fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let mut words = words_as_server_user(program, None);
        words.extend(arguments.iter().map(|word| (*word).to_owned()));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.host.space.run("setpriv", &words)
    }
}

/// One more setting of the server whose files these are; the last one of a name counts.
pub(super) fn set(data: &Path, setting: &str) {
    add(&data.join("postgresql.auto.conf"), &format!("{setting}\n"));
}

fn add(file: &Path, text: &str) {
    use std::io::Write;
    let opened = std::fs::OpenOptions::new().create(true).append(true).open(file);
    let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
    written.unwrap_or_else(|cause| panic!("cannot write {}: {cause}", file.display()));
}
