mod tftp;

use super::*;
use purlin_config::{Faults, Input};
use purlin_fabric::health::Health;
use purlin_types::BootTime;

fn defaults_of(load_balancing: &str) -> BalancerDefaults {
    let text = format!("[dhcp.datacenter.scaling.load_balancing]\n{load_balancing}");
    let mut faults = Faults::new();
    let document = Document::parse([Input::file("d.toml", text)], &mut faults);
    assert!(!faults.has_errors());
    defaults(&document)
}

fn front_of(load_balancing: &str) -> FrontSettings {
    let text = "[[balancer.fronts]]\nname = \"f\"\nservice = \"dhcp\"\nlisten = \"127.0.0.1:0\"\n\
                backends = [{ address = \"127.0.0.2:67\" }, { address = \"127.0.0.3:67\" }]";
    let mut faults = Faults::new();
    let document = Document::parse([Input::file("b.toml", text)], &mut faults);
    let defaults = defaults_of(load_balancing);
    let read = purlin_config::sections::balancer::read(&document, &defaults, &mut faults);
    read.expect("it is good").fronts.remove(0)
}

fn probes_in_a_minute(settings: &HealthSettings) -> usize {
    let begin = BootTime(0).plus_millis(5);
    let mut health = Health::new(begin);
    let millis = (0..60_000).map(|millis| begin.plus_millis(millis));
    millis.filter(|now| health.probe_due(settings, *now)).count()
}

#[test]
fn s0_17_the_algorithm_of_load_balancing_is_that_of_the_fronts() {
    for (word, expected) in [
        ("least_connections", Algorithm::LeastConnections),
        ("round_robin", Algorithm::RoundRobin),
        ("weighted_round_robin", Algorithm::RoundRobin),
        ("ip_hash", Algorithm::IpHash),
    ] {
        let spec = spec(&front_of(&format!("algorithm = \"{word}\""))).expect("random numbers");
        let FrontKind::Udp(settings) = spec.kind else {
            panic!("datagrams")
        };
        assert_eq!(settings.pool.algorithm, expected);
    }
}

#[test]
fn s0_18_without_health_checks_no_probe_is_sent() {
    assert!(health(&front_of("health_check = true")).active);
    assert!(!health(&front_of("health_check = false")).active);
    assert!(health(&front_of("")).active);
    assert_eq!(probes_in_a_minute(&health(&front_of("health_check = false"))), 0);
}

#[test]
fn s0_19_the_interval_of_health_checks_counts_seconds() {
    for (text, expected) in [("10", 10), ("\"10s\"", 10), ("3", 3)] {
        let front = front_of(&format!("health_check_interval = {text}"));
        assert_eq!(health(&front).interval, Duration::from_secs(expected));
    }
    assert_eq!(
        probes_in_a_minute(&health(&front_of("health_check_interval = 10"))),
        6
    );
}
