//! The performance guide's tuning checklist: the same eleven boxes, ticked by what the configuration and the node say.

use super::{Finding, kernel};
use purlin_config::sections::balancer::{FrontService, FrontSettings};
use purlin_tftp_core::settings::{Affinity, Settings, Threads};
use serde_json::Value;

/// What the boxes are ticked by.
#[derive(Debug)]
pub(super) struct Known<'a> {
    pub(super) settings: &'a Settings,
    /// The fronts of this process.
    pub(super) fronts: &'a [FrontSettings],
    /// `load_balancing.algorithm`, for fronts that do not say it themselves.
    pub(super) algorithm: Option<&'a str>,
    /// The running node's own word; `Null` when none runs.
    pub(super) status: &'a Value,
    /// Whether metrics have a listener.
    pub(super) metrics: bool,
    pub(super) cores: u64,
    pub(super) open_files: u64,
}

/// Storms of 10,000 machines are ordinary.
const TRANSFERS: u32 = 10_000;
const FILES: u64 = 65_536;

/// What a part of the service needs to have anything to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    /// A UDP listener.
    Packets,
    /// A listener of either kind.
    Files,
}

pub(super) fn checklist(known: &Known<'_>) -> Vec<Finding> {
    let of = |needs, name, check: fn(&Known<'_>) -> Finding| match idle(known.settings, needs) {
        Some(why) => Finding::pass(name, why),
        None => check(known),
    };
    vec![
        of(Needs::Packets, "tune/cpu", cpu),
        of(Needs::Files, "tune/memory", memory),
        of(Needs::Packets, "tune/network", network),
        of(Needs::Files, "tune/caching", caching),
        balancing(known),
        of(Needs::Packets, "tune/pooling", pooling),
        of(Needs::Files, "tune/io", disks),
        compression(known),
        limits(known),
        parameters(kernel::short()),
        monitoring(known),
    ]
}

/// Why nothing is asked of this part of the service.
fn idle(settings: &Settings, needs: Needs) -> Option<&'static str> {
    let http = !settings.http.listen.is_empty() || !settings.http.https.is_empty();
    let packets = !settings.listen.is_empty();
    match needs {
        _ if !settings.enabled => Some("does not apply: boot files are not served (tftp.listen)"),
        Needs::Packets if !packets => Some("does not apply: TFTP has no listener"),
        Needs::Files if !packets && !http => {
            Some("does not apply: neither TFTP nor HTTP boot has a listener")
        }
        _ => None,
    }
}

fn cpu(known: &Known<'_>) -> Finding {
    const BOX: &str = "tune/cpu";
    let cores = u16::try_from(known.cores).unwrap_or(u16::MAX);
    let threads = u64::from(known.settings.threads.on(cores));
    let usual = u64::from(Threads::default().on(cores));
    let pinned = match known.settings.affinity {
        Affinity::Off => "run where the kernel likes",
        Affinity::Auto => "have a core each",
        Affinity::Cores(_) => "run on the cores named",
    };
    let said = format!("{threads} packet threads on {} cores {pinned}", known.cores);
    if threads < usual {
        return Finding::warn(BOX, said, "leave tftp.threads out: one for two cores");
    }
    if threads > known.cores {
        return Finding::warn(
            BOX,
            said,
            "more threads than cores only get in each other's way; lower tftp.threads",
        );
    }
    Finding::pass(BOX, said)
}

fn memory(known: &Known<'_>) -> Finding {
    const BOX: &str = "tune/memory";
    let (held, most) = (
        &known.status["cache"]["octets"],
        &known.status["cache"]["octets_max"],
    );
    match (held.as_u64(), most.as_u64(), known.settings.cache.size_max) {
        (Some(held), Some(most), _) if held * 10 > most * 9 => Finding::warn(
            BOX,
            format!("the cache is full: {} of {} MiB", held >> 20, most >> 20),
            "raise tftp.cache.size_max when files are read again and again (purlin tftp status: evictions)",
        ),
        (Some(held), Some(most), _) => Finding::pass(
            BOX,
            format!("the cache holds {} of {} MiB", held >> 20, most >> 20),
        ),
        (_, _, Some(most)) => Finding::pass(BOX, format!("the cache may hold {} MiB", most.0 >> 20)),
        (_, _, None) => Finding::pass(BOX, "the cache may hold a quarter of this machine's memory"),
    }
}

fn network(known: &Known<'_>) -> Finding {
    const BOX: &str = "tune/network";
    let given = |buffer: &str| {
        let buffer = &known.status[buffer];
        Some((buffer["asked"].as_u64()?, buffer["granted"].as_u64()?))
    };
    let pairs = [
        ("receive_buffer", "net.core.rmem_max"),
        ("send_buffer", "net.core.wmem_max"),
    ];
    for (buffer, parameter) in pairs {
        if let Some((asked, granted)) = given(buffer).filter(|(asked, granted)| granted < asked) {
            let said = format!(
                "tftp.{buffer} asks for {} KiB and the kernel gave {} KiB",
                asked >> 10,
                granted >> 10
            );
            let fix = format!("sysctl -w {parameter}={asked}, or give the process CAP_NET_ADMIN");
            return Finding::warn(BOX, said, fix);
        }
    }
    if known.status.is_null() {
        let wanted = known.settings.receive_buffer >> 10;
        return Finding::pass(
            BOX,
            format!("{wanted} KiB of receive buffer are asked for; a running node tells what it got"),
        );
    }
    Finding::pass(BOX, "the kernel gave the socket buffers that were asked for")
}

fn caching(known: &Known<'_>) -> Finding {
    const BOX: &str = "tune/caching";
    let cache = &known.settings.cache;
    if !cache.enabled {
        return Finding::warn(
            BOX,
            "the cache is off: every transfer reads the disk",
            "tftp.cache.enabled = true",
        );
    }
    Finding::pass(
        BOX,
        format!(
            "on; names are believed for {:?} unless a change is noticed",
            cache.ttl
        ),
    )
}

fn balancing(known: &Known<'_>) -> Finding {
    const BOX: &str = "tune/balance";
    let told = |front: &FrontSettings| format!("{} by {}", front.name, front.algorithm);
    let fronts: Vec<String> = known.fronts.iter().map(told).collect();
    let tftp = known
        .fronts
        .iter()
        .any(|front| front.service == FrontService::Tftp);
    match known.algorithm {
        Some(algorithm) if !tftp => Finding::warn(
            BOX,
            format!("load_balancing.algorithm = {algorithm:?} has no effect: no front here serves TFTP"),
            "a front with service = \"tftp\" in [[balancer.fronts]], or the key where `purlin lb` runs",
        ),
        _ if !fronts.is_empty() => {
            Finding::pass(BOX, format!("fronts here spread clients: {}", fronts.join(", ")))
        }
        _ => Finding::pass(
            BOX,
            "no fronts here; between nodes: `purlin lb`, several servers in DHCP, or one address by ECMP. Inside, the \
             kernel spreads clients over packet threads",
        ),
    }
}

fn pooling(known: &Known<'_>) -> Finding {
    const BOX: &str = "tune/pooling";
    let limits = known.settings.limits;
    let said = format!("memory for {} transfers is taken at the start", limits.prepared);
    match limits.prepared {
        0 => Finding::pass(
            BOX,
            "memory for transfers is taken when they come, less than 1 KiB each",
        ),
        count if limits.total != 0 && count > limits.total => Finding::warn(
            BOX,
            said,
            "tftp.limits.prepared above tftp.limits.total is wasted",
        ),
        _ => Finding::pass(BOX, said),
    }
}

fn disks(known: &Known<'_>) -> Finding {
    const BOX: &str = "tune/io";
    let io = known.settings.io;
    if !io.asynchronous {
        return Finding::warn(
            BOX,
            "packet threads wait for the disk themselves",
            "tftp.io.asynchronous = true",
        );
    }
    let said = format!(
        "{} threads read files, {} KiB ahead",
        io.threads,
        io.read_ahead.0 >> 10
    );
    match known.status["cache"]["refused_busy"].as_u64() {
        Some(refused @ 1..) => Finding::warn(
            BOX,
            format!("{said}; {refused} requests were refused because too much waited"),
            "raise tftp.io.threads or tftp.cache.size_max, or use a faster disk",
        ),
        _ => Finding::pass(BOX, with_note(&said, known, "io_uring")),
    }
}

/// Adds what the node says about a wish that it fulfils in another way.
fn with_note(said: &str, known: &Known<'_>, about: &str) -> String {
    let notes = known.status["notes"].as_array().into_iter().flatten();
    let note = notes
        .filter_map(Value::as_str)
        .find(|note| note.starts_with(about));
    note.map_or(said.to_owned(), |note| format!("{said}; {note}"))
}

fn compression(known: &Known<'_>) -> Finding {
    const BOX: &str = "tune/gzip";
    let http = &known.settings.http;
    let listens = !http.listen.is_empty() || !http.https.is_empty();
    match (listens, http.compression.enabled) {
        (false, _) => Finding::pass(
            BOX,
            "does not apply: TFTP sends files as they are, and HTTP boot has no listener",
        ),
        (true, true) => Finding::pass(
            BOX,
            format!("HTTP clients that ask get gzip, level {}", http.compression.level),
        ),
        (true, false) => Finding::warn(
            BOX,
            "HTTP clients get files as they are",
            "tftp.http.compression.enabled = true",
        ),
    }
}

fn limits(known: &Known<'_>) -> Finding {
    const BOX: &str = "tune/limits";
    let total = known.settings.limits.total;
    let serves = idle(known.settings, Needs::Packets).is_none();
    if serves && total != 0 && total < TRANSFERS {
        return Finding::warn(
            BOX,
            format!("only {total} transfers may be open at once"),
            format!("tftp.limits.total = {TRANSFERS} or more"),
        );
    }
    if known.open_files < FILES {
        return Finding::warn(
            BOX,
            format!(
                "{} files may be open; a busy node wants {FILES}",
                known.open_files
            ),
            "ulimit -n 65536, or LimitNOFILE=65536 in the unit",
        );
    }
    if !serves {
        return Finding::pass(BOX, format!("{} files may be open", known.open_files));
    }
    let total = if total == 0 {
        "any number of".to_owned()
    } else {
        total.to_string()
    };
    Finding::pass(
        BOX,
        format!("{total} transfers and {} files may be open", known.open_files),
    )
}

fn parameters(short: usize) -> Finding {
    const BOX: &str = "tune/kernel";
    if short == 0 {
        return Finding::pass(
            BOX,
            "kernel parameters are as deploy/sysctl/90-purlin.conf has them",
        );
    }
    Finding::warn(
        BOX,
        format!("{short} kernel parameters are less than deploy/sysctl/90-purlin.conf has"),
        "copy it to /etc/sysctl.d and run `sysctl --system`",
    )
}

fn monitoring(known: &Known<'_>) -> Finding {
    const BOX: &str = "tune/monitor";
    if known.metrics {
        return Finding::pass(BOX, "metrics have a listener of their own (api.metrics)");
    }
    Finding::warn(
        BOX,
        "nobody can scrape metrics without a token",
        "api.metrics = [\"127.0.0.1:9090\"]",
    )
}

#[cfg(test)]
mod tests;
