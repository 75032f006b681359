//! The server without sockets: sessions, locks, monitors and waiting transactions over one or more databases.
//!
//! ```text
//!   receive(session, message) ─► answers and updates in the sessions' outboxes
//!   sync()                    ─► everything that was transacted is on disk; only then may the outboxes be sent
//! ```
//!
//! Source: RFC 7047, section 4; ovsdb-server(7).

mod locks;
mod requests;

use crate::database::{Commit, Database, Transacted, not_operations};
use crate::execute::Context;
use crate::fault::Fault;
use crate::log::{Log, LogError};
use crate::monitor::Monitor;
use locks::Locks;
use purlin_ovsdb::Uuid;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// What the server calls a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(u64);

/// Where sixteen random octets come from.
pub type Random = Box<dyn FnMut() -> [u8; 16] + Send>;

const SERVER: &str = "_Server";
const SERVER_SCHEMA: &str = include_str!("../schemas/server.ovsschema");

/// An OVSDB server.
pub struct Server {
    databases: BTreeMap<String, Database>,
    sessions: BTreeMap<SessionId, Session>,
    locks: Locks,
    waiting: Vec<Waiting>,
    next: u64,
    id: Uuid,
    random: Random,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("databases", &self.databases.keys())
            .field("sessions", &self.sessions.len())
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct Session {
    /// By the JSON that the client calls them: database and view.
    monitors: BTreeMap<String, (Value, String, Monitor)>,
    out: Vec<Value>,
}

/// A transaction whose `wait` does not hold yet.
#[derive(Debug)]
struct Waiting {
    session: SessionId,
    id: Value,
    database: String,
    operations: Vec<Value>,
    since_ms: u64,
    until_ms: Option<u64>,
}

impl Server {
    /// A server without databases.
    #[must_use]
    pub fn new(mut random: Random) -> Self {
        let id = Uuid::from_random(random());
        let mut server = Self {
            databases: BTreeMap::new(),
            sessions: BTreeMap::new(),
            locks: Locks::default(),
            waiting: Vec::new(),
            next: 0,
            id,
            random,
        };
        let schema: Value = serde_json::from_str(SERVER_SCHEMA).expect("it is part of the program");
        let database = Database::passing(schema, Uuid::from_random((server.random)()));
        let database = database.expect("it is part of the program");
        server.databases.insert(SERVER.to_owned(), database);
        server
    }

    /// Serves the database of this log, which is made with `schema` when it is not there.
    ///
    /// # Errors
    /// A log that cannot be read, is damaged, or is of another database.
    pub fn open(&mut self, schema: &Value, path: &Path) -> Result<(), LogError> {
        let (log, schema) = Log::open(path, schema)?;
        let database = Database::durable(schema, log, &mut *self.random)?;
        self.add(database);
        Ok(())
    }

    fn add(&mut self, database: Database) {
        let name = database.contents.schema.name.clone();
        let row = json!({
            "name": name, "model": "standalone", "connected": true, "leader": true,
            "schema": database.schema.to_string(),
        });
        let insert = json!({ "op": "insert", "table": "Database", "row": row });
        self.databases.insert(name, database);
        let (_, commit) = self.run(SERVER, &[insert], None, 0, 0).unwrap_or_default();
        if let Some(commit) = commit {
            self.tell(SERVER, &commit);
        }
    }

    /// The databases by name, the server's own included.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.databases.keys().map(String::as_str)
    }

    /// A client has come.
    pub fn connect(&mut self) -> SessionId {
        self.next += 1;
        let id = SessionId(self.next);
        self.sessions.insert(id, Session::default());
        id
    }

    /// A client has gone: its locks are free, and what it waited for is forgotten.
    pub fn disconnect(&mut self, session: SessionId) {
        self.sessions.remove(&session);
        self.waiting.retain(|waiting| waiting.session != session);
        for (lock, owner) in self.locks.forget(session) {
            self.notify(owner, "locked", json!(lock));
        }
    }

    /// Takes a message. `now_ms` is a clock that only grows; `date_ms` is Unix time, for the log.
    ///
    /// # Errors
    /// What is no JSON-RPC message: the connection is to be closed.
    pub fn receive(
        &mut self,
        session: SessionId,
        message: &Value,
        now_ms: u64,
        date_ms: u64,
    ) -> Result<(), NotRpc> {
        let (Some(method), Some(params)) = (message["method"].as_str(), message["params"].as_array()) else {
            // An answer to our own echo is all that a client may answer.
            let answer = message.get("id").is_some() && message.get("result").is_some();
            return answer.then_some(()).ok_or(NotRpc);
        };
        let id = message.get("id").cloned().unwrap_or_default();
        if id.is_null() {
            if method == "cancel" {
                self.cancel(session, params.first().unwrap_or(&Value::Null));
            }
            return Ok(());
        }
        match self.request(session, method, &id, params, now_ms, date_ms) {
            Ok(Some(result)) => self.reply(session, &id, result),
            // It is answered later.
            Ok(None) => {}
            Err(fault) => self.refuse(session, &id, fault.to_json()),
        }
        Ok(())
    }

    /// Tries waiting transactions whose time is over.
    pub fn tick(&mut self, now_ms: u64, date_ms: u64) {
        if self.deadline_ms().is_some_and(|deadline| deadline <= now_ms) {
            self.try_waiting(now_ms, date_ms);
        }
    }

    /// When [`Self::tick`] is wanted.
    #[must_use]
    pub fn deadline_ms(&self) -> Option<u64> {
        self.waiting.iter().filter_map(|waiting| waiting.until_ms).min()
    }

    /// Brings everything that was transacted to disk.
    ///
    /// # Errors
    /// The disk's: nothing that is in the outboxes may be sent, and the server must end.
    pub fn sync(&mut self) -> Result<(), LogError> {
        self.databases.values_mut().try_for_each(Database::sync)
    }

    /// What there is to send, by session.
    pub fn outgoing(&mut self) -> Vec<(SessionId, Vec<Value>)> {
        let full = self
            .sessions
            .iter_mut()
            .filter(|(_, session)| !session.out.is_empty());
        full.map(|(id, session)| (*id, std::mem::take(&mut session.out)))
            .collect()
    }

    fn reply(&mut self, session: SessionId, id: &Value, result: Value) {
        self.send(session, requests::answer(id, result, Value::Null));
    }

    fn refuse(&mut self, session: SessionId, id: &Value, error: Value) {
        self.send(session, requests::answer(id, Value::Null, error));
    }

    fn notify(&mut self, session: SessionId, method: &str, lock: Value) {
        self.send(session, requests::notification(method, vec![lock]));
    }

    fn send(&mut self, session: SessionId, message: Value) {
        if let Some(session) = self.sessions.get_mut(&session) {
            session.out.push(message);
        }
    }

    fn transact(
        &mut self,
        session: SessionId,
        id: &Value,
        params: &[Value],
        now_ms: u64,
        date_ms: u64,
    ) -> Result<(), Fault> {
        let (database, operations) = params
            .split_first()
            .ok_or_else(|| not_operations(&json!(params)))?;
        let database = self.database(database)?.to_owned();
        if database == SERVER && changes(operations) {
            let details = "the _Server database is the server's own and cannot be changed";
            return Err(Fault::new("not allowed", details));
        }
        let waiting = Waiting {
            session,
            id: id.clone(),
            database,
            operations: operations.to_vec(),
            since_ms: now_ms,
            until_ms: None,
        };
        if self.attempt(waiting, now_ms, date_ms) {
            self.try_waiting(now_ms, date_ms);
        }
        Ok(())
    }

    /// True when something has changed.
    fn attempt(&mut self, mut waiting: Waiting, now_ms: u64, date_ms: u64) -> bool {
        let waited = now_ms.saturating_sub(waiting.since_ms);
        let ran = self.run(
            &waiting.database,
            &waiting.operations,
            Some(waiting.session),
            waited,
            date_ms,
        );
        match ran {
            Ok((results, commit)) => {
                if let Some(commit) = &commit {
                    // Who has made the change is told of it before its answer.
                    self.tell(&waiting.database, commit);
                }
                self.reply(waiting.session, &waiting.id, Value::Array(results));
                commit.is_some()
            }
            Err(left) => {
                waiting.until_ms = left.map(|left| now_ms.saturating_add(left));
                self.waiting.push(waiting);
                false
            }
        }
    }

    fn try_waiting(&mut self, now_ms: u64, date_ms: u64) {
        loop {
            let waiting = std::mem::take(&mut self.waiting);
            let mut changed = false;
            for one in waiting {
                changed |= self.attempt(one, now_ms, date_ms);
            }
            if !changed {
                return;
            }
        }
    }

    fn run(
        &mut self,
        database: &str,
        operations: &[Value],
        session: Option<SessionId>,
        waited_ms: u64,
        date_ms: u64,
    ) -> Result<(Vec<Value>, Option<Commit>), Option<u64>> {
        let Some(database) = self.databases.get_mut(database) else {
            return Ok((Vec::new(), None));
        };
        let locks = &self.locks;
        let owns = |lock: &str| session.is_some_and(|session| locks.owner(lock) == Some(session));
        let mut context = Context {
            random: &mut *self.random,
            owns: &owns,
            waited_ms,
        };
        match database.transact(operations, &mut context, date_ms) {
            Transacted::Done { results, commit } => Ok((results, commit)),
            Transacted::NotYet(left) => Err(left),
        }
    }

    fn tell(&mut self, name: &str, commit: &Commit) {
        let Some(database) = self.databases.get(name) else {
            return;
        };
        for session in self.sessions.values_mut() {
            for (id, of, monitor) in session.monitors.values() {
                if of != name {
                    continue;
                }
                if let Some(update) = monitor.update(&database.contents, &commit.changes) {
                    session
                        .out
                        .push(requests::update(monitor.kind, id, commit.id, update));
                }
            }
        }
    }

    fn cancel(&mut self, session: SessionId, id: &Value) {
        let at = self
            .waiting
            .iter()
            .position(|waiting| waiting.session == session && waiting.id == *id);
        if let Some(at) = at {
            let waiting = self.waiting.remove(at);
            self.refuse(session, &waiting.id, json!("canceled"));
        }
    }

    fn database<'p>(&self, json: &'p Value) -> Result<&'p str, Fault> {
        let name = json
            .as_str()
            .ok_or_else(|| Fault::syntax(json, "database name expected"))?;
        if self.databases.contains_key(name) {
            return Ok(name);
        }
        Err(Fault::new("unknown database", name))
    }
}

fn changes(operations: &[Value]) -> bool {
    let changes = |operation: &Value| {
        matches!(
            operation["op"].as_str(),
            Some("insert" | "update" | "mutate" | "delete")
        )
    };
    operations.iter().any(changes)
}

/// A message that is neither a request nor a notification nor an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a JSON-RPC message: \"method\" and \"params\", or \"result\" are missing")]
pub struct NotRpc;
