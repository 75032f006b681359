//! The node around the service: health, metrics, API, TLS, configuration, decisions.

use super::clients::udhcpc;
use purlin_conformance::{Lab, lab_config, until};
use serde_json::Value;

#[test]
fn metrics_are_what_promtool_likes() {
    let Some(lab) = Lab::new(&["udhcpc", "promtool"]) else {
        return;
    };
    let node = lab.node(&lab_config("", "", ""));
    let _ = udhcpc(&lab, &[]);
    let mut text = String::new();
    until("the lease was counted", || {
        text = node.curl(&["http://127.0.0.1:9090/metrics"]);
        text.contains("purlin_dhcp_leases{") && text.contains("state=\"bound\"} 1")
    });
    let file = lab.write("metrics.txt", &text);
    let output = lab
        .server
        .run("sh", &["-c", &format!("promtool check metrics < {file}")]);
    let said =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.trim().is_empty(),
        "{said}\n{text}"
    );
}

#[test]
fn the_description_of_the_api_names_every_route_of_dhcp() {
    let Some(lab) = Lab::new(&[]) else { return };
    let node = lab.node(&lab_config("", "", ""));
    let text = node.curl(&["http://127.0.0.1:8080/api/v1/openapi.json"]);
    let description: Value = serde_json::from_str(&text).unwrap_or_else(|cause| panic!("{cause}: {text}"));
    assert!(
        description["openapi"]
            .as_str()
            .is_some_and(|version| version.starts_with("3.1")),
        "{text}"
    );
    for path in ["subnets", "pools", "reservations", "classes", "leases"] {
        assert!(
            !description["paths"][format!("/api/v1/dhcp/{path}")].is_null(),
            "{path}"
        );
    }
}

#[test]
fn s0_42_https_on_8081_is_trusted_with_the_printed_authority_only() {
    let Some(lab) = Lab::new(&[]) else { return };
    let node = lab.node(&lab_config("", "", ""));
    let file = std::fs::read_to_string(lab.path("data").join("node.json")).expect("a ready node has a note");
    let note: Value = serde_json::from_str(&file).expect("the note is JSON");
    let authority = note["ca"]
        .as_str()
        .expect("there is a self-made authority")
        .to_owned();
    let url = "https://127.0.0.1:8081/health";
    let code = ["-o", "/dev/null", "-w", "%{http_code}"];
    let with = |more: &[&str]| node.curl(&[&code[..], more, &[url]].concat());
    assert_eq!(with(&[]), "000", "nobody trusts a stranger");
    assert_eq!(with(&["-k"]), "200");
    assert_eq!(
        with(&["--cacert", &lab.path("data").join(&authority).to_string_lossy()]),
        "200",
        "{authority}"
    );
}

#[test]
fn s0_43_scaling_metrics_need_a_login_and_have_exactly_six_fields() {
    let Some(lab) = Lab::new(&[]) else { return };
    let node = lab.node(&lab_config("", "", ""));
    let url = "http://127.0.0.1:8080/api/v1/scaling/metrics";
    assert_eq!(node.curl(&["-o", "/dev/null", "-w", "%{http_code}", url]), "401");
    let metrics = node.get("/api/v1/scaling/metrics");
    let mut fields: Vec<&String> = metrics.as_object().expect("an object").keys().collect();
    fields.sort();
    let expected = [
        "cpu_utilization",
        "memory_utilization",
        "nodes",
        "request_rate",
        "scaling_recommendation",
        "target_nodes",
    ];
    assert_eq!(fields, expected);
    let description = node.curl(&["http://127.0.0.1:8080/api/v1/openapi.json"]);
    assert!(description.contains("/api/v1/scaling/metrics"));
}

#[test]
fn s0_44_nodes_counts_the_living() {
    let Some(lab) = Lab::new(&[]) else { return };
    let node = lab.node(&lab_config("", "", ""));
    assert_eq!(node.get("/api/v1/scaling/metrics")["nodes"], 1);
}

#[test]
fn s0_45_target_nodes_is_a_number_of_nodes() {
    let Some(lab) = Lab::new(&[]) else { return };
    let node = lab.node(&lab_config("", "", ""));
    assert!(
        node.get("/api/v1/scaling/metrics")["target_nodes"]
            .as_u64()
            .is_some_and(|nodes| nodes >= 1)
    );
}

#[test]
fn s0_46_cpu_utilization_is_a_percentage() {
    percentage("cpu_utilization");
}

#[test]
fn s0_47_memory_utilization_is_a_percentage() {
    percentage("memory_utilization");
}

fn percentage(field: &str) {
    let Some(lab) = Lab::new(&[]) else { return };
    let node = lab.node(&lab_config("", "", ""));
    let value = node.get("/api/v1/scaling/metrics")[field].clone();
    assert!(
        value
            .as_f64()
            .is_some_and(|percent| (0.0..=100.0).contains(&percent)),
        "{field} is {value}"
    );
}

#[test]
fn s0_48_request_rate_follows_the_load() {
    let Some(lab) = Lab::new(&["perfdhcp"]) else {
        return;
    };
    lab.client.ip("addr add 10.77.0.3/16 dev c0");
    let node = lab.node(&super::kea_tools::load_config(""));
    let rate = || {
        node.get("/api/v1/scaling/metrics")["request_rate"]
            .as_f64()
            .expect("a number")
    };
    assert!(rate() < 1.0);
    let _load = super::kea_tools::perfdhcp(&lab, &["-r", "300", "-R", "1000", "-p", "10"]);
    // Two messages of a client per exchange.
    until("the rate was that of the load", || {
        (400.0..=800.0).contains(&rate())
    });
}

#[test]
fn s0_49_one_node_without_an_autoscaler_is_to_be_maintained() {
    let Some(lab) = Lab::new(&[]) else { return };
    let node = lab.node(&lab_config("", "", ""));
    let recommendation = node.get("/api/v1/scaling/metrics")["scaling_recommendation"].clone();
    let known = ["scale_up", "scale_down", "maintain"];
    assert!(
        recommendation.as_str().is_some_and(|word| known.contains(&word)),
        "{recommendation}"
    );
}

#[test]
fn why_tells_the_story_of_a_client() {
    let Some(lab) = Lab::new(&["udhcpc"]) else { return };
    lab.client.ip("link set c0 address 02:60:00:00:00:09");
    let node = lab.node(&lab_config("", "", ""));
    let address = udhcpc(&lab, &[]);
    let story = node.says(&["why", "02:60:00:00:00:09"]);
    assert!(
        story.contains(&format!("offered {address}")) && story.contains(&format!("bound {address}")),
        "{story}"
    );
    assert!(node.says(&["why", &address.to_string()]).contains("PUR-1010"));
}

#[test]
fn an_exhausted_pool_is_explained() {
    let Some(lab) = Lab::new(&["udhcpc"]) else { return };
    let config = lab_config("", "", "").replace("10.77.1.0-10.77.1.255", "10.77.1.1-10.77.1.1");
    let node = lab.node(&config);
    let _ = udhcpc(&lab, &[]);
    lab.client.host("m1", "c0", "02:60:00:00:06:01");
    let hook = lab.hook();
    let arguments = ["-f", "-q", "-n", "-t", "1", "-T", "1", "-i", "m1", "-s", &hook];
    assert!(!lab.client.run("udhcpc", &arguments).status.success());
    let story = node.says(&["why", "02:60:00:00:06:01"]);
    assert!(
        story.contains("PUR-1103") && story.contains("no free address"),
        "{story}"
    );
}

#[test]
fn a_change_through_the_command_line_takes_effect_without_a_restart() {
    let Some(lab) = Lab::new(&["udhcpc"]) else { return };
    let mut node = lab.node(&lab_config("", "", ""));
    lab.client.ip("link set c0 address 02:60:00:00:00:0b");
    let before = node.process().id();
    let config = lab_config(
        "",
        "reservations = [{ mac = \"02:60:00:00:00:0b\", address = \"10.77.3.3\" }]",
        "",
    );
    let file = lab.write("next.toml", &config);
    let _ = node.says(&["config", "apply", &file]);
    assert_eq!(udhcpc(&lab, &[]).to_string(), "10.77.3.3");
    assert_eq!(node.process().id(), before);
}

#[test]
fn a_faulty_file_never_replaces_a_running_configuration() {
    let Some(lab) = Lab::new(&["udhcpc"]) else { return };
    let mut node = lab.node(&lab_config("", "", ""));
    lab.write("purlin.toml", &lab_config("leese_time = \"1h\"", "", ""));
    node.process().signal("HUP");
    node.process().until("a word about the fault", |text| {
        text.contains("leese_time").then_some(())
    });
    assert!(super::clients::in_pool(udhcpc(&lab, &[])));
}
