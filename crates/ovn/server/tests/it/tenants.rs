//! Two tenants on one northbound: neither sees, names or changes what the other has, over any route.

mod documents;
mod kept;
mod packets;
mod streams;
mod trying;

use crate::world::{Answer, World};
use axum::http::{Method, StatusCode};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use purlin_api::access::{Caller, Role};
use purlin_api::tenancy::{Accounts, Bound, Note, Tenancy};
use purlin_api::{Problem, Shell};
use purlin_ovn_server::{Platform, Settings, Tools, routes};
use purlin_ovsdb::client::{Config, parse_endpoints};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::watch;

/// Keys that say themselves what they are: `key:acme`, `key:acme:max_switches=2`.
pub(crate) struct Keys;

impl Accounts for Keys {
    fn recognises(&self, text: &str) -> bool {
        text.starts_with("key:")
    }

    fn login<'a>(&'a self, text: &'a str) -> BoxFuture<'a, Result<Option<Caller>, Problem>> {
        std::future::ready(Ok(caller(text))).boxed()
    }

    fn tenancy(&self, _: &Caller, wanted: &str) -> Result<Arc<Tenancy>, Problem> {
        Err(Problem::no_such("tenant", wanted))
    }

    fn again(&self, caller: &Caller) -> Option<Caller> {
        self::caller(&caller.token)
    }

    fn changes(&self) -> watch::Receiver<u64> {
        // Nobody takes anything back.
        watch::channel(0).1
    }
}

/// Who says so has it.
fn caller(text: &str) -> Option<Caller> {
    let mut words = text.split(':').skip(1);
    let name = words.next()?;
    let external = words.clone().any(|word| word == "external");
    let quota = |word: &str| {
        let (quota, most) = word.split_once('=')?;
        Some((quota.to_owned(), most.parse().ok()?))
    };
    let tenancy = Tenancy {
        id: format!("t-{name}"),
        name: name.to_owned(),
        role: Role::Operator,
        prefix: format!("{name}-"),
        external,
        approval: false,
        audited: true,
        bounds: vec![Bound {
            of: name.to_owned(),
            tenants: vec![format!("t-{name}")],
            quotas: words.filter_map(quota).collect(),
        }],
        root: format!("t-{name}"),
        scopes: None,
    };
    Some(Caller {
        token: text.to_owned(),
        name: format!("{name}-robot"),
        role: Role::Operator,
        own_role: Role::Member,
        tenant: Some(Arc::new(tenancy)),
        note: Note::default(),
        source: None,
        request: String::new(),
    })
}

const ACME: &str = "key:acme";
const BOLT: &str = "key:bolt";

async fn ask(world: &World, key: &str, method: Method, path: &str, body: Value) -> Answer {
    world.send_as(key, method, path, None, &body).await
}

async fn make(world: &World, key: &str, path: &str, body: Value) -> String {
    let answer = ask(world, key, Method::POST, path, body).await;
    assert!(answer.status.is_success(), "{path}: {:#}", answer.body);
    answer.body["row"]["_uuid"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// The same network for each of two tenants: a switch with ports and a rule, a router, a group, a set, options.
async fn networks(world: &World) -> [Vec<String>; 2] {
    let mut all = Vec::new();
    for (key, name) in [(ACME, "acme"), (BOLT, "bolt")] {
        let mut rows = Vec::new();
        let nb = |table: &str| format!("/api/v1/ovn/nb/{table}");
        rows.push(
            make(
                world,
                key,
                &nb("Logical_Switch"),
                json!({"name": format!("{name}-web")}),
            )
            .await,
        );
        for port in ["vm1", "vm2"] {
            let path = format!("{}?parent=Logical_Switch/{name}-web", nb("Logical_Switch_Port"));
            rows.push(make(world, key, &path, json!({"name": format!("{name}-{port}")})).await);
        }
        let path = format!("{}?parent=Logical_Switch/{name}-web", nb("ACL"));
        let rule = json!({"priority": 1, "direction": "to-lport", "match": format!("outport == \"{name}-vm1\""), "action": "drop", "name": format!("{name}-rule")});
        rows.push(make(world, key, &path, rule).await);
        rows.push(
            make(
                world,
                key,
                &nb("Logical_Router"),
                json!({"name": format!("{name}-r0")}),
            )
            .await,
        );
        let path = format!("{}?parent=Logical_Router/{name}-r0", nb("Logical_Router_Port"));
        let port = json!({"name": format!("{name}-r0-web"), "mac": "02:00:00:00:00:01", "networks": ["10.0.0.1/24"]});
        rows.push(make(world, key, &path, port).await);
        rows.push(
            make(
                world,
                key,
                &nb("Port_Group"),
                json!({"name": format!("{name}_all"), "ports": [rows[1]]}),
            )
            .await,
        );
        rows.push(
            make(
                world,
                key,
                &nb("Address_Set"),
                json!({"name": format!("{name}_hosts"), "addresses": ["10.0.0.5"]}),
            )
            .await,
        );
        let options = json!({"cidr": "10.0.0.0/24", "external_ids": {"colour": name},
            "options": {"server_id": "10.0.0.1", "server_mac": "02:00:00:00:00:01", "lease_time": "3600"}});
        rows.push(make(world, key, &nb("DHCP_Options"), options).await);
        all.push(rows);
    }
    let bolt = all.pop().expect("two");
    [all.pop().expect("two"), bolt]
}

/// Every path that can be read, with words in place of its names.
fn readable(world: &World, words: &[String]) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    let tables = purlin_ovn_core::model::nb_schema().tables.keys();
    let tables: Vec<&String> = tables.collect();
    let platform = platform(world);
    for entry in routes(&platform)
        .entries()
        .filter(|entry| entry.method == Method::GET)
    {
        for path in entry.paths() {
            let with_tables: Vec<String> = match path.contains("{table}") {
                true => tables
                    .iter()
                    .map(|table| path.replace("{table}", table))
                    .collect(),
                false => vec![path.to_owned()],
            };
            for path in with_tables {
                match path.find('{').zip(path.rfind('}')) {
                    Some((from, to)) if !path[from..to].contains('/') => {
                        paths.extend(
                            words
                                .iter()
                                .map(|word| format!("{}{word}{}", &path[..from], &path[to + 1..])),
                        );
                    }
                    Some(_) => {}
                    None => {
                        let sorted = entry.params.iter().any(|param| param.name == "sort");
                        if sorted {
                            // Columns with an index, and without.
                            let more = [
                                "sort=name",
                                "sort=priority",
                                "external_ids:colour=bolt",
                                "action=drop",
                            ];
                            paths.extend(more.map(|more| format!("{path}?{more}")));
                        }
                        for (name, value) in [
                            ("owned_by", "purlin"),
                            ("name", "bolt-web"),
                            ("around", "bolt-web"),
                        ] {
                            if entry.params.iter().any(|param| param.name == name) {
                                paths.insert(format!("{path}?{name}={value}"));
                            }
                        }
                        paths.insert(path);
                    }
                }
            }
        }
    }
    paths
}

/// Another node over the same database.
fn platform(world: &World) -> Platform {
    let endpoints = format!("unix:{}", world.socket().display());
    Platform::start(Settings {
        northbound: Config::new(
            "OVN_Northbound",
            parse_endpoints(&endpoints).expect("an endpoint"),
        ),
        southbound: None,
        origin: "given",
        unattended: false,
        tools: Tools {
            folder: world.socket().with_file_name("scratch-of-another"),
            tls: None,
        },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_shows_one_tenant_what_another_has() {
    let world = World::new().await;
    let [own, mut others] = networks(&world).await;
    others.extend(kept::things(&world, BOLT, "bolt").await);
    kept::things(&world, ACME, "acme").await;
    let mut words: Vec<String> = own.iter().chain(&others).cloned().collect();
    let names = ["web", "vm1", "r0", "r0-web", "rule"];
    words.extend(
        names
            .iter()
            .flat_map(|name| [format!("acme-{name}"), format!("bolt-{name}")]),
    );
    words.extend(["bolt_all", "bolt_hosts"].map(str::to_owned));
    let (mut shown, mut refused) = (0, 0);
    // Of a stream nobody waits for the end: see `streams`.
    let mut paths = readable(&world, &words);
    paths.retain(|path| !path.ends_with("/stream"));
    // What is kept of the whole is there, and would be handed out.
    for path in &paths {
        world
            .send(Role::Viewer, Method::GET, path, None, &Value::Null)
            .await;
    }
    for path in paths {
        let answer = ask(&world, ACME, Method::GET, &path, Value::Null).await;
        let told = answer.body.to_string();
        let mark = |word: &&String| told.contains(word.as_str());
        if answer.status == 200 {
            shown += 1;
            assert!(!told.contains("bolt"), "GET {path} shows another's names: {told}");
            assert!(
                others.iter().find(mark).is_none(),
                "GET {path} shows another's rows: {told}"
            );
        } else {
            refused += 1;
            let asked_for = words.iter().any(|word| path.contains(word.as_str()));
            let whole = answer.status == StatusCode::FORBIDDEN && answer.body["slug"] == "beyond_tenant";
            assert!(
                asked_for || whole || answer.status == StatusCode::NOT_FOUND || path.contains('?'),
                "GET {path}: {told}"
            );
            // What is said is what was asked, and nothing else.
            let said = words
                .iter()
                .filter(|word| !path.contains(word.as_str()) && word.contains("bolt"));
            assert!(
                said.clone().all(|word| !told.contains(word.as_str())),
                "GET {path}: {told}"
            );
        }
    }
    assert!(
        shown > 60 && refused > 100,
        "{shown} shown, {refused} refused: the walk has met too little"
    );
    // The walk would have seen it.
    let all = world
        .get("/api/v1/ovn/nb/Logical_Switch?sort=name")
        .await
        .to_string();
    assert!(all.contains("bolt-web") && all.contains("acme-web"));
    let own = ask(
        &world,
        ACME,
        Method::GET,
        "/api/v1/ovn/nb/Logical_Switch?sort=name",
        Value::Null,
    )
    .await;
    assert_eq!(own.body["items"].as_array().map(Vec::len), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_has_is_answered_as_what_nobody_has() {
    let world = World::new().await;
    let [_, others] = networks(&world).await;
    let nowhere = "00000000-0000-4000-8000-000000000000";
    let shapes: [(Method, &str, Value); 6] = [
        (Method::GET, "/api/v1/ovn/nb/Logical_Switch/ID", Value::Null),
        (
            Method::PATCH,
            "/api/v1/ovn/nb/Logical_Switch/ID",
            json!({"name": "acme-x"}),
        ),
        (Method::DELETE, "/api/v1/ovn/nb/Logical_Switch/ID", Value::Null),
        (
            Method::POST,
            "/api/v1/ovn/nb/Logical_Switch_Port?parent=Logical_Switch/ID",
            json!({"name": "acme-p"}),
        ),
        (Method::DELETE, "/api/v1/switches/ID", Value::Null),
        (
            Method::POST,
            "/api/v1/ovn/changes",
            json!({"changes": [{"op": "delete", "table": "Logical_Switch", "row": "ID"}]}),
        ),
    ];
    for (method, path, body) in shapes {
        let mut told = Vec::new();
        for id in [others[0].as_str(), nowhere] {
            let body: Value = serde_json::from_str(&body.to_string().replace("ID", id)).expect("JSON");
            let answer = ask(&world, ACME, method.clone(), &path.replace("ID", id), body).await;
            let mut document = answer.body.clone();
            document["request_id"] = Value::Null;
            told.push((answer.status, document.to_string().replace(id, "ID")));
        }
        assert_eq!(told[0], told[1], "{method} {path}");
        assert_eq!(told[0].0, StatusCode::NOT_FOUND, "{method} {path}");
    }
    assert!(world.nbctl("ls-list").contains("bolt-web"));
}

#[tokio::test(flavor = "multi_thread")]
async fn force_and_owner_do_not_lead_out_of_a_tenant() {
    let world = World::new().await;
    networks(&world).await;
    let forced = ask(
        &world,
        ACME,
        Method::DELETE,
        "/api/v1/ovn/nb/Logical_Switch/bolt-web?force=true",
        Value::Null,
    )
    .await;
    assert!(matches!(forced.status.as_u16(), 404 | 409), "{:#}", forced.body);
    let path = "/api/v1/ovn/nb/Logical_Switch?owner=bolt";
    make(&world, ACME, path, json!({"name": "acme-odd"})).await;
    let marks = world.nbctl("get Logical_Switch acme-odd external_ids:purlin-tenant");
    assert_eq!(marks, "t-acme");
    for path in [
        "/api/v1/ovn",
        "/api/v1/ovn/operations",
        "/api/v1/ovn/sb/Logical_Flow",
        "/api/v1/ovn/sb/Chassis",
        "/api/v1/tokens",
        "/api/v1/audit",
    ] {
        let answer = ask(&world, ACME, Method::GET, path, Value::Null).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_creates_on_two_nodes_do_not_pass_a_quota_together() {
    const MOST: usize = 5;
    let world = World::new().await;
    let key = format!("key:acme:max_switches={MOST}");
    let store = tempfile::tempdir().expect("a folder");
    let second = second_node(&world, store.path()).await;
    let asks = (0..24).map(|n| {
        let body = json!({"name": format!("acme-{n}")});
        let (world, second, key) = (&world, &second, &key);
        async move {
            let path = "/api/v1/ovn/nb/Logical_Switch";
            match n % 2 {
                0 => world.send_as(key, Method::POST, path, None, &body).await.status,
                _ => send(second, key, path, &body).await,
            }
        }
    });
    let answers = futures_util::future::join_all(asks).await;
    let made = answers.iter().filter(|status| status.is_success()).count();
    let there = world.nbctl("--bare --columns=name find Logical_Switch external_ids:purlin-tenant=t-acme");
    let there = there.split_whitespace().count();
    assert_eq!((made, there), (MOST, MOST), "{answers:?}");
    let refused = answers.iter().filter(|status| !status.is_success());
    assert!(
        refused
            .clone()
            .all(|status| *status == StatusCode::UNPROCESSABLE_ENTITY),
        "{answers:?}"
    );
    // One goes, one may come.
    let answer = world
        .send_as(
            &key,
            Method::POST,
            "/api/v1/ovn/nb/Logical_Switch",
            None,
            &json!({"name": "acme-more"}),
        )
        .await;
    assert_eq!(
        answer.body["problems"][0]["code"], "tenant-quota",
        "{:#}",
        answer.body
    );
    let name = world.nbctl("--bare --columns=name find Logical_Switch external_ids:purlin-tenant=t-acme");
    let name = name.split_whitespace().next().expect("one").to_owned();
    let gone = ask(
        &world,
        &key,
        Method::DELETE,
        &format!("/api/v1/ovn/nb/Logical_Switch/{name}"),
        Value::Null,
    )
    .await;
    assert_eq!(gone.status, 200);
    make(
        &world,
        &key,
        "/api/v1/ovn/nb/Logical_Switch",
        json!({"name": "acme-more"}),
    )
    .await;
}

async fn second_node(world: &World, folder: &std::path::Path) -> axum::Router {
    use purlin_api::clock::Clock;
    use purlin_api::ledger::Ledger;
    use purlin_api::tokens::Tokens;
    let store = purlin_store_embedded::Embedded::open(folder, purlin_store_embedded::Options::default());
    let (ledger, clock) = (Ledger::new(store.expect("a store").records()), Clock::system());
    let tokens = Tokens::open(ledger.clone(), clock.clone()).await.expect("tokens");
    Shell::new(&ledger, &tokens, &clock)
        .accounts(Arc::new(Keys))
        .mount(routes(&platform(world)))
        .router()
}

async fn send(router: &axum::Router, key: &str, path: &str, body: &Value) -> StatusCode {
    use tower::ServiceExt;
    let request = axum::http::Request::builder()
        .method(Method::POST)
        .uri(path)
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", "application/json")
        .body(axum::body::Body::from(body.to_string()));
    let answer = router.clone().oneshot(request.expect("a request")).await;
    answer.expect("an answer").status()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_says_who_changed_what_for_which_tenant_without_values() {
    let world = World::new().await;
    let body = json!({"name": "acme-web", "external_ids": {"password": "hunter2"}});
    make(&world, ACME, "/api/v1/ovn/nb/Logical_Switch", body).await;
    let audit = world
        .send(Role::Admin, Method::GET, "/api/v1/audit", None, &Value::Null)
        .await
        .body;
    let row = &audit["items"][0];
    assert_eq!(
        (&row["name"], &row["tenant"]),
        (&json!("acme-robot"), &json!("t-acme"))
    );
    assert_eq!(row["changes"]["rows"][0]["table"], "Logical_Switch");
    assert_eq!(row["changes"]["rows"][0]["kind"], "added");
    assert!(row["changes"]["transaction"].is_string() && row["request_id"].is_string());
    assert!(!audit.to_string().contains("hunter2"));
}
