//! What loads the running node, and what its clients wait for: the guide's four troubles with their likely cause.
//!
//! ```text
//!   high CPU          which work there is most of        (metrics)
//!   high memory       which part holds most              (status)
//!   high latency      which stage takes longest          (boot records)
//!   low throughput    what limits most transfers         (boot records)
//! ```

use super::Finding;
use crate::client::{Ask, Client};
use crate::numbers::{labelled, quantile, total};
use serde_json::Value;
use std::time::{SystemTime, UNIX_EPOCH};

/// Shares of the machine above which the guide speaks of trouble.
const CPU_HIGH: f64 = 0.7;
const MEMORY_HIGH: f64 = 0.8;
/// Seconds until the first block, 99th percentile.
const LATENCY_HIGH: f64 = 0.010;
/// Milliseconds of a transfer, below which nobody complains.
const SLOW_MS: f64 = 1000.0;

/// What is known of the machine.
#[derive(Debug, Clone, Copy)]
pub(super) struct Machine {
    pub(super) cores: f64,
    pub(super) memory: f64,
}

/// Asks the node; empty when it does not answer.
pub(super) async fn check(client: &mut Client, status: &Value, machine: Machine) -> Vec<Finding> {
    let page = client.answer(Ask::get("/metrics").accept("text/plain")).await;
    let records = client.value(Ask::get("/api/v1/tftp/records?limit=1000")).await;
    let (Ok(page), Ok(mut records)) = (page, records) else {
        return Vec::new();
    };
    let page = String::from_utf8_lossy(&page.body).into_owned();
    let records = match records["items"].take() {
        Value::Array(records) => records,
        _ => Vec::new(),
    };
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let uptime = since.as_secs_f64() - total(&page, "process_start_time_seconds");
    vec![
        cpu(&page, uptime, machine),
        memory(&page, status, machine),
        latency(&page, &records),
        throughput(&records),
    ]
}

fn cpu(page: &str, uptime: f64, machine: Machine) -> Finding {
    const CHECK: &str = "load/cpu";
    let share = total(page, "process_cpu_seconds_total") / (uptime.max(1.0) * machine.cores);
    let said = format!("{:.0}% of the processors since the start", share * 100.0);
    if share <= CPU_HIGH {
        return Finding::pass(CHECK, said);
    }
    let (cause, fix) = busiest(page);
    Finding::warn(CHECK, format!("{said}, most of it for {cause}"), fix)
}

/// What there is most of, and what helps.
fn busiest(page: &str) -> (String, &'static str) {
    let sum = |name: &str| total(page, name);
    let requests = sum("purlin_tftp_requests_total").max(1.0);
    let blocks = sum("purlin_tftp_blocks_total").max(1.0);
    let missing = labelled(page, "purlin_tftp_decisions_total", "reason=\"not_found\"") / requests;
    let again = sum("purlin_tftp_retransmitted_blocks_total") / blocks;
    let acknowledged = sum("purlin_tftp_datagrams_received_total") / blocks;
    if missing > 0.5 {
        return (
            format!(
                "requests for files that are not there ({:.0}% of all)",
                missing * 100.0
            ),
            "purlin tftp records --code PUR-2101 names files and clients",
        );
    }
    if again > 0.05 {
        return (
            format!("blocks that are sent again ({:.0}% of all)", again * 100.0),
            "look for loss on the path; lower windowsize in a class for clients whose network interface drops bursts",
        );
    }
    if acknowledged > 0.5 {
        return (
            "clients that take one block at a time".to_owned(),
            "use boot programs that ask for windowsize (RFC 7440), or HTTP boot",
        );
    }
    (
        format!("{:.0} requests for whole files", requests),
        "add a node, or let clients boot over HTTP",
    )
}

fn memory(page: &str, status: &Value, machine: Machine) -> Finding {
    const CHECK: &str = "load/memory";
    let resident = total(page, "process_resident_memory_bytes");
    let share = resident / machine.memory.max(1.0);
    let mib = |octets: f64| octets / f64::from(1 << 20);
    let said = format!(
        "{:.0} MiB resident, {:.0}% of the machine",
        mib(resident),
        share * 100.0
    );
    if share <= MEMORY_HIGH {
        return Finding::pass(CHECK, said);
    }
    let parts = [
        ("cache", "the cache", "lower tftp.cache.size_max"),
        ("transfers", "open transfers", "lower tftp.limits.total"),
        ("records_max", "boot records", "lower tftp.decisions"),
    ];
    let octets = |key: &str| status["memory"][key].as_f64().unwrap_or(0.0);
    let largest = parts.iter().max_by(|a, b| octets(a.0).total_cmp(&octets(b.0)));
    let (key, name, fix) = largest.copied().unwrap_or(parts[0]);
    Finding::warn(
        CHECK,
        format!("{said}; {name} hold most: {:.0} MiB", mib(octets(key))),
        fix,
    )
}

fn latency(page: &str, records: &[Value]) -> Finding {
    const CHECK: &str = "load/latency";
    let p99 = quantile(page, "purlin_tftp_first_block_latency_seconds", 0.99);
    let Some(p99) = p99 else {
        return Finding::pass(CHECK, "no transfers yet");
    };
    let said = format!("99 of 100 first blocks leave within {:.1} ms", p99 * 1e3);
    if p99 <= LATENCY_HIGH {
        return Finding::pass(CHECK, said);
    }
    let (cause, fix) = slowest_stage(records);
    Finding::warn(CHECK, format!("{said}; what takes longest is {cause}"), fix)
}

/// Which stage of the slowest tenth of transfers takes longest: until the file is open, until the first block, the wire.
fn slowest_stage(records: &[Value]) -> (&'static str, &'static str) {
    let time = |record: &Value, key: &str| record[key].as_f64().unwrap_or(0.0);
    let mut slow: Vec<&Value> = records
        .iter()
        .filter(|record| time(record, "took_ms") > 0.0)
        .collect();
    slow.sort_by(|a, b| time(b, "took_ms").total_cmp(&time(a, "took_ms")));
    slow.truncate((slow.len() / 10).max(1));
    let sum = |stage: &dyn Fn(&Value) -> f64| {
        slow.iter()
            .map(|record| stage(record))
            .fold(0.0, |sum, ms| sum + ms)
    };
    let disk = sum(&|record| time(record, "opened_ms"));
    let queue = sum(&|record| (time(record, "first_ms") - time(record, "opened_ms")).max(0.0));
    let wire = sum(&|record| (time(record, "took_ms") - time(record, "first_ms")).max(0.0));
    if disk >= queue && disk >= wire {
        return (
            "opening and reading files",
            "a faster disk, more tftp.io.threads, or a bigger cache",
        );
    }
    if queue >= wire {
        return (
            "waiting for a packet thread",
            "more cores, another node, or clients with larger windows",
        );
    }
    (
        "the network and the clients",
        "look at retransmissions in purlin tftp records -o wide, and at the path",
    )
}

fn throughput(records: &[Value]) -> Finding {
    const CHECK: &str = "load/rate";
    let slow = records
        .iter()
        .filter(|record| record["took_ms"].as_f64().is_some_and(|ms| ms > SLOW_MS));
    let limits: Vec<&str> = slow.filter_map(|record| record["limited_by"].as_str()).collect();
    let count = |word: &str| limits.iter().filter(|limit| **limit == word).count();
    let words = ["window", "loss", "disk", "path"];
    let most = words
        .iter()
        .max_by_key(|word| count(word))
        .filter(|word| count(word) > 0);
    let Some(most) = most else {
        return Finding::pass(CHECK, "no slow transfers on record");
    };
    let said = format!(
        "{} of {} slow transfers are limited by",
        count(most),
        limits.len()
    );
    let (cause, fix) = match *most {
        "window" => (
            "taking one block per round trip",
            "use boot programs that ask for windowsize and a larger blksize, or HTTP boot",
        ),
        "loss" => (
            "lost packets",
            "find the loss; a smaller windowsize in a class helps clients whose network interface drops bursts",
        ),
        "disk" => (
            "the disk",
            "a faster disk, more tftp.io.threads, or a bigger cache",
        ),
        _ => (
            "the path or the client",
            "compare with `purlin bench tftp` from the same network",
        ),
    };
    Finding::warn(CHECK, format!("{said} {cause}"), fix)
}

#[cfg(test)]
mod tests;
