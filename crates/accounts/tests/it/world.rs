//! The routes of accounts in a shell, over a store of their own.

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use purlin_accounts::{Belongings, Desk, routes};
use purlin_api::access::Role;
use purlin_api::clock::Clock;
use purlin_api::ledger::Ledger;
use purlin_api::tokens::{NewToken, Tokens};
use purlin_api::{Shell, shell::Limits};
use purlin_store_embedded::{Embedded, Options};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use tempfile::TempDir;
use tower::ServiceExt;

pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) struct World {
    pub(crate) router: Router,
    pub(crate) clock: Clock,
    pub(crate) ledger: Ledger,
    pub(crate) tokens: Tokens,
    pub(crate) desk: Desk,
    pub(crate) admin: String,
    _store: Option<Embedded>,
    _folder: TempDir,
}

thread_local! {
    /// Where the next world of this thread keeps what it knows, when not in files of its own.
    pub(crate) static DATABASE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Tenants whose name says so have switches.
struct Switches(Arc<std::sync::Mutex<Vec<String>>>);

impl Belongings for Switches {
    fn usage<'a>(
        &'a self,
        tenant: &'a str,
    ) -> BoxFuture<'a, Result<BTreeMap<String, u64>, purlin_api::Problem>> {
        let has = self.0.lock().unwrap().iter().any(|known| known == tenant);
        let switches = u64::from(has);
        async move {
            Ok(BTreeMap::from([
                ("max_switches".to_owned(), switches),
                ("rows".to_owned(), switches * 3),
            ]))
        }
        .boxed()
    }
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl World {
    pub(crate) async fn new() -> (Self, Arc<std::sync::Mutex<Vec<String>>>) {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::stepped("2026-01-01T00:00:00Z".parse().unwrap());
        let url = DATABASE.with_borrow(Clone::clone);
        let (ledger, store) = match &url {
            Some(url) => (crate::postgres::ledger(url).await.0, None),
            None => {
                let store = Embedded::open(&folder.path().join("store"), Options::default()).unwrap();
                (Ledger::new(store.records()), Some(store))
            }
        };
        let tokens = Tokens::open(ledger.clone(), clock.clone()).await.unwrap();
        let new = NewToken {
            name: "root".into(),
            role: Role::Admin,
            expires: None,
        };
        let (_, admin) = tokens.create(new).await.unwrap();
        let busy = Arc::new(std::sync::Mutex::new(Vec::new()));
        let belongings: Arc<dyn Belongings> = Arc::new(Switches(Arc::clone(&busy)));
        let desk = Desk::open(ledger.clone(), clock.clone(), tokens.clone(), vec![belongings]);
        let desk = desk.await.unwrap();
        if url.is_some() {
            desk.share();
        }
        let router = Shell::new(&ledger, &tokens, &clock)
            .limits(Limits::default())
            .accounts(Arc::new(desk.clone()))
            .mount(routes(&desk))
            .router();
        let world = Self {
            router,
            clock,
            ledger,
            tokens,
            desk,
            admin: admin.reveal().to_owned(),
            _store: store,
            _folder: folder,
        };
        (world, busy)
    }

    /// Another node with the same tokens and the same time.
    pub(crate) fn beside(&self, router: Router, ledger: Ledger, desk: Desk) -> Self {
        Self {
            router,
            clock: self.clock.clone(),
            ledger,
            tokens: self.tokens.clone(),
            desk,
            admin: self.admin.clone(),
            _store: None,
            _folder: tempfile::tempdir().unwrap(),
        }
    }

    /// With more headers than the bearer token.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            Value::Null => Body::empty(),
            body => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
        };
        let response = self
            .router
            .clone()
            .oneshot(request.body(body).unwrap())
            .await
            .unwrap();
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        Answer {
            status,
            body: serde_json::from_slice(&body).unwrap_or_default(),
        }
    }

    pub(crate) async fn send(&self, token: &str, method: Method, path: &str, body: Value) -> Answer {
        let bearer = format!("Bearer {token}");
        self.ask(method, path, &[("authorization", &bearer)], &body).await
    }

    pub(crate) async fn get(&self, token: &str, path: &str) -> Answer {
        self.send(token, Method::GET, path, Value::Null).await
    }

    pub(crate) async fn post(&self, token: &str, path: &str, body: Value) -> Answer {
        self.send(token, Method::POST, path, body).await
    }

    /// What the admin makes.
    pub(crate) async fn make(&self, path: &str, body: Value) -> Value {
        let answer = self.post(&self.admin, path, body).await;
        assert_eq!(answer.status, 201, "{path}: {:#}", answer.body);
        answer.body
    }

    /// A user of this role, logged in: its id and its access token.
    pub(crate) async fn user(&self, name: &str, role: &str) -> (String, String) {
        let made = self
            .make(
                "/auth/users",
                json!({"username": name, "role": role, "email": format!("{name}@example.com"), "password": PASSWORD}),
            )
            .await;
        let id = made["user"]["id"].as_str().unwrap().to_owned();
        (
            id,
            self.login(name).await["access_token"]
                .as_str()
                .unwrap()
                .to_owned(),
        )
    }

    /// What a login with a name and a password of Purlin's own is answered.
    pub(crate) async fn local_login(&self, name: &str, password: &str) -> Answer {
        let body = json!({"username": name, "password": password});
        self.ask(Method::POST, "/auth/login/local", &[], &body).await
    }

    pub(crate) async fn login(&self, name: &str) -> Value {
        let answer = self.local_login(name, PASSWORD).await;
        assert_eq!(answer.status, 200, "{:#}", answer.body);
        answer.body
    }

    /// A tenant's id.
    pub(crate) async fn tenant(&self, body: Value) -> String {
        self.make("/tenants", body).await["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}
