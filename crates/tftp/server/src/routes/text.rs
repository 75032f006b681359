//! Records and transfers as JSON says them.

use purlin_api::clock::rfc3339_millis;
use purlin_telemetry::Outcome;
use purlin_tftp_core::{BootRecord, HttpMethod, Stray, Told, TransferView};
use serde_json::{Value, json};
use std::net::SocketAddr;

/// A record as the API shows it.
pub(super) fn record(told: &Told) -> Value {
    let record = &told.record;
    json!({
        "at": rfc3339_millis(record.at.0),
        "asked": rfc3339_millis(record.at.0.saturating_sub(record.took_us / 1000)),
        "seq": record.seq,
        "client": record.client,
        "port": record.port,
        "event": event(record),
        "answer": answer(record),
        "outcome": record.outcome.as_str(),
        "code": record.reason.to_string(),
        "slug": told.slug,
        "text": told.text,
        "fix": told.fix,
        "file": record.name(),
        "mode": mode(record.netascii),
        "octets": record.octets,
        "size": (record.size > 0).then_some(record.size),
        "opened_ms": millis(u64::from(record.opened_us)),
        "first_ms": millis(u64::from(record.first_us)),
        "took_ms": millis(record.took_us),
        "retransmissions": record.again,
        "blksize": record.http.is_none().then_some(record.blksize),
        "windowsize": record.http.is_none().then_some(record.windowsize),
        "limited_by": limit(record),
    })
}

fn event(record: &BootRecord) -> &'static str {
    match (record.http, record.stray, record.write) {
        (Some(method), ..) => http_event(method),
        (None, Some(packet), _) => stray_event(packet),
        (None, None, true) => "WRQ",
        (None, None, false) => "RRQ",
    }
}

fn stray_event(packet: Stray) -> &'static str {
    match packet {
        Stray::Data => "DATA",
        Stray::Ack => "ACK",
        Stray::Error => "ERROR",
        Stray::OptionAck => "OACK",
        Stray::Noise => "-",
        Stray::Handshake => "TLS",
    }
}

fn http_event(method: HttpMethod) -> &'static str {
    match method {
        HttpMethod::Get => "HTTP GET",
        HttpMethod::Head => "HTTP HEAD",
        HttpMethod::Post => "HTTP POST",
        HttpMethod::Put => "HTTP PUT",
        HttpMethod::Delete => "HTTP DELETE",
        HttpMethod::Options => "HTTP OPTIONS",
        HttpMethod::Patch => "HTTP PATCH",
        HttpMethod::Other => "HTTP",
    }
}

/// What went out.
fn answer(record: &BootRecord) -> String {
    if record.http.is_some() {
        return record.a.to_string();
    }
    let word = match record.outcome {
        Outcome::Refused if record.stray == Some(Stray::Handshake) => "alert",
        Outcome::Refused => "ERROR",
        Outcome::Silent | Outcome::Dropped => "-",
        Outcome::Answered | Outcome::Noted if record.write => "ACK",
        Outcome::Answered | Outcome::Noted if record.octets > 0 || record.first_us > 0 => "DATA",
        Outcome::Answered | Outcome::Noted => "OACK",
    };
    word.to_owned()
}

fn mode(netascii: bool) -> &'static str {
    if netascii { "netascii" } else { "octet" }
}

/// Microseconds as milliseconds; `None` for what never was.
fn millis(micros: u64) -> Option<f64> {
    (micros > 0).then_some(micros as f64 / 1000.0)
}

/// A transfer of fewer blocks says nothing about the path.
const BLOCKS_TELLING: u64 = 32;
/// One block in so many sent again is loss that is felt.
const LOSS_FELT: u64 = 100;

/// What kept a whole transfer from being faster: `disk` when half of the time went by before the file was open, `loss`
/// when a block in a hundred went twice, `window` when each block waited for its acknowledgement, `path` otherwise.
/// `None` for what is too short to tell, and for HTTP, whose windows are the kernel's.
pub(super) fn limit(record: &BootRecord) -> Option<&'static str> {
    let blocks = record.octets.div_ceil(u64::from(record.blksize.max(1)));
    if record.http.is_some() || record.outcome != Outcome::Answered || blocks < BLOCKS_TELLING {
        return None;
    }
    Some(match record {
        record if u64::from(record.opened_us) * 2 > record.took_us => "disk",
        record if u64::from(record.again) * LOSS_FELT >= blocks => "loss",
        record if record.windowsize <= 1 => "window",
        _ => "path",
    })
}

/// An open transfer as the API shows it.
pub(super) fn transfer(view: &TransferView) -> Value {
    let client = SocketAddr::new(view.client.ip().to_canonical(), view.client.port());
    json!({
        "client": client.to_string(),
        "file": view.name,
        "direction": if view.write { "write" } else { "read" },
        "mode": mode(view.netascii),
        "stage": view.stage,
        "asked": rfc3339_millis(view.asked.0),
        "octets": view.octets,
        "size": (view.size > 0).then_some(view.size),
        "blksize": view.blksize,
        "windowsize": view.windowsize,
        "retransmissions": view.again,
        "round_trip_ms": millis(view.round_trip.as_micros() as u64),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use purlin_types::WallTime;
    use std::net::Ipv4Addr;

    fn record() -> BootRecord {
        let mut record = BootRecord::new(WallTime(61_000), Ipv4Addr::LOCALHOST.into(), 2000, b"boot.ipxe");
        record.outcome = Outcome::Answered;
        record.octets = 1 << 20;
        record.blksize = 1468;
        record.windowsize = 16;
        record.opened_us = 500;
        record.first_us = 600;
        record.took_us = 41_000;
        record
    }

    fn with(change: impl FnOnce(&mut BootRecord)) -> BootRecord {
        let mut record = record();
        change(&mut record);
        record
    }

    #[test]
    fn s2_82_a_slow_transfer_names_what_limited_it() {
        assert_eq!(limit(&record()), Some("path"));
        assert_eq!(limit(&with(|record| record.windowsize = 1)), Some("window"));
        assert_eq!(limit(&with(|record| record.again = 8)), Some("loss"));
        assert_eq!(limit(&with(|record| record.opened_us = 40_000)), Some("disk"));
        assert_eq!(limit(&with(|record| record.octets = 1000)), None);
        assert_eq!(limit(&with(|record| record.outcome = Outcome::Refused)), None);
    }

    #[test]
    fn s2_81_a_record_splits_its_time_by_stage() {
        let shown = super::record(&Told::of(record()));
        assert_eq!(shown["opened_ms"], 0.5);
        assert_eq!(shown["first_ms"], 0.6);
        assert_eq!(shown["took_ms"], 41.0);
        assert_eq!(shown["asked"], "1970-01-01T00:01:00.959Z");
    }

    #[test]
    fn what_came_in_and_went_out_is_told_by_its_packet() {
        let words = |record: &BootRecord| (event(record), answer(record));
        assert_eq!(words(&record()), ("RRQ", "DATA".to_owned()));
        let upload = with(|record| record.write = true);
        assert_eq!(words(&upload), ("WRQ", "ACK".to_owned()));
        let refused = with(|record| (record.outcome, record.octets) = (Outcome::Refused, 0));
        assert_eq!(words(&refused), ("RRQ", "ERROR".to_owned()));
        let probe = with(|record| (record.octets, record.first_us) = (0, 0));
        assert_eq!(words(&probe), ("RRQ", "OACK".to_owned()));
        for (packet, event) in [(Stray::OptionAck, "OACK"), (Stray::Noise, "-")] {
            let stray = with(|record| (record.stray, record.outcome) = (Some(packet), Outcome::Dropped));
            assert_eq!(words(&stray), (event, "-".to_owned()));
        }
        let tls = |outcome| with(|record| (record.stray, record.outcome) = (Some(Stray::Handshake), outcome));
        assert_eq!(words(&tls(Outcome::Refused)), ("TLS", "alert".to_owned()));
        assert_eq!(words(&tls(Outcome::Dropped)), ("TLS", "-".to_owned()));
        for (method, event) in [
            ("GET", "HTTP GET"),
            ("HEAD", "HTTP HEAD"),
            ("POST", "HTTP POST"),
            ("BREW", "HTTP"),
        ] {
            let http = with(|record| (record.http, record.a) = (Some(HttpMethod::of(method)), 206));
            assert_eq!(words(&http), (event, "206".to_owned()));
        }
    }
}
