//! A node with nothing but the platform, in a process of its own.

use crate::Outcome;
use crate::server::{Server, cpu};
use purlin_api::Shell;
use purlin_api::access::Role;
use purlin_api::clock::Clock;
use purlin_api::ledger::Ledger;
use purlin_api::serve::{Plan, Shutdown};
use purlin_api::tokens::{NewToken, Tokens};
use purlin_ovn_server::{Bounds, History, Platform, Settings, Tools, routes};
use purlin_ovsdb::client::{Config, parse_endpoints};
use purlin_store_embedded::{Embedded, Options};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub(crate) struct Node {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
}

impl Node {
    pub(crate) fn start(server: &Server) -> Outcome<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["node", &server.endpoint()])
            .stdout(Stdio::piped())
            .spawn()?;
        let out = child.stdout.take().ok_or("its output")?;
        let mut lines = BufReader::new(out).lines();
        let mut line = || -> Outcome<String> { Ok(lines.next().ok_or("the node tells where it is")??) };
        let (address, token) = (line()?, line()?);
        let address = address.parse()?;
        Ok(Self {
            child,
            address,
            token,
        })
    }

    /// Seconds of processor time that it has used.
    pub(crate) fn cpu(&self) -> Outcome<f64> {
        cpu(&self.child.id().to_string())
    }

    /// MiB that it holds.
    pub(crate) fn memory(&self) -> Outcome<usize> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS"));
        let kib: usize = line
            .and_then(|line| line.split_whitespace().nth(1))
            .ok_or("a number")?
            .parse()?;
        Ok(kib / 1024)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs until it is killed.
pub(crate) async fn serve(endpoint: &str) -> Outcome<()> {
    let endpoints = parse_endpoints(endpoint)?;
    let began = Instant::now();
    let platform = Platform::start(Settings {
        northbound: Config::new("OVN_Northbound", endpoints.clone()),
        southbound: Some(Config::new("OVN_Southbound", endpoints)),
        origin: "given",
        unattended: false,
        tools: Tools::default(),
    });
    while platform.readiness().is_err() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    eprintln!(
        "# the node is ready after {:?}; processor seconds {:.2}",
        began.elapsed(),
        cpu("self")?
    );
    let folder = tempfile::tempdir()?;
    let store = Embedded::open(&folder.path().join("store"), Options::default())?;
    let (ledger, clock) = (Ledger::new(store.records()), Clock::system());
    platform.keep(History {
        ledger: ledger.clone(),
        clock: clock.clone(),
        shared: false,
        bounds: Bounds::default(),
    });
    let tokens = Tokens::open(ledger.clone(), clock.clone()).await.map_err(said)?;
    let new = NewToken {
        name: "load".to_owned(),
        role: Role::Operator,
        expires: None,
    };
    let (_, token) = tokens.create(new).await.map_err(said)?;
    let router = Shell::new(&ledger, &tokens, &clock)
        .mount(routes(&platform))
        .router();
    let plan = Plan {
        http: vec![([127, 0, 0, 1], 0).into()],
        ..Plan::default()
    };
    let bound = plan.bind().await?;
    println!("{}", bound.http()[0]);
    println!("{}", token.reveal());
    let shutdown = Shutdown::default();
    let running = bound.start(&router, &axum::Router::new(), shutdown.clone());
    shutdown.wait().await;
    running.stop(Duration::ZERO).await;
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "map_err hands it over")]
fn said(problem: purlin_api::Problem) -> String {
    problem.detail().to_owned()
}
