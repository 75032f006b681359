//! A network of validators in a laboratory: what `purlin chain init --validators` lays out, each a process.

use crate::lab::{Lab, text_of};
use crate::need;
use crate::process::Process;
use crate::wait::within;
use serde_json::{Value, json};
use std::time::Duration;

/// Accounts that every tool for developers knows.
const FUNDED: [&str; 10] = [
    "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
    "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
    "0x90F79bf6EB2c4f870365E785982E1f101E93b906",
    "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65",
    "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc",
    "0x976EA74026E726554dB657fA54763abd0C3a0aa9",
    "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955",
    "0x23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f",
    "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720",
];

/// Peers meet here; JSON-RPC is 100 above.
const BASE: u16 = 30_300;
/// Debug builds beside other tests may take their time; what is waited for ends the wait.
const LIMIT: Duration = Duration::from_secs(120);

/// Validators 1 to n in the server namespace of a laboratory.
#[derive(Debug)]
pub struct Validators<'a> {
    lab: &'a Lab,
    processes: Vec<Option<Process>>,
    starts: usize,
}

impl<'a> Validators<'a> {
    /// Lays a network out and starts all of it.
    ///
    /// # Panics
    /// When it cannot be laid out.
    #[must_use]
    pub fn of(lab: &'a Lab, count: usize, period: &str) -> Self {
        let out = text_of(&lab.path("net"));
        let count_text = count.to_string();
        let funds: Vec<String> = FUNDED.iter().map(|account| format!("{account}=10000")).collect();
        let mut arguments = vec![
            "chain",
            "init",
            "--validators",
            &count_text,
            "--out",
            &out,
            "--period",
            period,
        ];
        arguments.extend(funds.iter().flat_map(|fund| ["--fund", fund.as_str()]));
        let laid = lab.server.run(&binary(), &arguments);
        assert!(laid.status.success(), "{}", String::from_utf8_lossy(&laid.stderr));
        for n in 1..=count {
            // The section of the chain is the last one.
            let config = lab.path(&format!("net/validator-{n}/purlin.toml"));
            let text = std::fs::read_to_string(&config).expect("laid out");
            std::fs::write(&config, text + "cors_origins = [\"*\"]\n").expect("it can be written");
        }
        let mut validators = Self {
            lab,
            processes: (0..count).map(|_| None).collect(),
            starts: 0,
        };
        for n in 1..=count {
            validators.start(n);
        }
        validators
    }

    /// JSON-RPC of one over HTTP and WebSocket.
    #[must_use]
    pub fn addresses(n: usize) -> (String, String) {
        let port = BASE as usize + 98 + 2 * n;
        (
            format!("http://127.0.0.1:{port}"),
            format!("ws://127.0.0.1:{}", port + 1),
        )
    }

    /// The file with the private key of one.
    #[must_use]
    pub fn key_file(&self, n: usize) -> String {
        text_of(&self.lab.path(&format!("net/validator-{n}/validator.key")))
    }

    /// Starts one that does not run.
    pub fn start(&mut self, n: usize) {
        self.starts += 1;
        let config = text_of(&self.lab.path(&format!("net/validator-{n}/purlin.toml")));
        let log = format!("validator-{n}.{}.log", self.starts);
        let process = self
            .lab
            .server
            .start(&log, &binary(), &["up", "--config", &config]);
        self.processes[n - 1] = Some(process);
    }

    /// kill -9.
    pub fn kill(&mut self, n: usize) {
        if let Some(mut process) = self.processes[n - 1].take() {
            process.crash();
        }
    }

    /// What one answers; `None` while it does not.
    #[must_use]
    pub fn ask(&self, n: usize, method: &str, params: &Value) -> Option<Value> {
        let (http, _) = Self::addresses(n);
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
        let header = "content-type: application/json";
        let arguments = ["-s", "-m", "5", "-H", header, "-d", &body, &http];
        let output = self.lab.server.run("curl", &arguments);
        let answer: Value = serde_json::from_slice(&output.stdout).ok()?;
        answer.get("result").cloned()
    }

    /// The head of one.
    #[must_use]
    pub fn head(&self, n: usize) -> Option<u64> {
        let number = self.ask(n, "eth_blockNumber", &json!([]))?;
        u64::from_str_radix(number.as_str()?.trim_start_matches("0x"), 16).ok()
    }

    /// The highest head of all.
    #[must_use]
    pub fn highest(&self) -> u64 {
        let heads = (1..=self.processes.len()).filter_map(|n| self.head(n));
        heads.max().unwrap_or(0)
    }

    /// Waits until all have a block of this number.
    ///
    /// # Panics
    /// When one has not; with what it said.
    pub fn all_reach(&self, number: u64) {
        for n in 1..=self.processes.len() {
            let reached = within(LIMIT, || self.head(n).filter(|head| *head >= number));
            let said = || {
                self.processes[n - 1]
                    .as_ref()
                    .map(Process::said)
                    .unwrap_or_default()
            };
            assert!(
                reached.is_some(),
                "validator {n} did not reach block {number}:\n{}",
                said()
            );
        }
    }

    /// The hash that all have of a block.
    ///
    /// # Panics
    /// When two differ: a fork.
    #[must_use]
    pub fn hash(&self, number: u64) -> Value {
        let of = |n| {
            let block = self.ask(n, "eth_getBlockByNumber", &json!([format!("{number:#x}"), false]));
            block.map(|block| block["hash"].clone())
        };
        let hashes: Vec<Option<Value>> = (1..=self.processes.len()).map(of).collect();
        let first = hashes[0].clone().expect("it answers");
        assert!(
            hashes.iter().flatten().all(|hash| hash == &first),
            "block {number}: {hashes:?}"
        );
        first
    }
}

fn binary() -> String {
    text_of(&need::purlin().expect("checked before the laboratory was made"))
}
