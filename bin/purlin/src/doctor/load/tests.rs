use super::*;
use crate::doctor::Grade;
use serde_json::json;

const MACHINE: Machine = Machine {
    cores: 2.0,
    memory: 1e9,
};

fn busy(more: &str) -> String {
    format!(
        "process_cpu_seconds_total 180\npurlin_tftp_requests_total 1000\npurlin_tftp_blocks_total 10000\n{more}"
    )
}

fn cause_of_cpu(more: &str) -> String {
    let finding = cpu(&busy(more), 100.0, MACHINE);
    assert_eq!(finding.grade, Grade::Warn);
    assert!(!finding.fix.is_empty());
    finding.said
}

#[test]
fn s2_79_high_cpu_names_the_work_there_is_most_of() {
    let missing = "purlin_tftp_decisions_total{reason=\"not_found\"} 900\n";
    assert!(cause_of_cpu(missing).contains("files that are not there (90% of all)"));
    let lost = "purlin_tftp_retransmitted_blocks_total 1000\n";
    assert!(cause_of_cpu(lost).contains("sent again (10% of all)"));
    let lockstep = "purlin_tftp_datagrams_received_total 10500\n";
    assert!(cause_of_cpu(lockstep).contains("one block at a time"));
    assert!(cause_of_cpu("").contains("1000 requests for whole files"));
    assert_eq!(cpu(&busy(""), 1000.0, MACHINE).grade, Grade::Pass);
}

#[test]
fn s2_80_high_memory_names_the_part_that_holds_most() {
    let page = "process_resident_memory_bytes 900000000\n";
    let status = json!({"memory": {"cache": 800_000_000, "transfers": 1_000_000, "records_max": 30_000_000}});
    let finding = memory(page, &status, MACHINE);
    assert_eq!(finding.grade, Grade::Warn);
    assert!(
        finding.said.contains("the cache hold most: 763 MiB"),
        "{}",
        finding.said
    );
    assert_eq!(finding.fix, "lower tftp.cache.size_max");
    let small = memory("process_resident_memory_bytes 1000\n", &status, MACHINE);
    assert_eq!(small.grade, Grade::Pass);
}

#[test]
fn s2_81_high_latency_names_the_stage_that_takes_longest() {
    let page = "purlin_tftp_first_block_latency_seconds_bucket{le=\"0.001\"} 1\n\
        purlin_tftp_first_block_latency_seconds_bucket{le=\"0.1\"} 100\n";
    let told = |opened: f64, first: f64, took: f64| {
        let record = json!({"opened_ms": opened, "first_ms": first, "took_ms": took});
        latency(page, &[record]).said
    };
    assert!(told(90.0, 91.0, 100.0).contains("opening and reading files"));
    assert!(told(1.0, 91.0, 100.0).contains("waiting for a packet thread"));
    assert!(told(1.0, 2.0, 100.0).contains("the network and the clients"));
    assert_eq!(latency("", &[]).grade, Grade::Pass);
}

#[test]
fn s2_82_low_throughput_names_what_limits_most_transfers() {
    let slow = |limit: &str| json!({"took_ms": 5000.0, "limited_by": limit});
    let records = [
        slow("window"),
        slow("window"),
        slow("loss"),
        json!({"took_ms": 1.0, "limited_by": "disk"}),
    ];
    let finding = throughput(&records);
    assert!(
        finding.said.starts_with("2 of 3 slow transfers"),
        "{}",
        finding.said
    );
    assert!(finding.fix.contains("windowsize"));
    assert!(throughput(&[slow("loss")]).said.contains("lost packets"));
    assert_eq!(throughput(&[]).grade, Grade::Pass);
}
