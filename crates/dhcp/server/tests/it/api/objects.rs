//! Subnets, pools, reservations and classes as views of the configuration.

use super::bench::Bench;
use crate::server::run;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

#[test]
fn a_new_subnet_serves_at_once_and_its_undo_takes_it_back() {
    run(async {
        let bench = Bench::new().await;
        let subnet = json!({"name": "lab", "network": "10.9.0.0/16", "pools": ["10.9.1.0-10.9.1.9"]});
        let made = bench.post("/api/v1/dhcp/subnets", &subnet).await;
        assert_eq!(made.status, StatusCode::CREATED, "{:#}", made.body);
        assert_eq!(
            (&made.body["revision"], &made.body["object"]["name"]),
            (&json!(2), &json!("lab"))
        );
        let address = bench.relay([10, 9, 0, 1]).lease(7);
        assert_eq!(address.octets()[..2], [10, 9]);
        let seen = bench.get("/api/v1/subnets/lab").await;
        assert_eq!(seen.body["utilization"]["bound"], 1);
        assert_eq!(seen.body["utilization"]["ratio"], 0.1);
        let pool = bench.get("/api/v1/dhcp/pools/10.9.1.0-10.9.1.9").await.body;
        let counts = &pool["utilization"];
        assert_eq!(
            (&counts["size"], &counts["bound"], &counts["free"]),
            (&json!(10), &json!(1), &json!(9)),
            "{pool}"
        );
        let rows = bench.get("/api/v1/dhcp/forecast?subnet=lab").await.body;
        let row = &rows["items"][0];
        assert_eq!(
            (&row["pool"], &row["used"], &rows["items"][1]),
            (&json!("10.9.1.0-10.9.1.9"), &json!(1), &Value::Null),
            "{rows}"
        );

        assert_eq!(
            bench.post("/api/v1/dhcp/subnets", &subnet).await.body["code"],
            "PUR-9409"
        );
        let undo = made.body["undo"].as_str().unwrap();
        assert_eq!(bench.post(undo, &json!({})).await.body["revision"], 3);
        assert_eq!(
            bench.get("/api/v1/dhcp/subnets/lab").await.body["code"],
            "PUR-9410"
        );
        bench.server.stop().await;
    });
}

#[test]
fn a_faulty_change_is_told_whole_and_changes_nothing() {
    run(async {
        let bench = Bench::new().await;
        let overlapping = json!({"name": "x", "network": "10.1.128.0/17", "gatewy": "10.1.0.1"});
        let answer = bench.post("/api/v1/dhcp/subnets", &overlapping).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.body["code"]),
            (422, &json!("PUR-9422"))
        );
        let told = answer.body["errors"].to_string();
        assert!(told.contains("did you mean `gateway`?"), "{told}");
        assert!(
            told.contains("gatewy") && told.contains("10.1.128.0/17"),
            "{told}"
        );
        assert_eq!(
            bench.get("/api/v1/dhcp/subnets").await.body["items"]
                .as_array()
                .unwrap()
                .len(),
            2
        );
        bench.server.stop().await;
    });
}

#[test]
fn what_was_read_can_be_sent_back_changed_once() {
    run(async {
        let bench = Bench::new().await;
        let read = bench.get("/api/v1/dhcp/subnets/a").await;
        let tag = read.headers["etag"].to_str().unwrap().to_owned();
        let mut subnet = read.body.clone();
        subnet["lease_time"] = json!("2h");
        let path = "/api/v1/dhcp/subnets/a";
        let put = bench.send(Method::PUT, path, Some(&subnet), Some(&tag)).await;
        assert_eq!(put.status, StatusCode::OK, "{:#}", put.body);
        assert_eq!(put.body["changes"][0]["path"], "dhcp.subnets[a].lease_time");
        let stale = bench.send(Method::PUT, path, Some(&subnet), Some(&tag)).await;
        assert_eq!(stale.body["code"], "PUR-9412");
        let by_revision = bench.send(Method::DELETE, path, None, Some("\"r2\"")).await;
        assert_eq!(by_revision.status, StatusCode::OK);
        bench.server.stop().await;
    });
}

#[test]
fn a_patch_sets_and_takes_away() {
    run(async {
        let bench = Bench::new().await;
        let patch = json!({"lease_time": null, "gateway": "10.1.0.1"});
        let path = "/api/v1/dhcp/subnets/a";
        let dry = bench
            .send(Method::PATCH, &format!("{path}?dryRun=true"), Some(&patch), None)
            .await;
        assert_eq!(
            (&dry.body["dry_run"], &dry.body["changes_total"]),
            (&json!(true), &json!(2))
        );
        assert_eq!(bench.get(path).await.body["lease_time"], "1h");
        bench.send(Method::PATCH, path, Some(&patch), None).await;
        let after = bench.get(path).await.body;
        assert_eq!(
            (after.get("lease_time"), &after["gateway"]),
            (None, &json!("10.1.0.1"))
        );
        bench.server.stop().await;
    });
}

#[test]
fn pools_and_reservations_live_in_their_subnets() {
    run(async {
        let bench = Bench::new().await;
        let pool = json!({"subnet": "a", "range": "10.1.2.0/24"});
        let made = bench.post("/api/v1/dhcp/pools", &pool).await;
        assert_eq!(made.body["object"]["id"], "10.1.2.0-10.1.2.255");
        let reservation = json!({"subnet": "a", "mac": "02-00-00-00-00-07", "address": "10.1.0.77"});
        let made = bench.post("/api/v1/dhcp/reservations", &reservation).await;
        assert_eq!(
            made.body["object"]["id"], "mac:02:00:00:00:00:07",
            "{:#}",
            made.body
        );
        assert_eq!(bench.relay([10, 1, 0, 1]).lease(7).to_string(), "10.1.0.77");

        let moved = json!({"address": "10.1.0.78"});
        let path = "/api/v1/reservations/02:00:00:00:00:07";
        assert_eq!(
            bench.send(Method::PATCH, path, Some(&moved), None).await.status,
            StatusCode::OK
        );
        assert_eq!(
            bench.get("/api/v1/reservations/10.1.0.78").await.body["subnet"],
            "a"
        );
        let removed = bench
            .send(Method::DELETE, "/api/v1/pools/10.1.2.0-10.1.2.255", None, None)
            .await;
        assert_eq!(removed.status, StatusCode::OK);
        let pools = bench.get("/api/v1/pools?subnet=a").await.body;
        assert_eq!(pools["items"].as_array().unwrap().len(), 1);
        let nowhere = json!({"subnet": "none", "range": "10.1.3.0/24"});
        assert_eq!(
            bench.post("/api/v1/pools", &nowhere).await.body["code"],
            "PUR-9410"
        );
        bench.server.stop().await;
    });
}

#[test]
fn classes_come_and_go() {
    run(async {
        let bench = Bench::new().await;
        let class = json!({"name": "phones", "test": "option[60].text startswith 'Phone'"});
        assert_eq!(
            bench.post("/api/v1/classes", &class).await.status,
            StatusCode::CREATED
        );
        let broken = json!({"name": "broken", "test": "option[60"});
        assert_eq!(
            bench.post("/api/v1/classes", &broken).await.body["code"],
            "PUR-9422"
        );
        let listed = bench.get("/api/v1/dhcp/classes?fields=name").await.body;
        assert_eq!(listed["items"], json!([{"name": "phones"}]));
        let gone = bench
            .send(Method::DELETE, "/api/v1/classes/phones", None, None)
            .await;
        assert_eq!(gone.body["object"]["name"], "phones");
        bench.server.stop().await;
    });
}

#[test]
fn every_member_of_every_list_can_be_chosen() {
    run(async {
        let bench = Bench::new().await;
        let reservation =
            json!({"mac": "02:00:00:00:01:01", "address": "10.2.0.1", "subnet": "b", "mtu": 1400});
        bench.post("/api/v1/reservations", &reservation).await;
        bench
            .post("/api/v1/classes", &json!({"name": "phones", "boot_file": "x"}))
            .await;
        bench.relay([10, 1, 0, 1]).lease(1);
        for path in [
            "subnets",
            "pools",
            "reservations",
            "classes",
            "leases",
            "decisions",
        ] {
            let path = format!("/api/v1/dhcp/{path}");
            let all = bench.get(&path).await.body;
            let row = all["items"][0].as_object().expect("there is one");
            let names: Vec<&str> = row.keys().map(String::as_str).collect();
            let chosen = bench.get(&format!("{path}?fields={}", names.join(","))).await;
            assert_eq!(chosen.body["items"][0], all["items"][0], "{path}");
            let refused = bench.get(&format!("{path}?fields={}x", names[0])).await.body;
            assert_eq!(
                (&refused["code"], &refused["nearest"]),
                (&json!("PUR-9406"), &json!(names[0]))
            );
        }
        // A key that no object here has set is known all the same.
        let routers = bench.get("/api/v1/subnets?fields=gateway").await;
        assert_eq!(routers.body["items"][0], json!({}));
        bench.server.stop().await;
    });
}

#[test]
fn many_reservations_are_paged_and_searched() {
    run(async {
        let bench = Bench::new().await;
        let all: Vec<Value> = (0..250)
            .map(|n| json!({"mac": format!("02:00:00:00:01:{n:02x}"), "address": format!("10.2.0.{n}")}))
            .collect();
        let patch = json!({"reservations": all[1..].to_vec()});
        let patched = bench
            .send(Method::PATCH, "/api/v1/subnets/b", Some(&patch), None)
            .await;
        assert_eq!(patched.status, StatusCode::OK, "{:#}", patched.body);
        let first = bench.get("/api/v1/reservations?limit=200").await.body;
        let rest = bench.get("/api/v1/reservations?limit=200&cursor=200").await.body;
        let count = |page: &Value| page["items"].as_array().unwrap().len();
        assert_eq!(
            (count(&first), count(&rest), &rest["next_cursor"]),
            (200, 49, &Value::Null)
        );
        assert_eq!(
            count(&bench.get("/api/v1/reservations?q=10.2.0.24").await.body),
            11
        );
        bench.server.stop().await;
    });
}

#[test]
fn what_the_document_does_not_allow_in_a_body_is_refused() {
    run(async {
        let bench = Bench::new().await;
        let path = "/api/v1/dhcp/subnets";
        for (member, value) in [
            ("lease_time", json!(null)),
            ("options", json!({"42": null})),
            ("shared_network", json!(5)),
            ("mtu", json!("large")),
            ("gatewy", json!("10.9.0.1")),
        ] {
            let mut subnet = json!({"name": "n", "network": "10.9.0.0/24"});
            subnet[member] = value;
            let answer = bench.post(path, &subnet).await;
            assert_eq!(answer.status.as_u16(), 422, "{member}: {:#}", answer.body);
            assert!(answer.body.to_string().contains(member), "{:#}", answer.body);
        }
        let document = bench.get("/api/v1/openapi.json").await.body;
        let schemas = &document["components"]["schemas"];
        for noun in ["Subnet", "Pool", "Reservation", "Class"] {
            let body = &schemas[format!("New{noun}")];
            assert_eq!(body["additionalProperties"], false, "{noun}");
            assert!(body["properties"]["lease_time"].is_object(), "{noun}");
            assert!(schemas[format!("{noun}Patch")]["required"].is_null(), "{noun}");
        }
        bench.server.stop().await;
    });
}

#[test]
fn an_if_match_that_is_no_tag_changes_nothing_and_says_how_to_write_it() {
    run(async {
        let bench = Bench::new().await;
        for tag in ["", "r1"] {
            let path = "/api/v1/dhcp/subnets/a";
            let answer = bench.send(Method::DELETE, path, None, Some(tag)).await;
            assert_eq!(
                (answer.status.as_u16(), &answer.body["code"]),
                (400, &json!("PUR-9406"))
            );
        }
        bench.server.stop().await;
    });
}
