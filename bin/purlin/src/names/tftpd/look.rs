//! What it does: metrics, the main numbers, open transfers, how it stands.

use super::background::{not_running, running};
use crate::cli::{Context, paging};
use crate::client::{Ask, Client};
use crate::exit::{Exit, Failure, Outcome};
use crate::numbers::{labelled, quantile, samples, total};
use crate::output::{self, Column, Form, Kind, Show};
use serde_json::Value;
use std::time::{SystemTime, UNIX_EPOCH};

const FIRST: &str = "purlin_tftp_first_block_latency_seconds";
const WHOLE: &str = "purlin_tftp_transfer_latency_seconds";

/// The node of the data directory, or the one that `--server` names: never whoever else answers at the usual port.
fn client(context: &Context) -> Result<Client, Failure> {
    if !context.names_a_server() && running(context).is_none() {
        return Err(not_running(context));
    }
    context.client()
}

/// The node's page of metrics.
async fn page(context: &Context) -> Result<String, Failure> {
    let answer = client(context)?
        .answer(Ask::get("/metrics").accept("text/plain"))
        .await?;
    Ok(String::from_utf8_lossy(&answer.body).into_owned())
}

/// One metric a line, without comments: made for `grep`.
pub(super) async fn metrics(context: &Context) -> Outcome {
    let page = page(context).await?;
    for (name, value) in digest(&page) {
        say!("{name} {value}");
    }
    for sample in samples(&page) {
        match sample.labels {
            "" => say!("{} {}", sample.name, sample.value),
            labels => say!("{}{{{labels}}} {}", sample.name, sample.value),
        }
    }
    Ok(Exit::Ok)
}

/// What is asked for first, under plain names.
fn digest(page: &str) -> Vec<(&'static str, f64)> {
    let started = total(page, "process_start_time_seconds");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let uptime = now.as_secs_f64() - started;
    let sent =
        total(page, "purlin_tftp_throughput_octets_total") + total(page, "purlin_boot_http_octets_total");
    let mut lines = vec![
        ("connections", total(page, "purlin_tftp_connections")),
        ("throughput_octets_total", sent),
    ];
    if started > 0.0 && uptime > 0.0 {
        lines.push(("throughput_octets_per_second_average", sent / uptime));
    }
    for (name, metric, share) in [
        ("latency_first_block_p50_seconds", FIRST, 0.5),
        ("latency_first_block_p99_seconds", FIRST, 0.99),
        ("latency_transfer_p50_seconds", WHOLE, 0.5),
        ("latency_transfer_p99_seconds", WHOLE, 0.99),
    ] {
        // Nothing served yet took no time.
        lines.push((name, quantile(page, metric, share).unwrap_or(0.0)));
    }
    lines
}

/// The main numbers in words.
pub(super) async fn stats(context: &Context) -> Outcome {
    let page = page(context).await?;
    let sum = |name: &str| total(&page, name);
    let ended = |reason: &str| {
        labelled(
            &page,
            "purlin_tftp_decisions_total",
            &format!("reason=\"{reason}\""),
        )
    };
    let rows = [
        ("open transfers", sum("purlin_tftp_connections")),
        ("requests", sum("purlin_tftp_requests_total")),
        ("files sent", ended("file_sent")),
        ("files stored", ended("file_stored")),
        ("not found", ended("not_found")),
        ("octets sent", sum("purlin_tftp_throughput_octets_total")),
        ("octets received", sum("purlin_tftp_upload_octets_total")),
        ("blocks sent", sum("purlin_tftp_blocks_total")),
        ("blocks sent again", sum("purlin_tftp_retransmitted_blocks_total")),
        ("octets over HTTP", sum("purlin_boot_http_octets_total")),
        ("octets in the cache", sum("purlin_boot_cache_octets")),
        ("octets read from disk", sum("purlin_boot_disk_read_octets_total")),
        ("resident memory", sum("process_resident_memory_bytes")),
        ("seconds of CPU", sum("process_cpu_seconds_total")),
    ];
    if context.form() != Form::Table {
        let object = rows
            .iter()
            .map(|(name, value)| (name.replace(' ', "_"), Value::from(*value)));
        output::document(context.form(), &Value::Object(object.collect()))?;
        return Ok(Exit::Ok);
    }
    for (name, value) in rows {
        say!("{name:<24} {value}");
    }
    Ok(Exit::Ok)
}

const CONNECTIONS: Kind = Kind {
    plural: "open transfers",
    name: "client",
    columns: &[
        Column::new("CLIENT", "client", Show::Text),
        Column::new("FILE", "file", Show::Text),
        Column::new("STAGE", "stage", Show::Text),
        Column::new("OCTETS", "octets", Show::Number),
        Column::new("SIZE", "size", Show::Number),
        Column::wide("BLKSIZE", "blksize", Show::Number),
        Column::wide("WINDOW", "windowsize", Show::Number),
    ],
};

pub(super) async fn connections(context: &Context) -> Outcome {
    let rows = paging::all(&mut client(context)?, "/api/v1/tftp/transfers").await?;
    output::list(&context.view(), CONNECTIONS, &rows)?;
    Ok(Exit::Ok)
}

/// How it stands; exit code 3 when it does not run, as service managers expect.
pub(super) async fn status(context: &Context) -> Outcome {
    let node = running(context).ok_or_else(|| not_running(context))?;
    let status = context.client()?.value(Ask::get("/api/v1/tftp/status")).await?;
    if context.form() != Form::Table {
        output::document(context.form(), &status)?;
        return Ok(Exit::Ok);
    }
    let listen = status["listen"].as_array().map(Vec::as_slice).unwrap_or_default();
    let listen: Vec<&str> = listen.iter().filter_map(Value::as_str).collect();
    say!(
        "running as process {}, TFTP on {}, {} open transfers, {} threads",
        node.pid,
        listen.join(", "),
        status["transfers"],
        status["threads"],
    );
    Ok(Exit::Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_has_what_the_guide_greps_for_even_before_any_request() {
        let names: Vec<&str> = digest("").iter().map(|(name, _)| *name).collect();
        for word in ["throughput", "latency", "connections"] {
            assert!(names.iter().any(|name| name.contains(word)), "{word}: {names:?}");
        }
    }
}
