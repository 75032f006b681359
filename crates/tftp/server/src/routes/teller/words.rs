//! The story in a sentence or two.

use super::Found;
use purlin_api::story::{Subject, Who};
use purlin_telemetry::Outcome;
use purlin_tftp_core::{BootRecord, Stray, Told, TransferView};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// What is said about a subject.
#[derive(Debug, Default)]
pub(super) struct Words {
    pub(super) seen: bool,
    pub(super) summary: String,
    pub(super) checks: Vec<String>,
}

/// `now` is in milliseconds since the Unix epoch.
pub(super) fn tell(subject: &Subject, who: &Who, found: &Found, now: u64) -> Words {
    let by_file = matches!(subject, Subject::Name(_)) && who.addresses.is_empty();
    // A machine's story is about its requests; what belongs to none is told where there is nothing else.
    let request = found.records.iter().rfind(|told| told.record.stray.is_none());
    let last = request.or(found.records.last());
    let mut said = Vec::new();
    if by_file && !found.records.is_empty() {
        said.push(crowd(subject, found));
    }
    said.extend(found.open.last().map(under_way));
    said.extend(last.map(|told| ended(told, now)));
    if said.is_empty() {
        return silence(subject, who);
    }
    let mut checks = Vec::new();
    checks.extend(
        last.filter(|told| !told.fix.is_empty())
            .map(|told| told.fix.to_owned()),
    );
    Words {
        seen: true,
        summary: said.join(" "),
        checks,
    }
}

/// How many machines asked for a file.
fn crowd(subject: &Subject, found: &Found) -> String {
    let machines: BTreeSet<IpAddr> = found.records.iter().map(|told| told.record.client).collect();
    let times = found.records.len();
    format!(
        "{} was asked for {times} {} by {} {}; the last was this:",
        subject.text(),
        if times == 1 { "time" } else { "times" },
        machines.len(),
        if machines.len() == 1 {
            "machine"
        } else {
            "machines"
        },
    )
}

fn under_way(view: &TransferView) -> String {
    let verb = if view.write { "is sending" } else { "is taking" };
    let client = view.client.ip().to_canonical();
    let so_far = octets(view.octets);
    match view.size {
        0 => format!("{client} {verb} {} now ({so_far} so far).", view.name),
        size => format!(
            "{client} {verb} {} now ({so_far} of {}).",
            view.name,
            octets(size)
        ),
    }
}

/// `10.0.0.5 took boot.ipxe (3.0 MB) in 41 ms, 12 s ago.`
fn ended(told: &Told, now: u64) -> String {
    let record = &told.record;
    let ago = span(now.saturating_sub(record.at.0));
    let name = name(record);
    let client = record.client;
    let how = if record.http.is_some() { " over HTTP" } else { "" };
    let whole = record.outcome == Outcome::Answered && record.octets > 0;
    if whole {
        let verb = if record.write { "stored" } else { "took" };
        let size = octets(record.octets);
        let size = if record.octets < record.size {
            format!("{size} of {}", octets(record.size))
        } else {
            size
        };
        return format!(
            "{client} {verb} {name} ({size}){how} in {}, {ago} ago.",
            span(record.took_us / 1000)
        );
    }
    if let Some(packet) = record.stray {
        let what = match packet {
            Stray::Data => "a DATA packet",
            Stray::Ack => "an ACK",
            Stray::Error => "an ERROR",
            Stray::OptionAck => "an OACK",
            Stray::Noise => "something else",
            Stray::Handshake => "a TLS handshake",
        };
        return format!("{client} sent {what}, {ago} ago: {}.", told.text);
    }
    let verb = if record.write {
        "wanted to write"
    } else {
        "asked for"
    };
    format!("{client} {verb} {name}{how}, {ago} ago: {}.", told.text)
}

fn name(record: &BootRecord) -> String {
    let name = record.name();
    if name.is_empty() {
        "a file without a name".to_owned()
    } else {
        name
    }
}

fn silence(subject: &Subject, who: &Who) -> Words {
    let summary = match subject {
        Subject::Name(name) if who.addresses.is_empty() => format!("No boot file {name} was asked for."),
        _ => "It asked for no boot file.".to_owned(),
    };
    let checks = [
        "does its DHCP answer name a boot file and this server? `purlin boot profile list`",
        "do its packets arrive? `purlin events --follow --topics boot` shows every request; firewalls must let UDP port 69 pass",
    ];
    Words {
        seen: false,
        summary,
        checks: checks.map(str::to_owned).to_vec(),
    }
}

/// Octets in decimal units, as disks and networks are counted.
fn octets(count: u64) -> String {
    match count {
        count if count >= 1_000_000_000 => format!("{:.1} GB", count as f64 / 1e9),
        count if count >= 1_000_000 => format!("{:.1} MB", count as f64 / 1e6),
        count if count >= 1000 => format!("{:.1} kB", count as f64 / 1e3),
        count => format!("{count} octets"),
    }
}

/// Milliseconds in the unit that people would use.
fn span(millis: u64) -> String {
    let (secs, minute, hour) = (millis / 1000, 60, 3600);
    match secs {
        0 => format!("{millis} ms"),
        1..100 => format!("{secs} s"),
        100..7200 => format!("{} min", secs / minute),
        _ => format!("{} h", secs / hour),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use purlin_telemetry::ReasonCode;
    use purlin_types::WallTime;

    const CLIENT: &str = "10.0.0.5";

    fn told(reason: u16, outcome: Outcome, octets: u64) -> Told {
        let mut record = BootRecord::new(WallTime(60_000), CLIENT.parse().unwrap(), 2000, b"boot.ipxe");
        record.reason = ReasonCode(reason);
        record.outcome = outcome;
        record.octets = octets;
        record.took_us = 41_000;
        Told::of(record)
    }

    fn say(records: Vec<Told>, subject: &str) -> Words {
        let subject = Subject::parse(subject);
        let mut who = Who::default();
        if let Subject::Address(address) = &subject {
            who.addresses.insert(*address);
        }
        let found = Found {
            records,
            open: Vec::new(),
        };
        tell(&subject, &who, &found, 72_000)
    }

    #[test]
    fn a_whole_file_is_one_sentence() {
        let words = say(vec![told(2001, Outcome::Answered, 3_000_000)], CLIENT);
        assert_eq!(
            words.summary,
            "10.0.0.5 took boot.ipxe (3.0 MB) in 41 ms, 12 s ago."
        );
        assert!(words.seen && words.checks.is_empty());
    }

    #[test]
    fn a_refusal_says_why_and_what_helps() {
        let words = say(vec![told(2101, Outcome::Refused, 0)], CLIENT);
        assert_eq!(
            words.summary,
            "10.0.0.5 asked for boot.ipxe, 12 s ago: there is no such file."
        );
        assert_eq!(words.checks.len(), 1);
    }

    #[test]
    fn a_strange_packet_is_told_where_no_request_is() {
        let mut stray = told(2302, Outcome::Refused, 0);
        stray.record.stray = Some(Stray::Ack);
        let alone = say(vec![stray.clone()], CLIENT);
        assert_eq!(
            alone.summary,
            "10.0.0.5 sent an ACK, 12 s ago: the packet belongs to no transfer here."
        );
        let beside = say(vec![told(2001, Outcome::Answered, 3_000_000), stray], CLIENT);
        assert!(beside.summary.contains("took boot.ipxe"), "{}", beside.summary);
    }

    #[test]
    fn a_file_has_a_story_too() {
        let words = say(vec![told(2101, Outcome::Refused, 0); 3], "boot.ipxe");
        assert!(
            words
                .summary
                .starts_with("boot.ipxe was asked for 3 times by 1 machine; the last was this: 10.0.0.5"),
            "{}",
            words.summary
        );
    }

    #[test]
    fn silence_comes_with_what_to_check() {
        let words = say(Vec::new(), CLIENT);
        assert!(!words.seen);
        assert_eq!(words.checks.len(), 2);
    }

    #[test]
    fn spans_and_sizes_are_in_the_unit_people_would_use() {
        assert_eq!(
            [span(5), span(12_000), span(300_000), span(7_200_000)],
            ["5 ms", "12 s", "5 min", "2 h"]
        );
        assert_eq!(
            [octets(512), octets(1500), octets(3_000_000)],
            ["512 octets", "1.5 kB", "3.0 MB"]
        );
    }
}
