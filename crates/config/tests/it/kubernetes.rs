//! The shipped manifests say what the scaling guides show. Whether a cluster takes them, `kubernetes-validate --strict` or
//! `kubectl apply --dry-run=server` tells.

use purlin_config::{Document, Faults, Input};
use serde_json::{Value, json};

fn manifest(name: &str) -> Value {
    let path = format!("{}/../../deploy/kubernetes/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("it is shipped");
    let mut faults = Faults::new();
    let document = Document::parse([Input::file(name, text)], &mut faults);
    assert_eq!(faults.errors(), 0, "{}", faults.to_text(&document, false));
    document.to_json()
}

fn variable(name: &str) -> Value {
    let deployment = manifest("deployment.yaml");
    let all = deployment["spec"]["template"]["spec"]["containers"][0]["env"].clone();
    let all = all.as_array().expect("variables").clone();
    all.into_iter()
        .find(|one| one["name"] == name)
        .expect("it is set")
}

#[test]
fn s4_38_the_deployment_has_three_nodes_of_one_label() {
    let deployment = manifest("deployment.yaml");
    assert_eq!(
        (&deployment["apiVersion"], &deployment["kind"]),
        (&json!("apps/v1"), &json!("Deployment"))
    );
    assert_eq!(
        (&deployment["metadata"]["name"], &deployment["spec"]["replicas"]),
        (&json!("ovncp"), &json!(3))
    );
    let label = json!({ "app": "ovncp" });
    assert_eq!(deployment["spec"]["selector"]["matchLabels"], label);
    assert_eq!(deployment["spec"]["template"]["metadata"]["labels"], label);
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(
        container["ports"][0],
        json!({ "name": "http", "containerPort": 8080 })
    );
    assert_eq!(
        container["ports"][1],
        json!({ "name": "metrics", "containerPort": 9090 })
    );
    for (probe, path) in [
        ("livenessProbe", "live"),
        ("readinessProbe", "ready"),
        ("startupProbe", "startup"),
    ] {
        assert_eq!(container[probe]["httpGet"]["path"], format!("/health/{path}"));
    }
}

#[test]
fn s4_39_s4_40_s4_41_s4_42_a_pod_knows_its_name_address_redis_and_database() {
    let field = |name: &str| variable(name)["valueFrom"]["fieldRef"]["fieldPath"].clone();
    assert_eq!(
        (field("NODE_ID"), field("NODE_IP")),
        (json!("metadata.name"), json!("status.podIP"))
    );
    assert_eq!(variable("REDIS_URL")["value"], "redis://redis-service:6379");
    let secret = variable("DATABASE_URL")["valueFrom"]["secretKeyRef"].clone();
    assert_eq!(secret, json!({ "name": "ovncp-secrets", "key": "database-url" }));
}

#[test]
fn s4_47_the_service_leads_to_the_pods() {
    let service = manifest("service.yaml");
    assert_eq!(
        (&service["kind"], &service["metadata"]["name"]),
        (&json!("Service"), &json!("ovncp-service"))
    );
    assert_eq!(
        (&service["spec"]["type"], &service["spec"]["selector"]),
        (&json!("ClusterIP"), &json!({ "app": "ovncp" }))
    );
    let ports = json!([
        { "name": "http", "port": 80, "targetPort": 8080 },
        { "name": "metrics", "port": 9090, "targetPort": 9090 },
    ]);
    assert_eq!(service["spec"]["ports"], ports);
}

#[test]
fn s4_48_the_autoscaler_keeps_three_to_ten_nodes() {
    let hpa = manifest("hpa.yaml");
    assert_eq!(
        (&hpa["apiVersion"], &hpa["metadata"]["name"]),
        (&json!("autoscaling/v2"), &json!("ovncp-hpa"))
    );
    let spec = &hpa["spec"];
    assert_eq!(spec["scaleTargetRef"]["name"], "ovncp");
    assert_eq!(
        (&spec["minReplicas"], &spec["maxReplicas"]),
        (&json!(3), &json!(10))
    );
    for (at, name, share) in [(0, "cpu", 70), (1, "memory", 80)] {
        let resource = &spec["metrics"][at]["resource"];
        assert_eq!(
            (&resource["name"], &resource["target"]["averageUtilization"]),
            (&json!(name), &json!(share))
        );
    }
}

#[test]
fn s4_126_updates_roll_and_maintenance_leaves_a_majority() {
    let deployment = manifest("deployment.yaml");
    let rolling = &deployment["spec"]["strategy"]["rollingUpdate"];
    assert_eq!(rolling, &json!({ "maxUnavailable": 0, "maxSurge": 1 }));
    let pod = &deployment["spec"]["template"]["spec"];
    let apart = &pod["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"][0];
    assert_eq!(apart["podAffinityTerm"]["topologyKey"], "kubernetes.io/hostname");
    let resources = &pod["containers"][0]["resources"];
    assert!(resources["limits"]["memory"].is_string() && resources["requests"]["cpu"].is_string());
    let pdb = manifest("pdb.yaml");
    assert_eq!(
        (&pdb["kind"], &pdb["spec"]["minAvailable"]),
        (&json!("PodDisruptionBudget"), &json!(2))
    );
    assert_eq!(pdb["spec"]["selector"], deployment["spec"]["selector"]);
}

/// Nobody but nodes reaches the port of nodes, and only who watches reaches the metrics.
#[test]
fn s4_145_the_network_policy_lets_only_nodes_reach_the_port_of_nodes() {
    let policy = manifest("network-policy.yaml");
    assert_eq!(policy["kind"], "NetworkPolicy");
    let label = manifest("deployment.yaml")["spec"]["selector"]["matchLabels"].clone();
    let spec = &policy["spec"];
    assert_eq!(spec["podSelector"]["matchLabels"], label);
    assert_eq!(spec["policyTypes"], json!(["Ingress", "Egress"]));
    let rules = |way: &str| spec[way].as_array().expect("rules").clone();
    let opens = |rule: &Value, port: u16| {
        let ports = rule["ports"].as_array().expect("every rule names ports");
        ports.iter().any(|one| one["port"] == port)
    };
    for rule in rules("ingress").iter().filter(|rule| opens(rule, 8067)) {
        assert_eq!(rule["from"], json!([{ "podSelector": { "matchLabels": label } }]));
    }
    let metrics: Vec<Value> = rules("ingress")
        .into_iter()
        .filter(|rule| opens(rule, 9090))
        .collect();
    assert!(metrics.len() == 1 && metrics[0]["from"][0]["namespaceSelector"].is_object());
    for (way, wanted) in [
        ("ingress", &[8080, 9090, 8067][..]),
        ("egress", &[8067, 6379, 5432, 6641, 6642, 53]),
    ] {
        for port in wanted {
            assert!(rules(way).iter().any(|rule| opens(rule, *port)), "{way} {port}");
        }
    }
}

/// What the guide's autoscaler is called and aims at.
const DHCPD: &str = "simple-dhcpd-datacenter";

#[test]
fn s0_20_s0_21_s0_23_the_autoscaler_is_the_guides() {
    let guides = json!({
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": { "name": DHCPD },
        "spec": {
            "scaleTargetRef": { "apiVersion": "apps/v1", "kind": "StatefulSet", "name": DHCPD },
            "minReplicas": 3,
            "maxReplicas": 10,
            "metrics": [
                { "type": "Resource", "resource": { "name": "cpu", "target": { "type": "Utilization", "averageUtilization": 70 } } },
                { "type": "Resource", "resource": { "name": "memory", "target": { "type": "Utilization", "averageUtilization": 80 } } },
            ],
        },
    });
    assert_eq!(manifest("dhcp/hpa.yaml"), guides);
}

#[test]
fn s0_22_nodes_of_dhcp_have_names_and_disks_that_stay() {
    let set = manifest("dhcp/statefulset.yaml");
    assert_eq!(
        (&set["apiVersion"], &set["kind"], &set["metadata"]["name"]),
        (&json!("apps/v1"), &json!("StatefulSet"), &json!(DHCPD))
    );
    let spec = &set["spec"];
    assert!(spec["replicas"].is_null(), "the number is the autoscaler's");
    assert_eq!(
        spec["serviceName"],
        manifest("dhcp/service.yaml")["metadata"]["name"]
    );
    assert_eq!(manifest("dhcp/service.yaml")["spec"]["clusterIP"], "None");
    let label = &spec["template"]["metadata"]["labels"];
    assert_eq!(&spec["selector"]["matchLabels"], label);
    let pod = &spec["template"]["spec"];
    let container = &pod["containers"][0];
    let names = |of: &Value| -> Vec<String> {
        let all = of.as_array().cloned().unwrap_or_default();
        all.iter()
            .filter_map(|one| Some(one["name"].as_str()?.to_owned()))
            .collect()
    };
    let claims: Vec<_> = spec["volumeClaimTemplates"]
        .as_array()
        .expect("claims")
        .iter()
        .collect();
    assert_eq!(claims[0]["metadata"]["name"], "data");
    let mut there = names(&pod["volumes"]);
    there.push("data".to_owned());
    for mount in names(&container["volumeMounts"]) {
        assert!(there.contains(&mount), "{mount}");
    }
    let id = &container["env"][0];
    assert_eq!(
        (&id["name"], &id["valueFrom"]["fieldRef"]["fieldPath"]),
        (&json!("PURLIN__NODE__ID"), &json!("metadata.name"))
    );
    assert_eq!(
        manifest("dhcp/pdb.yaml")["spec"]["selector"]["matchLabels"],
        *label
    );
}

#[test]
fn s0_24_s0_25_nodes_of_dhcp_ask_for_what_their_load_is_a_share_of() {
    let set = manifest("dhcp/statefulset.yaml");
    let requests = set["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"].clone();
    assert_eq!(requests, json!({ "cpu": "1", "memory": "512Mi" }));
}
