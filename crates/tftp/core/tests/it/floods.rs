//! One datagram of a stranger never makes many: whatever the times are set to, silence is answered by few packets.

use crate::rig::Rig;
use proptest::prelude::*;
use purlin_tftp_core::settings::Timing;
use std::time::Duration;

/// What one request without any answer may bring: `attempts` repetitions that count, and before them those whose waits
/// still double from the shortest to the longest there are (1 ms to 255 s), each of two packets at most; and the whole
/// first window, twice, when the client is one that acknowledges an OACK and nothing more.
fn most(timing: &Timing, window: usize) -> usize {
    2 * (usize::from(timing.attempts) + 18) + 2 * window + 2
}

fn short_idle() -> Rig {
    Rig::with(|settings| settings.timing.idle = Duration::from_secs(1))
}

#[test]
fn a_read_ends_when_idle_is_shorter_than_answer() {
    let mut rig = short_idle();
    rig.read("file", "");
    let told = rig.after(60_000);
    assert_eq!(told, "200: DATA 1; 600: DATA 1; 1000: end client_idle");
    assert_eq!(rig.sent.len(), 3);
}

#[test]
fn an_option_answer_ends_when_idle_is_shorter_than_answer() {
    let mut rig = short_idle();
    rig.read("file", "tsize=0");
    let told = rig.after(60_000);
    let oack = "OACK tsize=10000";
    assert_eq!(told, format!("200: {oack}; 600: {oack}; 1000: end client_idle"));
    assert_eq!(rig.sent.len(), 3);
}

#[test]
fn an_upload_ends_when_idle_is_shorter_than_answer() {
    for (options, answer) in [("", "ACK 0"), ("blksize=1000", "OACK blksize=1000")] {
        let mut rig = short_idle();
        rig.write("up", options);
        let told = rig.after(60_000);
        let expected = format!("200: {answer}; 600: {answer}; 1000: discard; end client_idle");
        assert_eq!(told, expected);
        assert_eq!(rig.sent.len(), 3);
    }
}

/// A client that has answered once and then goes, and a repeated request in between, keep the bound too.
#[test]
fn a_repeated_request_does_not_open_the_tap() {
    let mut rig = short_idle();
    rig.read("file", "");
    rig.after(900);
    rig.read("file", "");
    rig.after(60_000);
    assert!(rig.sent.len() < 10, "{}", rig.sent.len());
    assert_eq!(rig.engine.transfers(), 0);
}

/// New settings reach transfers under way: a limit that lies in the past then ends them at once.
#[test]
fn limits_that_became_shorter_end_what_is_older() {
    for (write, options) in [(false, ""), (false, "tsize=0"), (true, "")] {
        let mut rig = Rig::new();
        if write {
            rig.write("up", options);
        } else {
            rig.read("file", options);
        }
        rig.after(5_000);
        let before = rig.sent.len();
        rig.set(|settings| settings.timing.idle = Duration::from_secs(1));
        rig.after(60_000);
        assert!(rig.sent.len() <= before + 1, "{}", rig.sent.len() - before);
        assert_eq!(rig.engine.transfers(), 0);
    }
}

fn timing() -> impl Strategy<Value = Timing> {
    let millis = |from: u64, to: u64| prop_oneof![Just(from), from..=to].prop_map(Duration::from_millis);
    let secs =
        |from: u64, to: u64| prop_oneof![Just(from), from..=40, from..=to].prop_map(Duration::from_secs);
    let attempts = prop_oneof![Just(1u8), 1u8..=255];
    (
        millis(10, 10_000),
        millis(1, 10_000),
        millis(10, 255_000),
        attempts,
        (secs(1, 3600), secs(1, 3600), secs(0, 3600), secs(0, 60)),
    )
        .prop_map(
            |(first, shortest, longest, attempts, (answer, idle, lifetime, dally))| Timing {
                first,
                shortest: shortest.min(first),
                longest: longest.max(first),
                attempts,
                answer,
                idle,
                lifetime,
                dally,
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn silence_is_answered_by_few_packets_whatever_the_times_are(
        timing in timing(),
        write in any::<bool>(),
        options in prop_oneof![Just(""), Just("tsize=0"), Just("blksize=500 windowsize=8"), Just("utimeout=10000")],
        // What the client says before it falls silent, and how long after its request.
        said in prop_oneof![Just(None), (0u64..500).prop_map(Some)],
    ) {
        let mut rig = Rig::with(|settings| settings.timing = timing);
        if write {
            rig.write("up", options);
        } else {
            rig.read("file", options);
        }
        if let Some(millis) = said {
            rig.after(millis);
            if write {
                rig.data(1, &[7; 500]);
            } else {
                rig.ack(0);
            }
        }
        let before = rig.sent.len();
        rig.after(4_000_000);
        let sent = rig.sent.len() - before;
        prop_assert!(sent <= most(&timing, 8), "{} datagrams, {:?}", sent, timing);
        prop_assert_eq!(rig.engine.transfers(), 0);
    }
}
