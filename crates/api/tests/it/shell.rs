//! Problems, headers, parameters, idempotency and audit, as every route has them.

use crate::support::{Api, Node};
use axum::http::{Method, StatusCode};
use purlin_api::access::Role;
use purlin_api::shell::Limits;
use purlin_api::{Open, route};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn every_error_is_a_problem_document() {
    let node = Node::new().await;
    let api = node.api([]);
    let cases = [
        (api.get("/nowhere").await, 404, "PUR-9404"),
        (api.delete("/api/v1/whoami").await, 405, "PUR-9405"),
        (api.get("/api/v1/tokens/none").await, 404, "PUR-9410"),
        (api.get("/api/v1/tokens?limit=0").await, 400, "PUR-9406"),
        (api.get("/api/v1/tokens?limt=5").await, 400, "PUR-9406"),
        (api.get("/api/v1/tokens?cursor=x").await, 400, "PUR-9407"),
        (
            api.post("/api/v1/tokens", &json!({ "name": "a" })).await,
            422,
            "PUR-9417",
        ),
        (
            api.post("/api/v1/tokens", &json!({ "name": "", "role": "viewer" }))
                .await,
            422,
            "PUR-9417",
        ),
        (api.anonymous().get("/api/v1/tokens").await, 401, "PUR-9401"),
        (api.with("pur_x").get("/api/v1/tokens").await, 401, "PUR-9402"),
    ];
    for (answer, status, code) in cases {
        assert_eq!(answer.code(), code, "{:?}", answer.body);
        assert_eq!(answer.status.as_u16(), status);
        assert!(answer.body["instance"].is_string() && answer.body["request_id"].is_string());
    }
}

#[tokio::test]
async fn paths_that_say_so_tell_error_and_details_too() {
    async fn pick(_: Open, name: purlin_api::asked::Name) -> Result<(), purlin_api::Problem> {
        Err(purlin_api::Problem::no_such("thing", &name.0))
    }
    let node = Node::new().await;
    let draft = route::get("/api/v1/things/{name}", pick)
        .summary("A thing")
        .answers(200, json!({}))
        .error_members();
    let api = node.api([route::Routes::new("things", &(), [draft])]);
    let cases = [
        (api.get("/api/v1/things/a").await, 404),
        (api.get("/api/v1/things/a?odd=1").await, 400),
        (api.delete("/api/v1/things/a").await, 405),
    ];
    for (answer, status) in cases {
        assert_eq!(answer.status.as_u16(), status, "{:?}", answer.body);
        assert_eq!(answer.body["error"], answer.body["title"]);
        assert_eq!(answer.body["details"], answer.body["detail"]);
        assert_eq!(answer.body["request_id"], answer.header("x-request-id"));
    }
    assert!(api.get("/api/v1/tokens/none").await.body["error"].is_null());
    let document = api.get("/api/v1/openapi.json").await.body;
    let told = &document["paths"]["/api/v1/things/{name}"]["get"]["responses"]["400"];
    let shape = &told["content"]["application/problem+json"]["schema"]["$ref"];
    assert_eq!(shape, "#/components/schemas/ErrorProblem");
}

#[tokio::test]
async fn bodies_that_are_no_json_are_told_so() {
    let node = Node::new().await;
    let api = node.api([]);
    let mut broken = api.request(Method::POST, "/api/v1/tokens", Some(&json!({})));
    *broken.body_mut() = "{".into();
    assert_eq!(api.send(broken).await.code(), "PUR-9416");
    let mut text = api.request(Method::POST, "/api/v1/tokens", Some(&json!({})));
    text.headers_mut()
        .insert("content-type", "text/plain".parse().unwrap());
    assert_eq!(api.send(text).await.code(), "PUR-9415");
    let mut large = api.request(Method::POST, "/api/v1/tokens", Some(&json!({})));
    *large.body_mut() = vec![b' '; purlin_api::shell::BODY_MAX + 1].into();
    assert_eq!(api.send(large).await.code(), "PUR-9413");
}

#[tokio::test]
async fn a_wrong_method_names_the_right_ones() {
    let node = Node::new().await;
    let answer = node.api([]).put("/api/v1/tokens", &json!({})).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(answer.header("allow").contains("POST"), "{:?}", answer.headers);
}

#[tokio::test]
async fn answers_carry_security_headers_and_the_request_id() {
    let node = Node::new().await;
    let api = node.api([]);
    let mut request = api.request(Method::GET, "/api/v1/whoami", None);
    request
        .headers_mut()
        .insert("x-request-id", "mine-1".parse().unwrap());
    let answer = api.send(request).await;
    assert_eq!(answer.header("x-request-id"), "mine-1");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("access-control-allow-origin"), "");
    let mut request = api.request(Method::GET, "/api/v1/whoami", None);
    request
        .headers_mut()
        .insert("x-request-id", "not a decent id".parse().unwrap());
    assert_eq!(api.send(request).await.header("x-request-id").len(), 16);
}

#[tokio::test]
async fn a_post_with_one_key_happens_once() {
    let node = Node::new().await;
    let api = node.api([]);
    let send = |name: &'static str| {
        let api = api.clone();
        async move {
            let body = json!({ "name": name, "role": "viewer" });
            let mut request = api.request(Method::POST, "/api/v1/tokens", Some(&body));
            request
                .headers_mut()
                .insert("idempotency-key", "k1".parse().unwrap());
            api.send(request).await
        }
    };
    let first = send("one").await;
    let again = send("one").await;
    assert_eq!(first.status, StatusCode::CREATED);
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(send("two").await.code(), "PUR-9430");
    assert_eq!(node.tokens.list().len(), 2);
    let audit = api.get("/api/v1/audit").await;
    assert_eq!(
        audit.body["items"].as_array().unwrap().len(),
        2,
        "the replay is no second deed: {}",
        audit.body
    );
}

#[tokio::test]
async fn writes_are_audited_and_dry_runs_are_not() {
    let node = Node::new().await;
    let api = node.api([]);
    let order = json!({ "name": "ci", "role": "operator" });
    assert_eq!(
        api.post("/api/v1/tokens?dryRun=true", &order).await.status,
        StatusCode::OK
    );
    for _ in 0..3 {
        assert_eq!(
            api.post("/api/v1/tokens", &order).await.status,
            StatusCode::CREATED
        );
    }
    let page = api.get("/api/v1/audit?limit=2").await.body;
    let rows = page["items"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0]["number"], 3);
    assert_eq!(
        (&rows[0]["name"], &rows[0]["path"], &rows[0]["status"]),
        (&json!("admin"), &json!("/api/v1/tokens"), &json!(201))
    );
    let next = page["next_cursor"].as_str().unwrap();
    let rest = api
        .get(&format!("/api/v1/audit?limit=2&cursor={next}"))
        .await
        .body;
    assert_eq!(rest["items"].as_array().unwrap().len(), 1);
    assert_eq!(rest["next_cursor"], json!(null));
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_that_come_together_are_each_audited_once() {
    let node = Node::new().await;
    let api = node.api([]);
    let writes = (0..100).map(|n| {
        let api = api.clone();
        let body = json!({ "name": format!("ci-{n}"), "role": "viewer" });
        tokio::spawn(async move { api.post("/api/v1/tokens", &body).await })
    });
    for write in writes.collect::<Vec<_>>() {
        let answer = write.await.unwrap();
        assert_eq!(answer.status, StatusCode::CREATED);
        assert_eq!(answer.header("x-purlin-audit"), "", "its row is there");
    }
    let page = api.get("/api/v1/audit?limit=1000").await.body;
    let rows = page["items"].as_array().unwrap();
    let numbers = rows.iter().map(|row| row["number"].as_u64().unwrap());
    assert!(numbers.eq((1..=100).rev()), "{page:#}");
    let requests: std::collections::BTreeSet<&str> = rows
        .iter()
        .map(|row| row["request_id"].as_str().unwrap())
        .collect();
    assert_eq!(requests.len(), 100, "each has a row of its own");
}

#[tokio::test]
async fn a_full_disk_is_told_and_changes_nothing() {
    let node = Node::new().await;
    let api = node.api([]);
    node.records.set_full(true);
    let answer = api
        .post("/api/v1/tokens", &json!({ "name": "x", "role": "viewer" }))
        .await;
    assert_eq!(answer.code(), "PUR-9507");
    assert_eq!(node.tokens.list().len(), 1);
}

#[tokio::test]
async fn codes_are_explained_without_login() {
    let node = Node::new().await;
    let api = node.api([]).anonymous();
    let problem = api.get("/nowhere").await;
    let explained = api.get(problem.body["type"].as_str().unwrap()).await;
    assert_eq!(explained.status, StatusCode::OK);
    assert_eq!(explained.body["slug"], "no_such_path");
}

#[tokio::test]
async fn roles_include_the_ones_before() {
    let node = Node::new().await;
    let api = node.api([]);
    for (role, status) in [(Role::Viewer, 403), (Role::Operator, 403), (Role::Admin, 200)] {
        let api = api.with(&node.token(role).await);
        assert_eq!(api.get("/api/v1/tokens").await.status.as_u16(), status);
        assert_eq!(api.get("/api/v1/whoami").await.body["role"], role.as_str());
    }
}

#[tokio::test]
async fn named_origins_may_call_and_others_may_not() {
    let node = Node::new().await;
    let limits = Limits {
        origins: vec!["https://console.example.com".into()],
        ..Limits::default()
    };
    let router = node.shell().limits(limits).router();
    let api = Api {
        router,
        token: Some(node.admin.clone()),
    };
    let from = |origin: &'static str, method: Method| {
        let mut request = api.request(method, "/api/v1/whoami", None);
        request.headers_mut().insert("origin", origin.parse().unwrap());
        request
            .headers_mut()
            .insert("access-control-request-method", "GET".parse().unwrap());
        request
    };
    let preflight = api
        .send(from("https://console.example.com", Method::OPTIONS))
        .await;
    assert_eq!(preflight.status, StatusCode::NO_CONTENT);
    assert!(
        preflight
            .header("access-control-allow-headers")
            .contains("authorization")
    );
    let answer = api.send(from("https://console.example.com", Method::GET)).await;
    assert_eq!(
        answer.header("access-control-allow-origin"),
        "https://console.example.com"
    );
    let stranger = api.send(from("https://other.example.com", Method::OPTIONS)).await;
    assert_eq!(
        (stranger.code(), stranger.header("access-control-allow-origin")),
        ("PUR-9405", "")
    );
}

#[tokio::test]
async fn a_smaller_body_limit_holds_with_and_without_a_key() {
    let node = Node::new().await;
    let router = node
        .shell()
        .limits(Limits {
            body_max: 100,
            ..Limits::default()
        })
        .router();
    let api = Api {
        router,
        token: Some(node.admin.clone()),
    };
    let body = json!({ "name": "x".repeat(100), "role": "viewer" });
    assert_eq!(api.post("/api/v1/tokens", &body).await.code(), "PUR-9413");
    let mut keyed = api.request(Method::POST, "/api/v1/tokens", Some(&body));
    keyed
        .headers_mut()
        .insert("idempotency-key", "k".parse().unwrap());
    assert_eq!(api.send(keyed).await.code(), "PUR-9413");
}

#[tokio::test]
async fn an_unchanged_object_is_not_sent_again() {
    let node = Node::new().await;
    let route =
        route::get("/tagged", |_: Open| async { ([("etag", "\"a\"")], "body") }).answers(200, json!({}));
    let api = node.api([route::Routes::new("test", &(), [route])]);
    let mut request = api.request(Method::GET, "/tagged", None);
    request
        .headers_mut()
        .insert("if-none-match", "\"b\", \"a\"".parse().unwrap());
    let answer = api.send(request).await;
    assert_eq!(
        (answer.status, answer.body),
        (StatusCode::NOT_MODIFIED, json!(null))
    );
}

#[tokio::test]
async fn a_handler_that_panics_or_hangs_ends_in_a_problem() {
    let node = Node::new().await;
    async fn panics(_: Open) -> &'static str {
        panic!("on purpose")
    }
    async fn hangs(_: Open) -> &'static str {
        std::future::pending().await
    }
    let drafts = [
        route::get("/panics", panics),
        route::post("/panics", panics),
        route::get("/hangs", hangs),
    ];
    let limits = Limits {
        request_timeout: Duration::from_millis(20),
        ..Limits::default()
    };
    let router = node
        .shell()
        .mount(route::Routes::new("test", &(), drafts))
        .limits(limits)
        .router();
    let api = Api { router, token: None };
    assert_eq!(api.get("/panics").await.code(), "PUR-9500");
    assert_eq!(api.post("/panics", &json!({})).await.code(), "PUR-9500");
    assert_eq!(api.get("/hangs").await.code(), "PUR-9504");
}
