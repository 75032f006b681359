//! A full registry, read by the reference checker when it is installed.

use super::*;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;

fn full() -> Registry {
    let registry = Registry::new();
    let requests = registry.counters(
        "purlin_http_requests_total",
        "Requests by route and status.",
        &["route", "status"],
    );
    let requests = requests.expect("a good name");
    requests.with(&["/api/v1/leases", "200"]).add(3);
    requests.with(&["/say \"hi\"\\\n", "404"]).add(1);
    registry
        .gauges("purlin_node_ready", "1 when ready.", &[])
        .expect("a good name")
        .with(&[])
        .set(1.0);
    let model = Histogram::new(Unit::Nanoseconds, LATENCY_BOUNDS);
    let durations = registry.histograms(
        "purlin_http_request_duration_seconds",
        "Time to answer.",
        &["route"],
        model,
    );
    durations
        .expect("a good name")
        .with(&["/"])
        .with(|h| h.record(1_500_000));
    let answers = registry.summaries(
        "purlin_dhcp_answer_seconds",
        "DISCOVER to OFFER.",
        &[],
        Summary::new(Unit::Nanoseconds),
    );
    answers.expect("a good name").with(&[]).with(|s| s.record(20_000));
    registry.register(Arc::new(ProcessFacts {
        cpu_seconds: 1.5,
        start_seconds: 1.7e9,
        ..ProcessFacts::default()
    }));
    registry.register(Arc::new(BuildFacts {
        version: "0.1.0",
        revision: "unknown",
    }));
    registry.register(Arc::new(|encoder: &mut Encoder| {
        let mut family = encoder.counter("purlin_dhcp_received_total", "Messages by type.");
        family.count(&[("type", "discover")], 7);
        family.count(&[("type", "discover")], 5);
    }));
    registry
}

#[test]
fn the_reference_checker_has_nothing_to_say() {
    let text = full().text();
    let child = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        return; // Not installed: the other tests still hold the form.
    };
    child
        .stdin
        .take()
        .expect("piped")
        .write_all(text.as_bytes())
        .expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let said = [output.stdout, output.stderr].concat();
    assert!(
        output.status.success() && said.is_empty(),
        "{}\n{text}",
        String::from_utf8_lossy(&said)
    );
}

#[test]
fn a_scrape_reads_as_the_format_says() {
    let text = full().text();
    assert_eq!(full().gather().faults(), []);
    for line in [
        "# HELP purlin_http_requests_total Requests by route and status.",
        "# TYPE purlin_http_requests_total counter",
        "purlin_http_requests_total{route=\"/api/v1/leases\",status=\"200\"} 3",
        "purlin_http_requests_total{route=\"/say \\\"hi\\\"\\\\\\n\",status=\"404\"} 1",
        "purlin_http_request_duration_seconds_bucket{route=\"/\",le=\"0.001\"} 0",
        "purlin_http_request_duration_seconds_bucket{route=\"/\",le=\"0.0025\"} 1",
        "purlin_http_request_duration_seconds_bucket{route=\"/\",le=\"+Inf\"} 1",
        "purlin_http_request_duration_seconds_sum{route=\"/\"} 0.0015",
        "purlin_dhcp_answer_seconds{quantile=\"0.5\"} 0.000020096",
        "purlin_dhcp_answer_seconds_count 1",
        "purlin_dhcp_received_total{type=\"discover\"} 12",
        "process_cpu_seconds_total 1.5",
        "purlin_node_ready 1",
    ] {
        assert!(
            text.lines().any(|found| found == line),
            "{line}\nis not in\n{text}"
        );
    }
}

#[test]
fn labels_are_bounded_and_the_rest_is_counted() {
    let registry = Registry::new();
    let family = registry
        .counters("purlin_bad_clients_total", "By client.", &["client"])
        .expect("a good name");
    for i in 0..2000 {
        family.with(&[&i.to_string()]).add(1);
    }
    registry.register(Arc::new(|encoder: &mut Encoder| {
        let mut family = encoder.gauge("purlin_pool_size", "By pool.").budget(3);
        for pool in ["a", "b", "c", "d"] {
            family.value(&[("pool", pool)], 10.0);
        }
    }));
    let text = registry.text();
    assert_eq!(
        text.lines()
            .filter(|line| line.starts_with("purlin_bad_clients_total{"))
            .count(),
        SERIES_MAX
    );
    for line in [
        "purlin_bad_clients_total{client=\"other\"} 1501",
        "purlin_metric_series_folded_total{family=\"purlin_bad_clients_total\"} 1501",
        "purlin_pool_size{pool=\"other\"} 20",
        "purlin_metric_series_folded_total{family=\"purlin_pool_size\"} 2",
    ] {
        assert!(
            text.lines().any(|found| found == line),
            "{line}\nis not in\n{text}"
        );
    }
}

#[test]
fn bad_names_are_refused() {
    let registry = Registry::new();
    let counter = |name| registry.counters(name, "Help.", &[]).map(|_| ()).expect_err(name);
    assert_eq!(
        counter("purlin_requests"),
        NameFault::Total("purlin_requests".into())
    );
    assert_eq!(counter("Purlin_total"), NameFault::Syntax("Purlin_total".into()));
    assert_eq!(
        counter("purlin_wait_ms_total"),
        NameFault::Unit("purlin_wait_ms_total".into())
    );
    let gauge = |name, help, labels| registry.gauges(name, help, labels).map(|_| ()).expect_err(name);
    assert_eq!(
        gauge("purlin_leases_total", "Help.", &[]),
        NameFault::Total("purlin_leases_total".into())
    );
    assert_eq!(
        gauge("purlin_leases_count", "Help.", &[]),
        NameFault::Reserved("purlin_leases_count".into())
    );
    assert_eq!(
        gauge("purlin_leases", " ", &[]),
        NameFault::Help("purlin_leases".into())
    );
    assert_eq!(
        gauge("purlin_leases", "Help.", &["le"]),
        NameFault::Label("le".into())
    );
}

#[test]
fn one_name_with_two_meanings_is_reported_and_left_out() {
    let mut encoder = Encoder::default();
    encoder.gauge("purlin_leases", "Bound leases.").value(&[], 1.0);
    encoder.gauge("purlin_leases", "Something else.").value(&[], 2.0);
    assert_eq!(encoder.faults(), [NameFault::Conflict("purlin_leases".into())]);
    assert!(encoder.text().ends_with("purlin_leases 1\n"));
}

#[test]
fn quantiles_are_within_one_per_cent() {
    let mut sketch = Sketch::default();
    for value in 1..=100_000_u64 {
        sketch.record(value * 1000);
    }
    for (q, exact) in [
        (0.0, 1e3),
        (0.5, 5e7),
        (0.9, 9e7),
        (0.99, 9.9e7),
        (0.999, 9.99e7),
        (1.0, 1e8),
    ] {
        let found = sketch.quantile(q).expect("values are there") as f64;
        assert!(
            (found - exact).abs() / exact < 0.01,
            "{q}: {found} is not {exact}"
        );
    }
    assert_eq!(Sketch::default().quantile(0.5), None);
}

#[test]
fn small_and_huge_values_have_their_buckets() {
    for value in [0, 1, 63, 64, 65, 127, 128, 1 << 20, (1 << 42) - 1, u64::MAX] {
        let mut sketch = Sketch::default();
        sketch.record(value);
        let found = sketch.quantile(0.5).expect("one value");
        let wanted = value.min(1 << 42) as f64;
        assert!(
            (found as f64 - wanted).abs() <= wanted / 100.0,
            "{value}: {found}"
        );
    }
}

#[test]
fn a_summary_forgets_quantiles_but_never_counts() {
    let mut summary = Summary::new(Unit::Nanoseconds);
    summary.record(1_000_000_000);
    summary.turn();
    summary.record(1_000);
    assert!(
        (summary.quantiles()[3].1 - 1.0).abs() < 0.01,
        "the older period still counts"
    );
    summary.turn();
    assert!(
        (summary.quantiles()[3].1 - 1e-6).abs() < 1e-8,
        "now it is forgotten"
    );
    summary.turn();
    assert!(summary.quantiles()[0].1.is_nan());
    assert_eq!(summary.count(), 2);
    assert!((summary.sum() - 1.000_001).abs() < 1e-9);
}

#[test]
fn histograms_of_threads_add_up() {
    let mut all = Histogram::new(Unit::Count, &[1, 10]);
    let mut one = all.clone();
    one.record(1);
    one.record(11);
    all.record(5);
    all.merge(&one);
    assert_eq!(
        all.buckets().collect::<Vec<_>>(),
        [(1.0, 1), (10.0, 2), (f64::INFINITY, 3)]
    );
    assert_eq!((all.count(), all.sum()), (3, 17.0));
}
