//! Calls per second and round trips of the port against a real server:
//! `REDIS_URL=redis://127.0.0.1:6379 cargo run --release -p purlin-fabric-redis --example rates`.
//!
//! The deployment guides' variables are all read: `REDIS_POOL_SIZE` changes the number of connections.

use purlin_fabric::port::{Heartbeat, HintFault, Hints, SessionRow, Token};
use purlin_fabric_redis::{RedisHints, Settings, State};
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(60);
/// How long each line of the table is measured.
const SPAN: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Copy)]
enum Kind {
    Beat,
    Session,
    Lock,
    Keep,
    Recall,
    Publish,
}

const KINDS: [Kind; 6] = [
    Kind::Beat,
    Kind::Session,
    Kind::Lock,
    Kind::Keep,
    Kind::Recall,
    Kind::Publish,
];

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let settings = Settings::from_variables(&|key| std::env::var(key).ok());
    let settings = settings.map_err(|faults| faults[0].to_string())?;
    let settings = settings.ok_or("REDIS_URL says where Redis is")?;
    println!("connections: {}", settings.connections);
    let hints = RedisHints::connect(settings).map_err(|faults| faults[0].to_string())?;
    hints.state().wait_for(|state| *state == State::Ready).await?;
    println!("call      tasks    calls/s     p50 us     p99 us");
    for kind in KINDS {
        for tasks in [1, 16, 64] {
            let (rate, p50, p99) = measure(&hints, kind, tasks).await;
            println!(
                "{:<8} {tasks:>6} {rate:>10.0} {p50:>10.0} {p99:>10.0}",
                format!("{kind:?}")
            );
        }
    }
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load average: {}", load.trim());
    Ok(())
}

/// Calls per second, and the median and 99th percentile of a call in microseconds.
async fn measure(hints: &RedisHints, kind: Kind, tasks: u32) -> (f64, f64, f64) {
    let start = Instant::now();
    let workers: Vec<_> = (0..tasks)
        .map(|task| tokio::spawn(work(hints.clone(), kind, task)))
        .collect();
    let mut times = Vec::new();
    for worker in workers {
        times.extend(worker.await.expect("no panic"));
    }
    let seconds = start.elapsed().as_secs_f64();
    times.sort_unstable();
    let at = |part: usize| times[(times.len() - 1) * part / 100].as_secs_f64() * 1e6;
    let calls = u32::try_from(times.len()).unwrap_or(u32::MAX);
    (f64::from(calls) / seconds, at(50), at(99))
}

async fn work(hints: RedisHints, kind: Kind, task: u32) -> Vec<Duration> {
    let until = Instant::now() + SPAN;
    let mut times = Vec::new();
    while Instant::now() < until {
        let call = Instant::now();
        once(&hints, kind, task).await.expect("the server answers");
        times.push(call.elapsed());
    }
    times
}

async fn once(hints: &RedisHints, kind: Kind, task: u32) -> Result<(), HintFault> {
    let name = format!("rates-{task}");
    match kind {
        Kind::Beat => {
            let beat = Heartbeat {
                node: name,
                incarnation: 1,
                body: r#"{"load":0.5,"sessions":1000}"#.into(),
            };
            hints.beat(&beat, LONG).await
        }
        Kind::Session => {
            let session = SessionRow {
                id: name,
                node: "a".into(),
                user: "u".into(),
                generation: 1,
                cursor: 1,
                ttl: 0,
            };
            hints.put_session(&session, LONG).await
        }
        Kind::Lock => {
            let taken = hints.lock(&name, Token(u128::from(task)), LONG).await;
            taken.map(|_| ())
        }
        Kind::Keep => hints.keep(&name, &[7; 200], LONG).await,
        Kind::Recall => hints.recall(&name).await.map(|_| ()),
        Kind::Publish => hints.publish(&name, &[7; 200]).await,
    }
}
