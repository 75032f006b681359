//! One server process.

use super::PATIENCE;
use purlin_fabric_redis::Address;
use redis::{FromRedisValue, RedisResult, Value};
use rustix::process::{Pid, Signal, kill_process};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A server; ends with this value, by force.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: Address,
    folder: TempDir,
    arguments: Vec<String>,
    password: Option<String>,
    child: Option<Child>,
    /// Where its own file of settings is, if it has one.
    settings: Option<TempDir>,
}

/// A port that was free a moment ago. Whoever takes it first has it: see [`Server::start`].
pub(super) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    listener.local_addr().expect("it is bound").port()
}

impl Server {
    /// A server that forgets everything when it ends, and answers.
    pub(crate) async fn start(arguments: &[&str]) -> Self {
        Self::begin(arguments, None, false).await
    }

    pub(crate) async fn with_password(password: &str) -> Self {
        Self::begin(&["--requirepass", password], Some(password), false).await
    }

    /// One that listens with TLS on its only port, so that nothing in plain text can work.
    pub(crate) async fn with_tls(arguments: &[&str]) -> Self {
        Self::begin(arguments, None, true).await
    }

    async fn begin(arguments: &[&str], password: Option<&str>, tls: bool) -> Self {
        for _ in 0..5 {
            let port = free_port();
            let name = if tls { "--tls-port" } else { "--port" };
            // A file of settings has to come first.
            let mut all: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
            all.extend([name.to_owned(), port.to_string()]);
            if tls {
                all.extend(["--port", "0"].map(str::to_owned));
            }
            let mut server = Self {
                address: Address::new("127.0.0.1", port),
                folder: TempDir::new().expect("a folder"),
                arguments: all,
                password: password.map(str::to_owned),
                child: None,
                settings: None,
            };
            server.spawn();
            if server.listens().await {
                return server;
            }
        }
        panic!("redis-server found no free port");
    }

    /// Keeps the folder of a file of settings for as long as the server runs.
    pub(super) fn keep(&mut self, settings: TempDir) {
        self.settings = Some(settings);
    }

    /// Starts it, again perhaps, on the same port.
    fn spawn(&mut self) {
        let log = std::fs::File::create(self.folder.path().join("log")).expect("a log");
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "redis-server"])
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(Stdio::null());
        if !self.arguments.iter().any(|argument| argument == "--sentinel") {
            let folder = self.folder.path().to_str().expect("a plain path");
            command.args(["--bind", "127.0.0.1", "--save", "", "--dir", folder]);
        }
        self.child = Some(command.spawn().expect("redis-server starts"));
    }

    pub(crate) async fn restart(&mut self) {
        self.kill();
        self.spawn();
        assert!(self.listens().await, "it listens again");
    }

    /// Whether it came to listen; `false` when it ended instead.
    async fn listens(&mut self) -> bool {
        let place = (self.address.host.clone(), self.address.port);
        let child = self.child.as_mut().expect("it was started");
        let until = Instant::now() + PATIENCE;
        let mut pause = tokio::time::interval(Duration::from_millis(10));
        while Instant::now() < until {
            if child.try_wait().expect("it is ours").is_some() {
                return false;
            }
            if tokio::net::TcpStream::connect(&place).await.is_ok() {
                return true;
            }
            pause.tick().await;
        }
        panic!("redis-server does not listen");
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    pub(crate) fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    pub(crate) fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let child = self.child.as_ref().expect("it runs");
        let pid = Pid::from_raw(i32::try_from(child.id()).expect("a pid")).expect("not zero");
        kill_process(pid, signal).expect("it is ours");
    }

    /// Asks over a connection of its own.
    pub(crate) async fn ask<T: FromRedisValue>(&self, words: &[&str]) -> T {
        self.try_ask(words).await.expect("the server answers")
    }

    pub(crate) async fn try_ask<T: FromRedisValue>(&self, words: &[&str]) -> RedisResult<T> {
        let user = self.password.as_ref().map(|password| format!(":{password}@"));
        let url = format!("redis://{}{}", user.unwrap_or_default(), self.address);
        let client = redis::Client::open(url)?;
        // The client's own half second is little on a machine that stands still at times.
        let patient = redis::AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        let mut wire = client
            .get_multiplexed_async_connection_with_config(&patient)
            .await?;
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]).query_async(&mut wire).await
    }

    /// Every key with its time to live in milliseconds (-1: for ever).
    pub(crate) async fn keys(&self, database: u32) -> Vec<(String, i64)> {
        const ALL: &str = "redis.call('SELECT', ARGV[1]) local found = {} \
            for _, key in ipairs(redis.call('KEYS', '*')) do \
            found[#found + 1] = key found[#found + 1] = tostring(redis.call('PTTL', key)) end return found";
        self.ask(&["EVAL", ALL, "0", &database.to_string()]).await
    }

    /// The number of a key's slot.
    pub(crate) async fn slot(&self, key: &str) -> String {
        let slot: u16 = self.ask(&["CLUSTER", "KEYSLOT", key]).await;
        slot.to_string()
    }

    /// Hangs up on everybody but us.
    pub(crate) async fn hang_up(&self) {
        for kind in ["normal", "pubsub"] {
            let _: Value = self.ask(&["CLIENT", "KILL", "TYPE", kind]).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
