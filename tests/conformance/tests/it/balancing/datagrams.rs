//! DHCP behind relays and TFTP through `purlin lb`, before real nodes of which one dies.

use super::none_was_left_alone;
use purlin_conformance::{Front, Process, Report, Trio, purlin, run, until};
use serde_json::Value;
use std::process::Command;

/// A front for this service before all nodes.
fn front(site: &Trio, service: &str, port: u16) -> Front {
    let one = |n| format!("{{ name = \"n{n}\", address = \"10.77.1.{n}:{port}\" }}");
    let fronts = format!(
        "[[balancer.fronts]]\nname = \"front\"\nservice = \"{service}\"\nlisten = \"10.77.0.1:{port}\"\n\
         algorithm = \"round_robin\"\npatience = \"900ms\"\n\
         check_interval = \"200ms\"\nrise = 1\nfall = 1\nslow_start = 0\n\
         backends = [{}, {}, {}]\n",
        one(1),
        one(2),
        one(3)
    );
    let lb = Front::start(&site.lab.path(""), &fronts, |program, words| {
        site.command(program, words)
    });
    until("all nodes were up", || {
        backends(&lb, site).iter().all(|backend| backend["state"] == "up")
    });
    lb
}

fn state(lb: &Front, site: &Trio) -> Value {
    lb.asked(&["status"], |program, words| site.command(program, words))["fronts"][0].clone()
}

fn backends(lb: &Front, site: &Trio) -> Vec<Value> {
    state(lb, site)["backends"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

fn given(lb: &Front, site: &Trio) -> Vec<u64> {
    let all = backends(lb, site);
    all.iter()
        .filter_map(|backend| backend["given"].as_u64())
        .collect()
}

/// A load of clients behind the relay at 10.77.0.5, through the front.
fn load(site: &Trio, arguments: &[&str]) -> Command {
    let binary = purlin().expect("checked before").display().to_string();
    let mut words = vec![
        "bench",
        "dhcp",
        "10.77.0.1:67",
        "--relay",
        "10.77.0.5",
        "-q",
        "-o",
        "json",
    ];
    words.extend(arguments);
    site.lab.server.command(&binary, &words)
}

#[test]
fn dhcp_answers_go_past_the_front_and_a_dead_node_costs_retries() {
    let Some(mut site) = Trio::new(&[]) else { return };
    let lb = front(&site, "dhcp", 67);
    let output = run(&mut load(
        &site,
        &["--clients", "600", "--operations", "600", "--seed", "71"],
    ));
    let said = [output.stdout, output.stderr].map(|octets| String::from_utf8_lossy(&octets).into_owned());
    let report = Report::read(&said.concat());
    report.kept_every_promise();
    assert_eq!(report.done("load"), 600, "{:#}", report.0);
    let shares = given(&lb, &site);
    assert!(shares.iter().all(|share| *share >= 150), "{shares:?}");
    // A node answers the relay at giaddr (RFC 2131, section 4.1): the front hears nothing of it.
    assert_eq!(state(&lb, &site)["answers"], 0);

    let arguments = [
        "--clients",
        "600",
        "--operations",
        "600",
        "--seed",
        "72",
        "--rate",
        "150",
        "--attempts",
        "5",
    ];
    let mut under_way = Process::begun(load(&site, &arguments), site.lab.path("load.log"));
    until("the load had begun", || given(&lb, &site)[2] > shares[2] + 30);
    site.crash(3);
    until("the dead node was out", || {
        backends(&lb, &site)[2]["state"] == "down"
    });
    let _ = under_way.ended();
    none_was_left_alone(&Report::read(&under_way.said()), 600);
}

/// Asks for a file with the client of tftp-hpa.
fn get(site: &Trio, file: &str, log: &str) -> Process {
    site.lab
        .server
        .start(log, "tftp", &["-m", "binary", "10.77.0.1", "-c", "get", file])
}

#[test]
fn a_transfer_at_a_port_of_its_own_passes_and_one_whose_node_dies_is_told_so() {
    let Some(mut site) = Trio::with_tftp(&["tftp"], "ports = \"ephemeral\"\n") else {
        return;
    };
    let content = "boot ".repeat(60_000);
    std::fs::write(site.lab.path("tree").join("file"), &content).expect("the folder is ours");
    // A quarter of a million blocks: it lasts until its node has died.
    let long = std::fs::File::create(site.lab.path("tree").join("long")).expect("the folder is ours");
    long.set_len(128 << 20).expect("a file may have holes");
    let lb = front(&site, "tftp", 69);
    let whole = |site: &Trio, log: &str| {
        let _ = std::fs::remove_file(site.lab.path("file"));
        let mut client = get(site, "file", log);
        assert!(client.ended(), "{}", client.said());
        let got = std::fs::read_to_string(site.lab.path("file")).unwrap_or_default();
        assert!(got == content, "{} octets: {}", got.len(), client.said());
    };
    for n in 0..3 {
        whole(&site, &format!("get-{n}.log"));
    }
    assert_eq!(given(&lb, &site), [1, 1, 1]);

    let mut client = get(&site, "long", "long.log");
    let mut holder = None;
    until("a transfer was under way", || {
        assert!(client.is_running(), "{}", client.said());
        holder = backends(&lb, &site)
            .iter()
            .position(|backend| backend["in_flight"] == 1);
        holder.is_some()
    });
    client.signal("STOP");
    site.crash(holder.expect("looked at before") + 1);
    client.signal("CONT");
    client.until("word of its server's end", |said| {
        said.contains("is gone").then_some(())
    });
    for n in 3..6 {
        whole(&site, &format!("get-{n}.log"));
    }
}
