//! A node in memory: records, a stepped clock, an admin token, and requests against the router.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use purlin_api::access::Role;
use purlin_api::clock::Clock;
use purlin_api::gate::Peer;
use purlin_api::ledger::Ledger;
use purlin_api::tokens::{NewToken, Tokens};
use purlin_api::{Shell, route};
use purlin_store::contract::MemoryRecords;
use serde_json::Value;
use std::sync::Arc;
use tower::ServiceExt;

/// The parts under a router.
pub(crate) struct Node {
    pub(crate) records: Arc<MemoryRecords>,
    pub(crate) ledger: Ledger,
    pub(crate) clock: Clock,
    pub(crate) tokens: Tokens,
    pub(crate) admin: String,
}

impl Node {
    pub(crate) async fn new() -> Self {
        let records = Arc::new(MemoryRecords::default());
        let ledger = Ledger::new(records.clone());
        let clock = Clock::stepped("2026-03-01T12:00:00Z".parse().unwrap());
        let tokens = Tokens::open(ledger.clone(), clock.clone()).await.unwrap();
        let (_, admin) = tokens
            .create(NewToken {
                name: "admin".into(),
                role: Role::Admin,
                expires: None,
            })
            .await
            .unwrap();
        Self {
            records,
            ledger,
            clock,
            tokens,
            admin: admin.reveal().to_owned(),
        }
    }

    pub(crate) fn shell(&self) -> Shell {
        Shell::new(&self.ledger, &self.tokens, &self.clock)
    }

    pub(crate) fn api(&self, routes: impl IntoIterator<Item = route::Routes>) -> Api {
        let shell = routes.into_iter().fold(self.shell(), Shell::mount);
        Api {
            router: shell.router(),
            token: Some(self.admin.clone()),
        }
    }

    pub(crate) async fn token(&self, role: Role) -> String {
        let new = NewToken {
            name: role.to_string(),
            role,
            expires: None,
        };
        self.tokens.create(new).await.unwrap().1.reveal().to_owned()
    }
}

/// A router and the token that requests carry.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) router: Router,
    pub(crate) token: Option<String>,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The problem's code; fails when it is none.
    pub(crate) fn code(&self) -> &str {
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{:?}",
            self.body
        );
        assert_eq!(self.body["status"], self.status.as_u16());
        self.body["code"].as_str().unwrap()
    }
}

impl Api {
    pub(crate) fn with(&self, token: &str) -> Self {
        Self {
            router: self.router.clone(),
            token: Some(token.to_owned()),
        }
    }

    pub(crate) fn anonymous(&self) -> Self {
        Self {
            router: self.router.clone(),
            token: None,
        }
    }

    pub(crate) fn request(&self, method: Method, path: &str, body: Option<&Value>) -> Request<Body> {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = match body {
            None => Body::empty(),
            Some(value) => {
                request = request.header("content-type", "application/json");
                Body::from(value.to_string())
            }
        };
        let mut request = request.body(body).unwrap();
        request
            .extensions_mut()
            .insert(Peer("192.0.2.7:4711".parse().unwrap()));
        request
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 64 << 20).await.unwrap();
        let text = || Value::String(String::from_utf8_lossy(&body).into_owned());
        let body = if body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&body).unwrap_or_else(|_| text())
        };
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path, None)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path, Some(body))).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::PUT, path, Some(body))).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path, None)).await
    }
}
