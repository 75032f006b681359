//! The shipped chart makes the objects that the plain manifests are, and others by its values.

use purlin_conformance::{Chart, purlin};
use serde_json::{Value, json};
use std::process::Command;

/// By kind and name; a configuration as what it says and not as how that is written.
fn by_name(chart: &Chart, objects: Vec<Value>) -> Vec<(String, Value)> {
    let mut named: Vec<(String, Value)> = objects
        .into_iter()
        .map(|mut object| {
            if let Some(text) = object.pointer("/data/purlin.toml").and_then(Value::as_str) {
                object["data"]["purlin.toml"] = chart.toml(text);
            }
            let text = |pointer: &str| {
                object
                    .pointer(pointer)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
            };
            (format!("{}/{}", text("/kind"), text("/metadata/name")), object)
        })
        .collect();
    named.sort_by(|(a, _), (b, _)| a.cmp(b));
    named
}

/// The chart with an example's values makes what is in a folder of manifests, and Kubernetes takes it.
fn makes(example: &str, folder: &str, count: usize) {
    let Some(chart) = Chart::new() else { return };
    let (good, said) = chart.lint(example);
    assert!(good, "{said}");
    let rendered = chart
        .rendered(&["-f", &chart.example(example)])
        .expect("good values");
    chart.judge(&rendered);
    let plain = chart.plain(folder);
    chart.judge(&plain);
    let (rendered, plain) = (by_name(&chart, rendered), by_name(&chart, plain));
    assert_eq!(plain.len(), count);
    let names = |of: &[(String, Value)]| of.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&rendered), names(&plain));
    for ((name, rendered), (_, plain)) in rendered.iter().zip(&plain) {
        assert_eq!(rendered, plain, "{name}");
    }
}

#[test]
fn s0_20_s0_21_s0_22_s0_23_s0_24_s0_25_the_chart_makes_the_objects_of_the_dhcp_guide() {
    makes("dhcp", "dhcp", 5);
}

#[test]
fn s4_38_s4_48_s4_126_the_chart_makes_the_objects_of_the_platforms_guide() {
    makes("ovn", "", 5);
}

fn find<'a>(objects: &'a [Value], kind: &str) -> &'a Value {
    let found = objects.iter().find(|object| object["kind"] == kind);
    found.unwrap_or_else(|| panic!("no {kind} in {objects:?}"))
}

#[test]
fn s0_23_the_bounds_of_the_charts_autoscaler_are_those_of_the_nodes() {
    let Some(chart) = Chart::new() else { return };
    let bounds = "dhcp.autoscaling.minReplicas=2,dhcp.autoscaling.maxReplicas=5";
    let objects = chart
        .rendered(&["-f", &chart.example("dhcp"), "--set", bounds])
        .expect("good values");
    let scaler = find(&objects, "HorizontalPodAutoscaler");
    assert_eq!(
        (&scaler["spec"]["minReplicas"], &scaler["spec"]["maxReplicas"]),
        (&json!(2), &json!(5))
    );
    let text = find(&objects, "ConfigMap")["data"]["purlin.toml"]
        .as_str()
        .expect("a text");
    let own = &chart.toml(text)["dhcp"]["datacenter"]["scaling"]["auto_scaling"];
    assert_eq!(own, &json!({ "enabled": false, "min_nodes": 2, "max_nodes": 5 }));
    // Nodes take it, with what the pod's variables add.
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("purlin.toml");
    std::fs::write(&file, text).expect("the folder is ours");
    let mut check = Command::new(purlin().expect("asked for before"));
    check.args(["config", "check"]).arg(&file);
    check.env("PURLIN__STORE__URL", "postgresql://user@postgres/purlin");
    check.env("PURLIN__COORDINATION__URL", "redis://redis-service:6379");
    check
        .env("PURLIN__NODE__ID", "n-0")
        .env("PURLIN__CLUSTER__NODE_IP", "10.0.0.1");
    let output = check
        .env("PURLIN__CLUSTER__SECRET", "0".repeat(64))
        .output()
        .expect("it runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn a_chart_with_other_values_makes_objects_that_fit_each_other() {
    let Some(chart) = Chart::new() else { return };
    let values = [
        "dhcp.name=,ovn.name=,ovn.enabled=true,image.tag=9-a,imagePullSecrets[0].name=pull",
        "dhcp.autoscaling.enabled=false,dhcp.replicas=5,dhcp.storage.className=fast,dhcp.nodeSelector.rack=a",
        "dhcp.extraVolumes[0].name=boot,dhcp.extraVolumes[0].persistentVolumeClaim.claimName=boot-files",
        "dhcp.extraVolumeMounts[0].name=boot,dhcp.extraVolumeMounts[0].mountPath=/srv/tftp",
        "ovn.autoscaling.enabled=false,ovn.replicas=4,ovn.networkPolicy.enabled=false",
        "ovn.env[0].name=OVN_NORTHBOUND_ENDPOINTS,ovn.env[0].value=tcp:10.0.0.1:6641,ovn.tolerations[0].operator=Exists",
    ];
    let example = chart.example("dhcp");
    let mut arguments = vec!["-f", &example];
    arguments.extend(values.iter().flat_map(|value| ["--set", *value]));
    let objects = chart.rendered(&arguments).expect("good values");
    chart.judge(&objects);
    for absent in ["HorizontalPodAutoscaler", "NetworkPolicy"] {
        assert!(objects.iter().all(|object| object["kind"] != absent), "{absent}");
    }
    let (set, deployment) = (find(&objects, "StatefulSet"), find(&objects, "Deployment"));
    for (made, name, replicas) in [(set, "site-dhcp", 5), (deployment, "site-ovn", 4)] {
        assert_eq!(
            (&made["metadata"]["name"], &made["spec"]["replicas"]),
            (&json!(name), &json!(replicas))
        );
        let pod = &made["spec"]["template"];
        assert_eq!(pod["metadata"]["labels"], made["spec"]["selector"]["matchLabels"]);
        assert_eq!(pod["spec"]["containers"][0]["image"], "purlin:9-a");
        assert_eq!(pod["spec"]["imagePullSecrets"], json!([{ "name": "pull" }]));
    }
    let pod = &set["spec"]["template"]["spec"];
    assert_eq!(pod["nodeSelector"], json!({ "rack": "a" }));
    let volumes = pod["volumes"].as_array().expect("volumes");
    for (volume, points_to) in [("config", "/configMap/name"), ("secret", "/secret/secretName")] {
        let found = volumes
            .iter()
            .find(|one| one["name"] == volume)
            .expect("it is there");
        assert_eq!(found.pointer(points_to), Some(&json!("site-dhcp")));
    }
    assert!(volumes.iter().any(|one| one["name"] == "boot"));
    assert_eq!(
        set["spec"]["volumeClaimTemplates"][0]["spec"]["storageClassName"],
        "fast"
    );
    let env = deployment["spec"]["template"]["spec"]["containers"][0]["env"].as_array();
    assert!(
        env.expect("variables")
            .iter()
            .any(|one| one["name"] == "OVN_NORTHBOUND_ENDPOINTS")
    );
    let names: Vec<&Value> = objects
        .iter()
        .filter(|object| object["kind"] == "Service")
        .map(|object| &object["metadata"]["name"])
        .collect();
    assert_eq!(names, [&json!("site-dhcp"), &json!("site-ovn-service")]);
}

/// Every values file that the page shows is taken, each by itself.
#[test]
fn the_values_on_the_page_about_kubernetes_make_good_objects() {
    let Some(chart) = Chart::new() else { return };
    let page = include_str!("../../../../docs/howto/kubernetes.md");
    let shown = page.split("```yaml\n").skip(1);
    let texts: Vec<&str> = shown.filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(texts.len(), 2);
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("values.yaml");
    for text in texts {
        std::fs::write(&file, text).expect("the folder is ours");
        let objects = chart.rendered(&["-f", file.to_str().expect("plain")]);
        chart.judge(&objects.expect("good values"));
    }
}

#[test]
fn a_chart_with_values_that_cannot_be_says_which_and_what_would_be_right() {
    let Some(chart) = Chart::new() else { return };
    let refused = chart.rendered(&[]).expect_err("nothing was enabled");
    assert!(
        refused.contains("set dhcp.enabled or ovn.enabled to true"),
        "{refused}"
    );
    for (values, words) in [
        ("dhcp.nmae=x", "Additional property nmae is not allowed"),
        ("dhcp.name=A_b", "dhcp.name: Does not match pattern"),
        ("dhcp.config=", "give the sections to serve as TOML"),
        (
            "dhcp.config=[store]",
            "dhcp.config has [store], which the chart writes itself",
        ),
        (
            "dhcp.autoscaling.minReplicas=11",
            "minReplicas is 11 and maxReplicas 10",
        ),
        (
            "dhcp.autoscaling.cpu=0",
            "dhcp.autoscaling.cpu: Must be greater than or equal to 1",
        ),
        (
            "ovn.redisUrl=redis-service",
            "ovn.redisUrl: Does not match pattern '^rediss?://'",
        ),
        ("image.pullPolicy=always", "must be one of the following"),
    ] {
        let refused = chart.rendered(&["-f", &chart.example("dhcp"), "--set", values]);
        let refused = refused.expect_err(values);
        assert!(refused.contains(words), "{values}: {refused}");
    }
}
