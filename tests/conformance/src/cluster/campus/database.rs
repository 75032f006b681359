//! PostgreSQL on two hosts: a primary, a standby that follows it, and what an operator does when one is lost.

mod server;

use super::wire::Host;
use crate::cluster::server::folder_of_server;
use crate::lab::text_of;
use crate::process::Process;
use crate::wait::until;
use server::{Server, set};
use std::path::Path;
use std::sync::Arc;

/// What the primary waits for before it says that a commit is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standby {
    /// There is none.
    Absent,
    /// The standby has it.
    Synchronous,
    /// Nothing: the standby follows when it can.
    Asynchronous,
}

/// Both servers.
#[derive(Debug)]
pub struct Databases {
    servers: Vec<Server>,
    primary: usize,
    standby: Standby,
}

impl Databases {
    /// A primary on the first host, and the standby on the second.
    pub(super) fn start(hosts: [Arc<Host>; 2], folder: &Path, standby: Standby) -> Self {
        let mut servers: Vec<Server> = hosts.into_iter().map(|host| Server::new(host, folder)).collect();
        servers[0].found();
        let mut both = Self {
            servers,
            primary: 0,
            standby,
        };
        if standby != Standby::Absent {
            both.follow_anew();
        }
        both
    }

    /// For `store.url`: both hosts, of which a node takes the one that may be written to.
    #[must_use]
    pub fn url(&self) -> String {
        let hosts: Vec<String> = self
            .servers
            .iter()
            .map(|one| one.host.address.to_string())
            .collect();
        format!("postgresql://purlin@{}/purlin", hosts.join(","))
    }

    /// Name of the host whose server takes writes.
    #[must_use]
    pub fn primary(&self) -> &str {
        &self.servers[self.primary].host.name
    }

    /// Name of the other host.
    #[must_use]
    pub fn standby(&self) -> &str {
        &self.servers[1 - self.primary].host.name
    }

    /// What the primary answers to a query; `None` when it does not.
    #[must_use]
    pub fn ask(&self, query: &str) -> Option<String> {
        self.servers[self.primary].ask(query)
    }

    /// The same for a question that is not worth waiting for.
    #[must_use]
    pub fn ask_briefly(&self, query: &str) -> Option<String> {
        self.servers[self.primary].ask_briefly(query)
    }

    /// Ends the primary and all its connections at once, as a lost machine would.
    pub fn kill_primary(&mut self) {
        let primary = self.primary;
        self.servers[primary].kill();
    }

    /// Starts the primary again on its own files.
    pub fn restart_primary(&mut self) {
        let primary = self.primary;
        self.servers[primary].serve();
    }

    /// The standby becomes the primary. What it does not have is lost; the old one must not come back as it is. With
    /// nobody behind it, the new one waits for nobody.
    pub fn promote(&mut self) {
        let next = &self.servers[1 - self.primary];
        // Before it is promoted: its first commit must not wait for somebody who is gone.
        set(&next.data, "synchronous_standby_names = ''");
        for query in ["SELECT pg_reload_conf()", "SELECT pg_promote(true, 30)"] {
            let answer = next.ask(query);
            assert!(answer.is_some(), "the standby does not answer {query}");
        }
        self.primary = 1 - self.primary;
    }

    /// The server that is not the primary becomes its standby: rewound to where their histories parted, or copied anew.
    pub fn rejoin(&mut self) {
        let (primary, other) = (self.primary, 1 - self.primary);
        self.servers[other].kill();
        // Without it, pg_rewind may find nothing to rewind right after a promotion.
        let _ = self.servers[primary].ask("CHECKPOINT");
        let source = format!(
            "host={} user=purlin dbname=postgres connect_timeout=5",
            self.servers[primary].host.address
        );
        let data = text_of(&self.servers[other].data);
        let rewound = self.servers[other].run("pg_rewind", &["-D", &data, "--source-server", &source]);
        if rewound.status.success() {
            self.servers[other].follow(&source);
            self.wait_for_standby();
        } else {
            self.follow_anew();
        }
    }

    /// Ends the server that is not the primary any more.
    pub fn stop_standby(&mut self) {
        let other = 1 - self.primary;
        self.servers[other].kill();
    }

    /// Leaves no room on the primary's disk.
    pub fn fill(&self) {
        let server = &self.servers[self.primary];
        // It ends with an error when nothing is left, which is what is wanted.
        let file = format!("of={}", text_of(&server.ballast()));
        let _ = server.host.space.run("dd", &["if=/dev/zero", "bs=64k", &file]);
    }

    /// Lets every flush to the primary's disk take a tenth of a second, or none at all.
    pub fn slow_down(&self, slow: bool) {
        let settings = if slow {
            ["fsync = on", "commit_delay = 100000", "commit_siblings = 0"]
        } else {
            ["fsync = off", "commit_delay = 0", "commit_siblings = 5"]
        };
        for setting in settings {
            let set = self.ask(&format!("ALTER SYSTEM SET {setting}"));
            set.unwrap_or_else(|| panic!("the primary does not take {setting}"));
        }
        self.ask("SELECT pg_reload_conf()").expect("the primary answers");
    }

    /// Gives the room back, and starts the primary again if that was the end of it.
    pub fn make_room(&mut self) {
        let server = &mut self.servers[self.primary];
        let _ = std::fs::remove_file(server.ballast());
        let runs = server.process.as_mut().is_some_and(Process::is_running);
        if !runs {
            server.serve();
        }
    }

    fn follow_anew(&mut self) {
        let (primary, other) = (self.primary, 1 - self.primary);
        let source = format!("host={} user=purlin", self.servers[primary].host.address);
        let server = &mut self.servers[other];
        let _ = std::fs::remove_dir_all(&server.data);
        folder_of_server(&server.data);
        let data = text_of(&server.data);
        let copied = server.run(
            "pg_basebackup",
            &[
                "-d",
                &source,
                "-D",
                &data,
                "-X",
                "stream",
                "--checkpoint=fast",
                "--no-sync",
            ],
        );
        assert!(
            copied.status.success(),
            "{}",
            String::from_utf8_lossy(&copied.stderr)
        );
        server.follow(&source);
        self.wait_for_standby();
    }

    /// Waits until the standby streams, and makes it synchronous if it is to be.
    fn wait_for_standby(&self) {
        let question = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'";
        until("the standby followed", || {
            self.ask(question).as_deref() == Some("1")
        });
        if self.standby == Standby::Synchronous {
            self.wait_for_commits(true);
            let question = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
            until("the standby was synchronous", || {
                self.ask(question).as_deref() == Some("1")
            });
        }
    }

    /// Whether the primary lets every commit wait for the standby, from now on.
    pub fn wait_for_commits(&self, wait: bool) {
        let names = if wait { "*" } else { "" };
        let set = format!("ALTER SYSTEM SET synchronous_standby_names = '{names}'");
        self.ask(&set).expect("the primary answers");
        self.ask("SELECT pg_reload_conf()").expect("the primary answers");
    }
}
