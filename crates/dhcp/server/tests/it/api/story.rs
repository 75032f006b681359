//! Leases, decisions, the story of a client, and the load.

use super::bench::Bench;
use crate::server::{run, until};
use axum::http::{Method, StatusCode};
use purlin_api::events::{EventSource, Follower, Topics};
use purlin_dhcp_core::view::{PoolUse, SubnetUse};
use purlin_dhcp_server::forecast::Uses;
use purlin_dhcp_server::routes::DecisionEvents;
use purlin_store::contract::MemoryRecords;
use serde_json::{Value, json};
use std::sync::Arc;

fn mac(client: u32) -> String {
    let [a, b, c, d] = client.to_be_bytes();
    format!("02:00:{a:02x}:{b:02x}:{c:02x}:{d:02x}")
}

#[test]
fn leases_are_found_by_part_of_anything_page_by_page() {
    run(async {
        let bench = Bench::new().await;
        for client in 0..25 {
            bench.relay([10, 1 + (client % 2) as u8, 0, 1]).lease(client);
        }
        let mut seen = Vec::new();
        let mut path = "/api/v1/leases?limit=10&state=bound".to_owned();
        loop {
            let page = bench.get(&path).await.body;
            seen.extend(
                page["items"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|lease| lease["mac"].as_str().unwrap().to_owned()),
            );
            match page["next_cursor"].as_str() {
                Some(next) => path = format!("/api/v1/leases?limit=10&state=bound&cursor={next}"),
                None => break,
            }
        }
        seen.sort();
        assert_eq!(seen, (0..25).map(mac).collect::<Vec<_>>());
        let found = bench.get("/api/v1/dhcp/leases?q=00:18&subnet=a").await.body;
        assert_eq!(found["items"].as_array().unwrap().len(), 1, "{found:#}");
        assert_eq!(
            bench.get("/api/v1/leases?state=odd").await.body["code"],
            "PUR-9406"
        );
        assert_eq!(
            bench.get("/api/v1/leases/10.1.1.200").await.body["code"],
            "PUR-9410"
        );
        bench.server.stop().await;
    });
}

#[test]
fn an_operator_ends_leases_one_and_many() {
    run(async {
        let bench = Bench::new().await;
        let addresses: Vec<_> = (0..5)
            .map(|client| bench.relay([10, 1, 0, 1]).lease(client))
            .collect();
        let one = format!("/api/v1/leases/{}", addresses[0]);
        let dry = bench
            .send(Method::DELETE, &format!("{one}?dryRun=true"), None, None)
            .await;
        assert_eq!(
            (&dry.body["released"], &bench.get(&one).await.body["state"]),
            (&json!(false), &json!("bound"))
        );
        assert_eq!(
            bench.send(Method::DELETE, &one, None, None).await.body["released"],
            true
        );
        assert_eq!(bench.get(&one).await.body["state"], "released");
        assert_eq!(
            bench.send(Method::DELETE, &one, None, None).await.status,
            StatusCode::NOT_FOUND
        );
        let many = bench
            .post("/api/v1/leases/release", &json!({"addresses": &addresses[..2]}))
            .await
            .body;
        assert_eq!((&many["released"], &many["not_held"]), (&json!(1), &json!(1)));
        let rest = bench
            .post("/api/v1/leases/release", &json!({"subnet": "a"}))
            .await
            .body;
        assert_eq!((&rest["released"], &rest["more"]), (&json!(3), &json!(false)));
        assert_eq!(
            bench.post("/api/v1/leases/release", &json!({})).await.body["code"],
            "PUR-9417"
        );
        bench.server.stop().await;
    });
}

#[test]
fn the_story_of_a_client_is_told_by_every_name() {
    run(async {
        let bench = Bench::new().await;
        let address = bench.relay([10, 1, 0, 1]).lease(9);
        for subject in [mac(9), address.to_string()] {
            let story = bench.get(&format!("/api/v1/why?subject={subject}")).await.body;
            let summary = story["summary"].as_str().unwrap();
            assert!(
                summary.contains(&address.to_string()) && summary.contains(&mac(9)),
                "{summary}"
            );
            let answers: Vec<&str> = story["decisions"]
                .as_array()
                .unwrap()
                .iter()
                .map(|d| d["answer"].as_str().unwrap())
                .collect();
            assert_eq!(answers, ["DHCPOFFER", "DHCPACK"], "{story:#}");
        }
        bench.server.stop().await;
    });
}

#[test]
fn silence_is_part_of_the_story() {
    run(async {
        let bench = Bench::new().await;
        bench.relay([10, 77, 0, 1]).discover(3);
        let path = format!("/api/v1/why?subject={}", mac(3));
        let story = until(|| bench.get(&path), |story| story.body["seen"] == true)
            .await
            .body;
        let summary = story["summary"].as_str().unwrap();
        assert!(
            summary.contains("got no answer") && summary.contains("no subnet matches giaddr 10.77.0.1"),
            "{summary}"
        );
        assert!(
            story["decisions"][0]["fix"]
                .as_str()
                .unwrap()
                .contains("Add a subnet")
        );
        let decisions = bench
            .get(&format!("/api/v1/decisions?mac={}&notable=true", mac(3)))
            .await
            .body;
        assert_eq!(decisions["items"][0]["code"], "PUR-1101");

        let unknown = bench.get("/api/v1/why?subject=nobody").await;
        assert_eq!(
            (unknown.status, &unknown.body["seen"]),
            (StatusCode::OK, &json!(false))
        );
        assert!(!unknown.body["checks"].as_array().unwrap().is_empty());
        assert_eq!(bench.get("/api/v1/why").await.body["code"], "PUR-9406");
        bench.server.stop().await;
    });
}

#[test]
fn a_pool_without_a_history_is_forecast_as_unknown() {
    run(async {
        let bench = Bench::new().await;
        let page = bench.get("/api/v1/dhcp/forecast").await.body;
        let row = &page["items"][0];
        assert_eq!(
            (&row["state"], &row["confidence"]),
            (&json!("unknown"), &json!("none")),
            "{page}"
        );
        bench.server.stop().await;
    });
}

#[test]
fn uses_are_remembered_by_subnet_and_forgotten_with_it() {
    run(async {
        let uses = Uses::new(Arc::new(MemoryRecords::default()));
        let of = |subnet: &str, bound| SubnetUse {
            network: "all".into(),
            subnet: subnet.into(),
            size: 100,
            bound,
            offered: 5,
            declined: 1,
            reusable: 0,
            reserved: 0,
            pools: vec![PoolUse {
                range: "10.0.0.0-10.0.0.99".parse().expect("a range"),
                bound,
                offered: 5,
                declined: 1,
                reusable: 0,
            }],
        };
        for n in 0..10 {
            let usage = [of("a", n), of("b", 2 * n)];
            uses.note(1000 + n * 300, &usage).await.expect("memory takes it");
        }
        let known = uses.read().await.expect("memory can be read");
        let last = known["b"].samples().last().map(|sample| (sample.at, sample.used));
        assert_eq!((known.len(), last), (2, Some((3700, 19))));
        uses.note(4000, &[of("a", 11)]).await.expect("memory takes it");
        let known = uses.read().await.expect("memory can be read");
        assert_eq!((known.len(), known["a"].samples().len()), (1, 11));
        // A second pool: the subnet's history goes on, and each pool has its own beside it.
        let mut several = of("a", 11);
        several.pools.push(PoolUse {
            range: "10.0.1.0-10.0.1.9".parse().expect("a range"),
            bound: 3,
            ..several.pools[0]
        });
        uses.note(4300, &[several]).await.expect("memory takes it");
        let known = uses.read().await.expect("memory can be read");
        let last = |key: &str| known[key].samples().last().map(|sample| sample.used);
        assert_eq!(
            (known["a"].samples().len(), last("a")),
            (12, Some(16)),
            "of both together"
        );
        assert_eq!(last("a\u{1f}10.0.1.0-10.0.1.9"), Some(4));
    });
}

#[test]
fn decisions_lead_to_older_ones_by_cursor() {
    run(async {
        let bench = Bench::new().await;
        bench.relay([10, 1, 0, 1]).lease(1);
        let newest = bench.get("/api/v1/decisions?limit=1&fields=seq").await.body;
        assert_eq!(newest["overwritten"], 0);
        let cursor = newest["next_cursor"].as_str().unwrap();
        let older = bench
            .get(&format!("/api/v1/decisions?cursor={cursor}"))
            .await
            .body;
        assert_eq!(older["next_cursor"], Value::Null);
        assert!(!older["items"].as_array().unwrap().contains(&newest["items"][0]));
        for bad in ["00000001-0.0", "abc", "12"] {
            let refused = bench.get(&format!("/api/v1/decisions?cursor={bad}")).await;
            assert_eq!(refused.body["code"], "PUR-9407", "{bad}");
        }
        bench.server.stop().await;
    });
}

#[test]
fn decisions_become_events_without_loss() {
    run(async {
        let bench = Bench::new().await;
        let source: Arc<dyn EventSource> = Arc::new(DecisionEvents::new(bench.server.handle.clone()).await);
        assert_eq!(source.lanes(), 2);
        let mut reader = Follower::new(source.clone(), 1, Topics::parse("dhcp.lease"), None).await;
        for client in 0..20 {
            bench.relay([10, 1 + (client % 2) as u8, 0, 1]).lease(client);
        }
        let mut seen = Vec::new();
        while seen.len() < 20 {
            let item = reader.next().await;
            assert_eq!(item.topic, "dhcp.lease.bound_new");
            seen.push(item.data["mac"].as_str().unwrap().to_owned());
            let after = Some(item.id.parse().unwrap());
            reader = Follower::new(source.clone(), 1, Topics::parse("dhcp.lease"), after).await;
        }
        seen.sort();
        assert_eq!(seen, (0..20).map(mac).collect::<Vec<_>>());
        bench.server.stop().await;
    });
}

#[test]
fn every_dhcp_route_is_in_the_document() {
    run(async {
        let bench = Bench::new().await;
        let paths = bench.document["paths"].as_object().unwrap();
        for noun in ["subnets", "pools", "reservations", "classes", "leases"] {
            for path in [format!("/api/v1/dhcp/{noun}"), format!("/api/v1/{noun}")] {
                assert!(paths.contains_key(&path), "{path}");
            }
        }
        let roles = paths
            .iter()
            .filter(|(path, _)| path.contains("dhcp"))
            .flat_map(|(_, item)| {
                item.as_object()
                    .unwrap()
                    .iter()
                    .map(|(method, operation)| (method.as_str(), &operation["x-role"]))
            });
        for (method, role) in roles {
            let expected = if method == "get" { "viewer" } else { "operator" };
            assert_eq!(role, &Value::from(expected));
        }
        bench.server.stop().await;
    });
}
