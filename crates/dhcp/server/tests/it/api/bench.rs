//! A service with its routes, configured by a document.

use super::schema::conforms;
use crate::client::Relay;
use crate::server::Server;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use purlin_api::Shell;
use purlin_api::access::Role;
use purlin_api::clock::Clock;
use purlin_api::ledger::Ledger;
use purlin_api::problem::FaultView;
use purlin_api::revisions::{ConfigHost, Revisions, routes as revision_routes};
use purlin_api::story::Tellers;
use purlin_api::tokens::{NewToken, Tokens};
use purlin_api::{schema, story};
use purlin_config::{Document, Faults};
use purlin_dhcp_core::reader;
use purlin_dhcp_core::settings::Settings;
use purlin_dhcp_server::forecast::Uses;
use purlin_dhcp_server::{Handle, Leases, routes};
use purlin_store::contract::MemoryRecords;
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt;

pub(super) fn config() -> Value {
    json!({"dhcp": {
        "listen": ["127.0.0.1:0"],
        "threads": 2,
        "subnets": [
            {"name": "a", "network": "10.1.0.0/16", "pools": ["10.1.1.0-10.1.1.255"], "lease_time": "1h"},
            {"name": "b", "network": "10.2.0.0/16", "pools": ["10.2.1.0-10.2.1.255"]},
        ],
    }})
}

fn read(config: &Value, faults: &mut Faults) -> Option<Settings> {
    let document = Document::from_json("revision", config, faults);
    reader::read(&document, faults)
}

struct Host(Handle);

impl ConfigHost for Host {
    fn check(&self, config: &Value) -> Vec<FaultView> {
        let mut faults = Faults::new();
        let _ = read(config, &mut faults);
        faults.iter().map(FaultView::from).collect()
    }

    fn impact(&self, _: &Value, _: &Value) -> Vec<String> {
        Vec::new()
    }

    fn redact(&self, config: &Value) -> Value {
        config.clone()
    }

    fn apply<'a>(&'a self, config: &'a Value) -> BoxFuture<'a, Result<(), String>> {
        async move {
            let settings = read(config, &mut Faults::new()).ok_or("faulty")?;
            self.0
                .apply(settings)
                .await
                .map(|_| ())
                .map_err(|error| error.to_string())
        }
        .boxed()
    }
}

pub(super) struct Bench {
    pub(super) server: Server,
    pub(super) document: Value,
    router: Router,
    token: String,
}

/// An answer that has been held against the OpenAPI document.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
}

impl Bench {
    pub(super) async fn new() -> Self {
        let settings = read(&config(), &mut Faults::new()).expect("a good configuration");
        let server = Server::start(settings).await;
        let ledger = Ledger::new(Arc::new(MemoryRecords::default()));
        let clock = Clock::system();
        let tokens = Tokens::open(ledger.clone(), clock.clone()).await.unwrap();
        let host = Arc::new(Host(server.handle.clone()));
        let revisions = Revisions::open(ledger.clone(), clock.clone(), host, None)
            .await
            .unwrap();
        revisions.boot(config(), "file").await.unwrap();
        let new = NewToken {
            name: "tester".into(),
            role: Role::Admin,
            expires: None,
        };
        let (_, token) = tokens.create(new).await.unwrap();
        let leases = Leases::new(&server.handle, None);
        let teller = routes::LeaseTeller::new(leases.clone(), clock.clone());
        let tellers = Tellers::new(vec![Arc::new(teller)]);
        let members = [(
            routes::LeaseTeller::LEASES,
            schema::array(schema::reference("Lease")),
        )];
        let router = Shell::new(&ledger, &tokens, &clock)
            .mount(story::routes(&tellers, &members))
            .mount(revision_routes::routes(&revisions))
            .mount(routes::routes(
                &leases,
                &revisions,
                &Uses::new(Arc::new(MemoryRecords::default())),
            ))
            .router();
        let mut bench = Self {
            server,
            document: Value::Null,
            router,
            token: token.reveal().to_owned(),
        };
        bench.document = bench
            .raw(Method::GET, "/api/v1/openapi.json", None, None)
            .await
            .body;
        bench
    }

    pub(super) fn relay(&self, giaddr: [u8; 4]) -> Relay {
        Relay::new(self.server.address, giaddr)
    }

    async fn raw(&self, method: Method, path: &str, body: Option<&Value>, if_match: Option<&str>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        request = request.header("authorization", format!("Bearer {}", self.token));
        if let Some(tag) = if_match {
            request = request.header("if-match", tag);
        }
        let body = body.map_or_else(Body::empty, |value| Body::from(value.to_string()));
        let request = request
            .header("content-type", "application/json")
            .body(body)
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 64 << 20).await.unwrap();
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    /// Sends and holds the answer against the document.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        tag: Option<&str>,
    ) -> Answer {
        let answer = self.raw(method.clone(), path, body, tag).await;
        let faults = conforms(&self.document, &method, path, answer.status, &answer.body);
        assert!(
            faults.is_empty(),
            "{method} {path} {}: {faults:?}\n{:#}",
            answer.status,
            answer.body
        );
        answer
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None, None).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(body), None).await
    }
}
