//! Loading many ports into a replica: how long, and how much memory.

use crate::{LogicalSwitch, LogicalSwitchPort, Outcome, client};
use purlin_ovsdb::cache::Index;
use purlin_ovsdb::client::{Client, Spec, TableSpec};
use purlin_ovsdb::{Insert, Transaction};
use std::time::Instant;

/// Switches of a hundred ports each, ten switches a transaction, with what a managed port usually has.
pub(crate) async fn fill(client: &Client, ports: usize) -> Outcome<()> {
    for chunk in 0..ports.div_ceil(1000) {
        let mut change = Transaction::new();
        for s in 0..10 {
            let mut own = Vec::new();
            for p in 0..100 {
                let n = chunk * 1000 + s * 100 + p;
                let address = format!(
                    "0a:00:{:02x}:{:02x}:{:02x}:01 10.{}.{}.{}",
                    n >> 16 & 255,
                    n >> 8 & 255,
                    n & 255,
                    n >> 16 & 255,
                    n >> 8 & 255,
                    n & 255
                );
                own.push(
                    change.insert(
                        Insert::new(LogicalSwitchPort::TABLE)
                            .set(LogicalSwitchPort::NAME, format!("port-{n}"))
                            .set(LogicalSwitchPort::ADDRESSES, [address.as_str()])
                            .set(LogicalSwitchPort::PORT_SECURITY, [address.as_str()])
                            .set(
                                LogicalSwitchPort::EXTERNAL_IDS,
                                [("owner", "purlin"), ("tenant", "t1")],
                            ),
                    ),
                );
            }
            change.insert(
                Insert::new(LogicalSwitch::TABLE)
                    .set(LogicalSwitch::NAME, format!("switch-{chunk}-{s}"))
                    .set(LogicalSwitch::PORTS, own),
            );
        }
        client.commit(change).await?;
    }
    Ok(())
}

pub(crate) async fn run(columns: &str, address: &str) -> Outcome<()> {
    let client = client(address)?;
    client.ready().await;
    let before = memory("VmRSS")?;
    let name = Index::column("name");
    let (switches, ports) = match columns {
        "three" => (
            TableSpec::named(["name", "ports"]),
            TableSpec::named(["name", "addresses", "external_ids"]),
        ),
        _ => (
            TableSpec::of::<LogicalSwitch>(),
            TableSpec::of::<LogicalSwitchPort>(),
        ),
    };
    let spec = Spec::new()
        .table(
            LogicalSwitch::TABLE,
            switches.index(name.clone()).index(Index::column("ports")),
        )
        .table(LogicalSwitchPort::TABLE, ports.index(name));
    let began = Instant::now();
    let replica = client.replicate(spec);
    let snapshot = replica.live().await;
    let took = began.elapsed();
    let rows = snapshot
        .table(LogicalSwitchPort::TABLE)
        .map_or(0, |table| table.len());
    let (now, most) = (memory("VmRSS")?, memory("VmHWM")?);
    let own = crate::server::cpu("self")?;
    println!(
        "{columns} columns, indexed: {rows} ports in {took:?}; resident {before} -> {now} MiB, at most {most} MiB; processor seconds {own:.2}"
    );
    Ok(())
}

/// In MiB.
fn memory(what: &str) -> Outcome<usize> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find(|line| line.starts_with(what))
        .ok_or("the kernel says it")?;
    let kib: usize = line.split_whitespace().nth(1).ok_or("a number")?.parse()?;
    Ok(kib / 1024)
}
