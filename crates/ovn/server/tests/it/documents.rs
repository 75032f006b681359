//! An owner's part of the network as one document.

use crate::world::{Answer, World};
use serde_json::{Value, json};

const SHOP: &str = "/api/v1/ovn/documents/shop";
const YAML: &str = "application/yaml";

const NETWORK: &str = r#"
# The shop's network.
switches:
  - name: front
    other_config: {subnet: 10.1.0.0/24}
    ports:
      - name: front-1
        addresses: ["02:00:00:00:01:01 10.1.0.11"]
        dhcpv4_options: front-dhcp
      - name: front-2
        addresses: ["02:00:00:00:01:02 10.1.0.12"]
    acls:
      - {direction: to-lport, priority: 1000, match: outport == @web && tcp.dst == 22, action: drop}
port_groups:
  - name: web
    ports: [front-1, front-2]
dhcp_options:
  - name: front-dhcp
    cidr: 10.1.0.0/24
    options: {server_id: 10.1.0.1, server_mac: "02:00:00:00:00:01", lease_time: 3600, domain_name: shop.example}
"#;

async fn apply(world: &World, query: &str, text: &str) -> Answer {
    world
        .send_text(&format!("{SHOP}/apply?{query}"), YAML, text)
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_is_one_transaction_and_the_second_time_none() {
    let world = World::new().await;
    let plan = world.send_text(&format!("{SHOP}/plan"), YAML, NETWORK).await;
    assert_eq!(
        (plan.status.as_u16(), &plan.body["dry_run"]),
        (200, &json!(true)),
        "{:#}",
        plan.body
    );
    assert_eq!(world.nbctl("ls-list"), "");
    let before = world.transactions();
    let first = apply(&world, "", NETWORK).await;
    assert_eq!(first.status, 200, "{:#}", first.body);
    assert_eq!(
        plan.body["diff"].as_array().map(Vec::len),
        first.body["diff"].as_array().map(Vec::len),
        "what was planned was done"
    );
    assert_eq!(world.transactions(), before + 1);
    assert!(world.nbctl("lsp-list front").contains("front-2"));
    assert!(
        world
            .nbctl("--bare --columns=cidr list DHCP_Options")
            .contains("10.1.0.0/24")
    );

    let again = apply(&world, "prune=true", NETWORK).await;
    assert_eq!(
        (again.status.as_u16(), &again.body["changed"]),
        (200, &json!(false)),
        "{:#}",
        again.body
    );
    assert_eq!(world.transactions(), before + 1, "nothing was sent");
    let list = world.get("/api/v1/ovn/documents").await;
    assert_eq!(list["items"][0]["owner"], "shop");
    let entry = world.get("/api/v1/ovn/journal?source=purlin").await["items"][0].clone();
    assert_eq!(
        (&entry["about"], &entry["owner"]),
        (&json!("document of shop"), &json!("shop"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_document_lacks_goes_when_that_is_said() {
    let world = World::new().await;
    apply(&world, "", NETWORK).await;
    world.nbctl("ls-add theirs");
    world
        .until("/api/v1/ovn/nb/Logical_Switch/theirs", Value::is_object)
        .await;
    let less = NETWORK.replace(
        "      - name: front-2\n        addresses: [\"02:00:00:00:01:02 10.1.0.12\"]\n",
        "",
    );
    let less = less.replace("[front-1, front-2]", "[front-1]");
    assert_eq!(apply(&world, "", &less).await.status, 200);
    assert!(
        world.nbctl("lsp-list front").contains("front-2"),
        "nothing goes by itself"
    );
    let pruned = apply(&world, "prune=true", &less).await;
    assert_eq!(pruned.status, 200, "{:#}", pruned.body);
    assert!(!world.nbctl("lsp-list front").contains("front-2"));
    for empty in ["", "{}"] {
        let refused = apply(&world, "prune=true", empty).await;
        assert_eq!(refused.status, 422, "{:#}", refused.body);
        assert!(
            refused.body["detail"].to_string().contains("switches: []"),
            "{:#}",
            refused.body
        );
        assert_eq!(apply(&world, "", empty).await.status, 200, "it asks for nothing");
    }
    let nothing = apply(&world, "prune=true", "switches: []").await;
    assert_eq!(nothing.status, 200, "{:#}", nothing.body);
    assert!(world.nbctl("ls-list").ends_with("(theirs)"), "others' rows stay");
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_and_export_say_how_the_network_is() {
    let world = World::new().await;
    let none = world
        .send(
            purlin_api::Role::Viewer,
            axum::http::Method::GET,
            &format!("{SHOP}/drift"),
            None,
            &Value::Null,
        )
        .await;
    assert_eq!(none.status, 404);
    apply(&world, "", NETWORK).await;
    let drift = world.get(&format!("{SHOP}/drift")).await;
    assert_eq!(drift["drifted"], false, "{drift:#}");
    world.nbctl("lsp-set-enabled front-1 disabled -- lsp-del front-2");
    let drift = world
        .until(&format!("{SHOP}/drift"), |drift| drift["drifted"] == true)
        .await;
    assert_eq!(drift["missing"], json!(["Logical_Switch_Port front-2"]));
    assert_eq!(drift["different"][0], "Logical_Switch front", "{drift:#}");
    // The document never spoke of `enabled`.
    assert_eq!(drift["extra"], json!([]));

    let export = world.get(&format!("{SHOP}/export")).await;
    assert_eq!(export["switches"][0]["ports"][0]["dhcpv4_options"], "front-dhcp");
    let as_yaml = format!("{SHOP}/export?format=yaml");
    let (_, text) = world.text(&as_yaml).await;
    assert!(text.contains("name: front\n"), "{text}");
    let same = apply(&world, "prune=true", &text).await;
    assert_eq!(
        (same.status.as_u16(), &same.body["changed"]),
        (200, &json!(false)),
        "{:#}",
        same.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_has_its_line() {
    let world = World::new().await;
    world.nbctl("ls-add front");
    world
        .until("/api/v1/ovn/nb/Logical_Switch/front", Value::is_object)
        .await;
    let cases = [
        (
            "switches:\n  - name: a\n    prots: []\n",
            3,
            "did you mean `ports`?",
        ),
        (
            "switches:\n  - name: a\n    ports:\n      - name: p\n        enabled: maybe\n",
            5,
            "true or false",
        ),
        ("swiches: []\n", 1, "did you mean `switches`?"),
        (
            "port_groups:\n  - name: g\n    ports:\n      - nobody\n",
            3,
            "there is no Logical_Switch_Port `nobody`",
        ),
        (
            "switches:\n  - name: x\n  - name: front\n",
            3,
            "there is one already, without an owner",
        ),
        ("switches: [\n", 2, "not valid YAML"),
    ];
    for (text, line, word) in cases {
        let answer = apply(&world, "", text).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.body["code"]),
            (422, &json!("PUR-3021")),
            "{text}{:#}",
            answer.body
        );
        let detail = answer.body["detail"].as_str().expect("words");
        assert!(detail.contains(word), "{text}{detail}");
        assert_eq!(
            answer.body["problems"][0]["line"], line,
            "{text}{:#}",
            answer.body
        );
    }
    let adopted = apply(&world, "adopt=true", "switches:\n  - name: front\n").await;
    assert_eq!(adopted.status, 200, "{:#}", adopted.body);
    assert_eq!(
        world.nbctl("get Logical_Switch front external_ids:purlin-owner"),
        "shop"
    );
    let wrong = world.send_text(&format!("{SHOP}/apply"), "text/html", "x").await;
    assert_eq!(wrong.status, 415);
}
