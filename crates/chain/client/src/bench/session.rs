//! A run from the first question to the report.

use super::accounts;
use super::blocks::{blocks_report, ratio};
use super::collect::{Questions, collect};
use super::cost::Cost;
use super::facts::{BlockFacts, Facts};
use super::follow::Base;
use super::options::{BenchOptions, OptionsError};
use super::plan::Plan;
use super::prepare::{Prepared, prepare};
use super::report::{BenchReport, Conditions, Preparation, Progress, Stage, Verification, Waits};
use super::running::{self, Ended, PATIENCE, Shared};
use super::sign::Requests;
use super::verify::{Expected, Problem, verify};
use crate::Key;
use crate::rpc::{Rpc, RpcError};
use alloy_primitives::{Address, B256, U64, U256, utils::format_ether};
use purlin_load::{Load, Usage};
use serde_json::json;
use std::io;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::task::LocalSet;
use tokio::time::{sleep, timeout};

/// Pause before a verification that was not answered is begun again.
const AGAIN_AFTER: Duration = Duration::from_millis(500);
/// Also after a short load, what was sent has to come in blocks and be asked for.
const VERIFY_MIN: Duration = Duration::from_secs(60);

/// Why a run could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    #[error(transparent)]
    Options(#[from] OptionsError),
    #[error("{doing}: {server}")]
    Server { doing: &'static str, server: RpcError },
    #[error(
        "transactions of an earlier run wait in the pool for {account}: let them go into blocks, or use another seed"
    )]
    Busy { account: Address },
    #[error("{funder} pays for the run and owns {} ether, but it takes up to {}", format_ether(*owns), format_ether(*costs))]
    Poor {
        funder: Address,
        owns: U256,
        costs: U256,
    },
    #[error("transaction {0}, which prepares the senders, failed")]
    Preparation(B256),
    #[error("the time limit was over before the load began")]
    Late,
    #[error("interrupted before the load began")]
    Interrupted,
    #[error("no runtime for the connections")]
    Runtime(#[source] io::Error),
}

impl BenchError {
    pub(crate) fn server(doing: &'static str, server: RpcError) -> Self {
        Self::Server { doing, server }
    }
}

/// Runs a load and verifies it. `stop` ends the load early (its report is still whole); `progress` is told about five
/// times a second.
///
/// # Errors
/// When the options are out of range, or the load cannot begin. A server that refuses, dies or lies while the load runs
/// is no error: it is in the report.
pub fn run(
    options: &BenchOptions,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
) -> Result<BenchReport, BenchError> {
    options.check()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(BenchError::Runtime)?;
    LocalSet::new().block_on(&runtime, go(options, stop, progress))
}

async fn go(
    options: &BenchOptions,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
) -> Result<BenchReport, BenchError> {
    let began = Instant::now();
    let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let deadline = began + options.timeout;
    let mut rpc = Rpc::new(options.servers[0].clone(), PATIENCE);
    let asked = |cause| BenchError::server("asking for the chain's head", cause);
    let chain_id: U64 = rpc.call("eth_chainId", &json!([])).await.map_err(asked)?;
    let head = head(&mut rpc).await?;
    let plan = Plan::new(options, chain_id.to(), base_fee(&head));
    let keys = derive(options);
    let senders: Vec<Address> = keys.iter().map(Key::address).collect();
    idle(&mut rpc, &senders).await?;
    let told = &mut |done, all| {
        progress(&Progress::of(Stage::Prepare, done, all));
        match (stop.load(Ordering::Relaxed), Instant::now() >= deadline) {
            (true, _) => Err(BenchError::Interrupted),
            (_, true) => Err(BenchError::Late),
            _ => Ok(()),
        }
    };
    let prepared = prepare(&mut rpc, &plan, &options.funder, &senders, told).await?;
    let preparing = began.elapsed();
    progress(&Progress::of(Stage::Sign, 0, options.transactions.into()));
    let start = Start::read(&mut rpc, senders, prepared).await?;
    let (signing, threads) = (Instant::now(), threads());
    let requests = Requests::sign(&plan, &keys, &start.nonces, &start.prepared.contracts, threads);
    let signing_seconds = signing.elapsed().as_secs_f64();
    let preparation = Preparation {
        seconds: preparing.as_secs_f64(),
        transactions: start.prepared.transactions,
        gas: start.prepared.gas,
        signing_seconds,
        signing_threads: threads,
        signatures_per_second: ratio(options.transactions.into(), signing_seconds),
    };
    let base = self::head(&mut rpc).await?;
    let mut run = Run {
        client: client(&mut rpc).await,
        started: started.as_secs(),
        conditions: conditions(options, &plan, &base),
        preparation,
        options,
        plan,
        start,
        rpc,
    };
    let base = Base {
        number: base.number.to(),
        hash: base.hash,
    };
    let shared = Rc::new(Shared::new(options, requests));
    let before = run.usage();
    let ended = running::run(&shared, options, base, deadline, stop, progress).await;
    let (cost, seconds) = (run.usage(), shared.now_ns() as f64 / 1e9);
    let (facts, verification) = run.verify(&shared, base, progress).await;
    Ok(run.report(&shared, &facts, verification, ended, (before, cost, seconds)))
}

/// CPU and memory of the generator and of the server.
type Usages = (Option<Usage>, Option<Usage>);

/// What the chain holds when the clock begins.
struct Start {
    senders: Vec<Address>,
    prepared: Prepared,
    nonces: Vec<u64>,
    balances: Vec<U256>,
}

impl Start {
    async fn read(rpc: &mut Rpc, senders: Vec<Address>, prepared: Prepared) -> Result<Self, BenchError> {
        let asked = |cause| BenchError::server("asking for the senders' accounts", cause);
        Ok(Self {
            nonces: accounts::nonces(rpc, &senders, "latest").await.map_err(asked)?,
            balances: accounts::balances(rpc, &senders).await.map_err(asked)?,
            senders,
            prepared,
        })
    }
}

struct Run<'a> {
    options: &'a BenchOptions,
    client: String,
    started: u64,
    conditions: Conditions,
    preparation: Preparation,
    plan: Plan,
    start: Start,
    rpc: Rpc,
}

impl Run<'_> {
    fn usage(&self) -> Usages {
        let server = self.options.server_pid.and_then(|pid| Usage::read(Some(pid)));
        (Usage::read(None), server)
    }

    async fn verify(
        &mut self,
        shared: &Shared,
        base: Base,
        progress: &mut dyn FnMut(&Progress),
    ) -> (Facts, Verification) {
        let began = Instant::now();
        let questions = Questions {
            plan: &self.plan,
            requests: &shared.requests,
            senders: &self.start.senders,
            contracts: self.start.prepared.contracts,
            first_block: base.number + 1,
        };
        let told = &mut |done, all| progress(&Progress::of(Stage::Verify, done, all));
        let asking = patiently(&mut self.rpc, &questions, told);
        let (facts, problems) = match timeout(self.options.timeout.max(VERIFY_MIN), asking).await {
            Ok(Ok(facts)) => {
                let problems = verify(&self.expected(shared), &facts);
                (facts, problems)
            }
            Ok(Err(cause)) => (Facts::default(), vec![unasked(cause.to_string())]),
            Err(_) => (Facts::default(), vec![unasked("the time is up".to_owned())]),
        };
        let mut problems = problems;
        let taken_back = shared.ledger.borrow().counts().blocks_taken_back;
        if taken_back > 0 {
            problems.push(Problem {
                what: "a block that was seen is not in the chain any more",
                count: taken_back,
                examples: Vec::new(),
            });
        }
        let receipts = facts.receipts.iter().flatten();
        let verification = Verification {
            verified: problems.is_empty(),
            seconds: began.elapsed().as_secs_f64(),
            receipts: receipts.clone().count() as u64,
            failed: receipts.filter(|receipt| receipt.status.to::<u64>() != 1).count() as u64,
            accounts: facts.balances.len() as u64,
            blocks: facts.blocks.len() as u64,
            slots: facts.slots.len() as u64,
            problems,
        };
        (facts, verification)
    }

    fn expected<'b>(&'b self, shared: &'b Shared) -> Expected<'b> {
        Expected {
            plan: &self.plan,
            requests: &shared.requests,
            senders: &self.start.senders,
            promised: shared.ledger.borrow().promised(),
            nonces: &self.start.nonces,
            balances: &self.start.balances,
        }
    }

    fn report(
        self,
        shared: &Shared,
        facts: &Facts,
        verification: Verification,
        ended: Ended,
        cost: (Usages, Usages, f64),
    ) -> BenchReport {
        let ledger = shared.ledger.borrow();
        let counts = ledger.counts();
        let blocks = blocks_report(&ledger.blocks, counts.blocks_taken_back);
        let gas: u64 = facts
            .receipts
            .iter()
            .flatten()
            .map(|receipt| receipt.gas_used.to::<u64>())
            .sum();
        let (before, after, seconds) = cost;
        let spent =
            |from: Option<Usage>, to: Option<Usage>| Some(Cost::between(from?, to?, seconds, counts.mined));
        BenchReport {
            servers: self.options.servers.iter().map(ToString::to_string).collect(),
            client: self.client,
            started: self.started,
            conditions: self.conditions,
            preparation: self.preparation,
            seconds: blocks.last_seconds,
            sent: counts.started,
            attempts: counts.attempts,
            accepted: counts.accepted,
            accepted_per_second: ratio(counts.accepted as f64, counts.last_accepted_ns as f64 / 1e9),
            mined: counts.mined,
            mined_per_second: ratio(counts.mined as f64, blocks.last_seconds),
            gas,
            gas_per_second: ratio(gas as f64, blocks.last_seconds),
            given_up: counts.given_up,
            resent: counts.resent,
            refusals: ledger.refusals.list(),
            failures: ledger.failures.list(),
            acceptance: Waits::of(&ledger.acceptance),
            inclusion: Waits::of(&ledger.inclusion()),
            blocks,
            verification,
            generator: spent(before.0, after.0),
            server: spent(before.1, after.1),
            interrupted: ended.interrupted,
            timed_out: ended.timed_out,
        }
    }
}

/// A server that is just starting again is waited for; the caller bounds it.
async fn patiently(
    rpc: &mut Rpc,
    questions: &Questions<'_>,
    told: &mut dyn FnMut(u64, u64),
) -> Result<Facts, RpcError> {
    let mut left = 20;
    loop {
        match collect(rpc, questions, told).await {
            Err(RpcError::Transport(_)) if left > 0 => left -= 1,
            answer => return answer,
        }
        sleep(AGAIN_AFTER).await;
    }
}

fn unasked(cause: String) -> Problem {
    Problem {
        what: "the verification was not answered",
        count: 1,
        examples: vec![cause],
    }
}

async fn head(rpc: &mut Rpc) -> Result<BlockFacts, BenchError> {
    rpc.call("eth_getBlockByNumber", &json!(["latest", false]))
        .await
        .map_err(|cause| BenchError::server("asking for the chain's head", cause))
}

/// What the server calls itself; empty where it does not say.
async fn client(rpc: &mut Rpc) -> String {
    let answer = rpc.call("web3_clientVersion", &json!([])).await;
    answer.unwrap_or_default()
}

/// Before London there is none.
fn base_fee(head: &BlockFacts) -> u128 {
    head.base_fee_per_gas.map_or(0, |fee| fee.to())
}

/// Whatever waits in the pool would take the nonces of this run.
async fn idle(rpc: &mut Rpc, senders: &[Address]) -> Result<(), BenchError> {
    let asked = |cause| BenchError::server("asking for the senders' transactions", cause);
    let settled = accounts::nonces(rpc, senders, "latest").await.map_err(asked)?;
    let waiting = accounts::nonces(rpc, senders, "pending").await.map_err(asked)?;
    let busy = settled.iter().zip(&waiting).position(|(one, other)| one != other);
    match busy {
        Some(at) => Err(BenchError::Busy { account: senders[at] }),
        None => Ok(()),
    }
}

fn conditions(options: &BenchOptions, plan: &Plan, base: &BlockFacts) -> Conditions {
    Conditions {
        mix: options.mix.clone(),
        load: match options.load {
            Load::Closed { in_flight } => format!("closed:{in_flight}"),
            Load::Open { per_second } => format!("open:{per_second}"),
        },
        transactions: options.transactions,
        senders: options.senders,
        connections: options.connections,
        batch: options.batch,
        envelope: options.envelope,
        seed: options.seed,
        fee_max_wei: plan.fee_max,
        tip_wei: plan.tip,
        chain_id: plan.chain_id,
        gas_limit: base.gas_limit.to(),
        base_fee_wei: base_fee(base),
        first_block: base.number.to::<u64>() + 1,
        announced: options.websocket.is_some(),
        poll_ms: options.poll().as_secs_f64() * 1e3,
    }
}

fn threads() -> u32 {
    thread::available_parallelism().map_or(1, |count| count.get() as u32)
}

/// The senders' keys, on all cores.
fn derive(options: &BenchOptions) -> Vec<Key> {
    let stretch = options.senders.div_ceil(threads());
    let starts = (0..options.senders).step_by(stretch as usize);
    thread::scope(|scope| {
        let workers: Vec<_> = starts
            .map(|start| {
                let end = options.senders.min(start + stretch);
                scope.spawn(move || -> Vec<Key> {
                    (start..end)
                        .map(|index| Key::derived(options.seed, index))
                        .collect()
                })
            })
            .collect();
        let join = |worker: thread::ScopedJoinHandle<'_, Vec<Key>>| {
            worker
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        workers.into_iter().flat_map(join).collect()
    })
}
