//! A northbound, with or without all of OVN behind it, and the routes of a platform over it.

pub(crate) mod raft;
mod servers;

pub(crate) use servers::{database, member};
use servers::{made, schema, serve};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use purlin_api::access::Role;
use purlin_api::clock::Clock;
use purlin_api::ledger::Ledger;
use purlin_api::story::{self, Tellers};
use purlin_api::tokens::{NewToken, Tokens};
use purlin_api::{Shell, schema};
use purlin_ovn_server::{Bounds, History, Platform, PortTeller, Settings, Tools, routes};
use purlin_ovsdb::client::{Config, parse_endpoints};
use purlin_store_embedded::{Embedded, Options};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tower::ServiceExt;

/// The routes over the databases of a folder, with what they keep there.
pub(crate) struct Mounted {
    pub(crate) router: Router,
    pub(crate) tokens: Vec<(Role, String)>,
    pub(crate) store: Option<Embedded>,
}

impl Mounted {
    pub(crate) async fn at(folder: &Path) -> Self {
        Self::with(folder, true).await
    }

    async fn with(folder: &Path, southbound: bool) -> Self {
        let endpoints = format!("unix:{}", folder.join("db.sock").display());
        let endpoints = parse_endpoints(&endpoints).expect("an endpoint");
        let settings = Settings {
            northbound: Config::new("OVN_Northbound", endpoints.clone()),
            southbound: southbound.then(|| Config::new("OVN_Southbound", endpoints)),
            origin: "given",
            unattended: !southbound,
            tools: Tools {
                folder: folder.join("scratch"),
                tls: None,
            },
        };
        Self::of(folder, &Platform::start(settings)).await
    }

    /// A platform that was put together elsewhere.
    async fn of(folder: &Path, platform: &Platform) -> Self {
        let store = Embedded::open(&folder.join("store"), Options::default()).expect("a store");
        let ledger = Ledger::new(store.records());
        let mut mounted = Self::keeping(platform, ledger, Clock::system(), false).await;
        mounted.store = Some(store);
        mounted
    }

    /// The same with what is its own in a store of somebody else, which others write too or not.
    pub(crate) async fn keeping(platform: &Platform, ledger: Ledger, clock: Clock, shared: bool) -> Self {
        platform.keep(History {
            ledger: ledger.clone(),
            clock: clock.clone(),
            shared,
            bounds: Bounds {
                journal_entries: 3000,
                ..Bounds::default()
            },
        });
        let tokens = Tokens::open(ledger.clone(), clock.clone()).await.expect("tokens");
        let mut known = Vec::new();
        for role in [Role::Viewer, Role::Operator, Role::Admin] {
            let new = NewToken {
                name: role.as_str().to_owned(),
                role,
                expires: None,
            };
            let (_, token) = tokens.create(new).await.expect("a token");
            known.push((role, token.reveal().to_owned()));
        }
        let router = Shell::new(&ledger, &tokens, &clock)
            .accounts(Arc::new(crate::tenants::Keys))
            .mount(routes(platform))
            .mount(story::routes(
                &Tellers::new(vec![Arc::new(PortTeller::new(platform.clone()))]),
                &[(PortTeller::PORTS, schema::array(schema::anything("A port.")))],
            ))
            .router();
        Self {
            router,
            tokens: known,
            store: None,
        }
    }
}

/// A program that ends with the test.
pub(crate) struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) struct World {
    router: Router,
    tokens: Vec<(Role, String)>,
    daemons: Vec<Daemon>,
    _store: Option<Embedded>,
    folder: TempDir,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl World {
    /// `ovsdb-server` with both databases, and nobody who makes flows.
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let server = database(folder.path());
        Self::over(folder, vec![server], true).await
    }

    /// The same, over an OVN whose northbound schema is another.
    pub(crate) async fn with_schema(change: impl FnOnce(&mut Value)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let text = std::fs::read_to_string(schema("nb")).expect("it is installed");
        let mut json = serde_json::from_str(&text).expect("JSON");
        change(&mut json);
        let other = folder.path().join("other.ovsschema");
        std::fs::write(&other, json.to_string()).expect("it is written");
        made(folder.path(), "nb", &other);
        made(folder.path(), "sb", &schema("sb"));
        let server = serve(folder.path());
        Self::over(folder, vec![server], true).await
    }

    /// The same, for a platform with a northbound only, as a node has it that keeps one in its process.
    pub(crate) async fn without_southbound() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let server = database(folder.path());
        Self::over(folder, vec![server], false).await
    }

    /// The same with an `ovn-northd` that was started just now.
    pub(crate) async fn with_fresh_northd() -> Self {
        let mut world = Self::new().await;
        let at = |name: &str| world.folder.path().join(name).display().to_string();
        let socket = format!("unix:{}", at("db.sock"));
        let northd = Command::new("ovn-northd")
            .arg(format!("--ovnnb-db={socket}"))
            .arg(format!("--ovnsb-db={socket}"))
            .arg(format!("--unixctl={}", at("northd.ctl")))
            .arg(format!("--log-file={}", at("northd.log")))
            .stderr(Stdio::null())
            .spawn();
        world.daemons.push(Daemon(northd.expect("ovn-northd starts")));
        world
    }

    /// The same, once it has looked at the network.
    pub(crate) async fn with_northd() -> Self {
        let world = Self::with_fresh_northd().await;
        // It makes the row by which changes are counted.
        world
            .until("/api/v1/ovn/nb/NB_Global", |rows| rows["items"][0].is_object())
            .await;
        world
    }

    async fn over(folder: TempDir, daemons: Vec<Daemon>, southbound: bool) -> Self {
        let Mounted {
            router,
            tokens,
            store,
        } = Mounted::with(folder.path(), southbound).await;
        Self {
            router,
            tokens,
            daemons,
            _store: store,
            folder,
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What ovn-northd complained about.
    pub(crate) fn northd_warnings(&self) -> Vec<String> {
        let log = std::fs::read_to_string(self.folder.path().join("northd.log")).expect("a log");
        log.lines()
            .filter(|line| line.contains("|WARN|") || line.contains("|ERR|"))
            .map(str::to_owned)
            .collect()
    }

    /// The same routes over a socket, and the token of a viewer.
    pub(crate) async fn listen(&self) -> (std::net::SocketAddr, String) {
        listen(&self.router, &self.tokens).await
    }

    /// What `ovn-nbctl` prints.
    pub(crate) fn nbctl(&self, words: &str) -> String {
        let words = arguments(words);
        self.nbctl_of(&Vec::from_iter(words.iter().map(String::as_str)))
    }

    /// The same, where words have spaces in them.
    pub(crate) fn nbctl_of(&self, words: &[&str]) -> String {
        self.ctl("ovn-nbctl", words)
    }

    /// What `ovn-sbctl` prints.
    pub(crate) fn sbctl(&self, words: &str) -> String {
        let words = arguments(words);
        self.ctl("ovn-sbctl", &Vec::from_iter(words.iter().map(String::as_str)))
    }

    fn ctl(&self, program: &str, words: &[&str]) -> String {
        let socket = self.folder.path().join("db.sock");
        let output = Command::new(program)
            .arg(format!("--db=unix:{}", socket.display()))
            .arg("--timeout=10")
            .args(words)
            .output()
            .expect("it runs");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {words:?}: {told}");
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    }

    /// How many transactions the log of the northbound has.
    pub(crate) fn transactions(&self) -> usize {
        let log = self.folder.path().join("nb.db");
        let output = Command::new("ovsdb-tool")
            .arg("show-log")
            .arg(log)
            .output()
            .expect("ovsdb-tool runs");
        String::from_utf8_lossy(&output.stdout).matches("record").count()
    }

    /// Where copies are made.
    pub(crate) fn scratch_folder(&self) -> PathBuf {
        self.folder.path().join("scratch")
    }

    /// Returns when so many programs work there.
    pub(crate) async fn until_scratches(&self, many: usize) {
        let end = Instant::now() + Duration::from_secs(15);
        while self.scratches().len() != many {
            assert!(Instant::now() < end, "not {many}: {:?}", self.scratches());
            tokio::task::yield_now().await;
        }
    }

    /// Command lines of programs that work there.
    fn scratches(&self) -> Vec<String> {
        let folder = self.scratch_folder().display().to_string();
        let all = std::fs::read_dir("/proc").expect("processes");
        let lines = all.filter_map(|process| std::fs::read(process.ok()?.path().join("cmdline")).ok());
        let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
        lines.filter(|line| line.contains(&folder)).collect()
    }

    /// Stops the database as a machine that loses its power.
    pub(crate) fn lose_database(&mut self) {
        self.daemons.remove(0);
    }

    pub(crate) fn start_database(&mut self) {
        self.daemons.insert(0, serve(self.folder.path()));
    }

    pub(crate) async fn send(
        &self,
        role: Role,
        method: Method,
        path: &str,
        tag: Option<&str>,
        body: &Value,
    ) -> Answer {
        let known = self.tokens.iter().find(|(own, _)| *own == role);
        let token = &known.expect("a token of this role").1;
        self.send_as(token, method, path, tag, body).await
    }

    pub(crate) async fn send_as(
        &self,
        token: &str,
        method: Method,
        path: &str,
        tag: Option<&str>,
        body: &Value,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {token}"));
        if let Some(tag) = tag {
            request = request.header("if-match", tag);
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
            .oneshot(request.body(body).expect("a request"))
            .await;
        let (parts, body) = response.expect("an answer").into_parts();
        let body = axum::body::to_bytes(body, 64 << 20).await.expect("a body");
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: serde_json::from_slice(&body).unwrap_or_default(),
        }
    }

    /// An answer as it is written.
    pub(crate) async fn text(&self, path: &str) -> (HeaderMap, String) {
        let token = &self.tokens[0].1;
        let request = Request::builder()
            .uri(path)
            .header("authorization", format!("Bearer {token}"))
            .body(Body::empty());
        let response = self.router.clone().oneshot(request.expect("a request")).await;
        let (parts, body) = response.expect("an answer").into_parts();
        let body = axum::body::to_bytes(body, 64 << 20).await.expect("a body");
        let text = String::from_utf8(body.to_vec()).expect("text");
        assert_eq!(parts.status, 200, "GET {path}: {text}");
        (parts.headers, text)
    }

    /// A body of another form than JSON.
    pub(crate) async fn send_text(&self, path: &str, kind: &str, text: &str) -> Answer {
        let (_, token) = &self.tokens[1];
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", kind)
            .body(Body::from(text.to_owned()));
        let response = self.router.clone().oneshot(request.expect("a request")).await;
        let (parts, body) = response.expect("an answer").into_parts();
        let body = axum::body::to_bytes(body, 64 << 20).await.expect("a body");
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: serde_json::from_slice(&body).unwrap_or_default(),
        }
    }

    /// A file, for an admin.
    pub(crate) async fn octets(&self, path: &str, headers: &[(&str, &str)]) -> Vec<u8> {
        let (_, token) = &self.tokens[2];
        let mut request = Request::builder()
            .uri(path)
            .header("authorization", format!("Bearer {token}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).expect("a request");
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        assert_eq!(response.status(), 200, "GET {path}");
        let body = axum::body::to_bytes(response.into_body(), 64 << 20).await;
        body.expect("a body").to_vec()
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = self
            .send(Role::Viewer, Method::GET, path, None, &Value::Null)
            .await;
        assert_eq!(answer.status, 200, "GET {path}: {:#}", answer.body);
        answer.body
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Role::Operator, Method::POST, path, None, &body).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Role::Operator, Method::PATCH, path, None, &body).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Role::Operator, Method::DELETE, path, None, &Value::Null)
            .await
    }

    /// Where the database listens.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("db.sock")
    }

    /// What a change that must succeed answered.
    pub(crate) async fn make(&self, path: &str, body: Value) -> Value {
        let answer = self.post(path, body).await;
        assert!(answer.status.is_success(), "POST {path}: {:#}", answer.body);
        answer.body
    }

    /// Reads until it is so.
    pub(crate) async fn until(&self, path: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + Duration::from_secs(15);
        loop {
            let answer = self
                .send(Role::Viewer, Method::GET, path, None, &Value::Null)
                .await;
            if answer.status == 200 && holds(&answer.body) {
                return answer.body;
            }
            assert!(Instant::now() < end, "{path} stayed {:#}", answer.body);
            tokio::task::yield_now().await;
        }
    }
}

/// Words between blanks; `\\ ` is a blank within a word.
fn arguments(words: &str) -> Vec<String> {
    let words = words.replace("\\ ", "\u{0}");
    let words = words.split_whitespace();
    words.map(|word| word.replace('\u{0}', " ")).collect()
}

impl Mounted {
    pub(crate) async fn listen(&self) -> (std::net::SocketAddr, String) {
        listen(&self.router, &self.tokens).await
    }
}

/// Serves until the test ends.
async fn listen(router: &Router, tokens: &[(Role, String)]) -> (std::net::SocketAddr, String) {
    let plan = purlin_api::serve::Plan {
        http: vec![([127, 0, 0, 1], 0).into()],
        ..Default::default()
    };
    let bound = plan.bind().await.expect("a port");
    let address = bound.http()[0];
    let running = bound.start(router, &Router::new(), Default::default());
    tokio::spawn(async move {
        std::future::pending::<()>().await;
        drop(running);
    });
    let viewer = tokens.iter().find(|(role, _)| *role == Role::Viewer);
    (address, viewer.expect("a viewer").1.clone())
}
