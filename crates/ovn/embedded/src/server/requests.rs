//! Requests other than transactions.

use super::{Server, SessionId};
use crate::fault::Fault;
use crate::monitor::{Kind, Monitor};
use purlin_ovsdb::Uuid;
use serde_json::{Value, json};

impl Server {
    /// The result; `None` when it is answered elsewhere.
    pub(super) fn request(
        &mut self,
        session: SessionId,
        method: &str,
        id: &Value,
        params: &[Value],
        now_ms: u64,
        date_ms: u64,
    ) -> Result<Option<Value>, Fault> {
        let first = params.first().unwrap_or(&Value::Null);
        let result = match method {
            "transact" => {
                self.transact(session, id, params, now_ms, date_ms)?;
                return Ok(None);
            }
            "echo" => json!(params),
            "list_dbs" => json!(self.databases.keys().collect::<Vec<_>>()),
            "get_server_id" => json!(self.id),
            "get_schema" => self.databases[self.database(first)?].schema.clone(),
            "set_db_change_aware" => json!({}),
            "monitor" => self.monitor(session, Kind::Plain, params)?,
            "monitor_cond" => self.monitor(session, Kind::Conditional, params)?,
            "monitor_cond_since" => self.monitor(session, Kind::Since, params)?,
            "monitor_cond_change" => self.monitor_change(session, params)?,
            "monitor_cancel" => self.monitor_cancel(session, first)?,
            "lock" => self.lock(session, first)?,
            "steal" => self.steal(session, first)?,
            "unlock" => self.unlock(session, first)?,
            other => return Err(Fault::new("unknown method", other)),
        };
        Ok(Some(result))
    }

    fn monitor(&mut self, session: SessionId, kind: Kind, params: &[Value]) -> Result<Value, Fault> {
        let (database, id, requests) = match params {
            [database, id, requests] => (database, id, requests),
            [database, id, requests, _] if kind == Kind::Since => (database, id, requests),
            _ => {
                return Err(Fault::syntax(
                    &json!(params),
                    "monitor takes a database, an id and requests",
                ));
            }
        };
        let name = self.database(database)?;
        let database = &self.databases[name];
        let monitor = Monitor::parse(&database.contents, kind, requests)?;
        let last = params.get(3).and_then(Value::as_str).and_then(Uuid::parse);
        let missed = last
            .filter(|last| !last.is_zero())
            .and_then(|last| database.since(last));
        let result = match (kind, missed) {
            (Kind::Since, Some(missed)) => {
                let update = monitor.update(&database.contents, &missed);
                json!([true, database.last(), update.unwrap_or_else(|| json!({}))])
            }
            (Kind::Since, None) => json!([false, database.last(), monitor.initial(&database.contents)]),
            _ => monitor.initial(&database.contents),
        };
        let of = name.to_owned();
        let Some(session) = self.sessions.get_mut(&session) else {
            return Ok(result);
        };
        if session.monitors.contains_key(&id.to_string()) {
            return Err(Fault::syntax(id, "duplicate monitor ID"));
        }
        session.monitors.insert(id.to_string(), (id.clone(), of, monitor));
        Ok(result)
    }

    /// The update goes out before the answer.
    fn monitor_change(&mut self, session: SessionId, params: &[Value]) -> Result<Value, Fault> {
        let [old, new, requests] = params else {
            return Err(Fault::syntax(&json!(params), "two ids and requests expected"));
        };
        let Some(session) = self.sessions.get_mut(&session) else {
            return Ok(json!({}));
        };
        let is_other = old != new && session.monitors.contains_key(&new.to_string());
        if is_other {
            return Err(Fault::syntax(new, "duplicate monitor ID"));
        }
        let Some((_, name, mut monitor)) = session.monitors.remove(&old.to_string()) else {
            return Err(Fault::new("unknown monitor", "unknown monitor session"));
        };
        let Some(database) = self.databases.get(&name) else {
            return Err(Fault::new("unknown database", name));
        };
        let moved = if monitor.kind == Kind::Plain {
            Err(Fault::new("syntax error", "a plain monitor has no conditions"))
        } else {
            monitor.change_conditions(&database.contents, requests)
        };
        let (id, changed) = match &moved {
            Ok(changed) => (new, changed.clone()),
            Err(_) => (old, None),
        };
        if let Some(changed) = changed {
            session
                .out
                .push(update(monitor.kind, id, database.last(), changed));
        }
        session
            .monitors
            .insert(id.to_string(), (id.clone(), name, monitor));
        moved.map(|_| json!({}))
    }

    fn monitor_cancel(&mut self, session: SessionId, id: &Value) -> Result<Value, Fault> {
        let session = self.sessions.get_mut(&session);
        match session.and_then(|session| session.monitors.remove(&id.to_string())) {
            Some(_) => Ok(json!({})),
            None => Err(Fault::new("unknown monitor", "")),
        }
    }

    fn lock(&mut self, session: SessionId, name: &Value) -> Result<Value, Fault> {
        let owned = self.locks.lock(lock_name(name)?, session);
        let owned = owned.ok_or_else(|| twice(name))?;
        Ok(json!({ "locked": owned }))
    }

    fn steal(&mut self, session: SessionId, name: &Value) -> Result<Value, Fault> {
        let victim = self.locks.steal(lock_name(name)?, session);
        if let Some(victim) = victim.ok_or_else(|| twice(name))? {
            self.notify(victim, "stolen", name.clone());
        }
        Ok(json!({ "locked": true }))
    }

    fn unlock(&mut self, session: SessionId, name: &Value) -> Result<Value, Fault> {
        let next = self.locks.unlock(lock_name(name)?, session);
        let next = next.ok_or_else(|| Fault::syntax(name, "\"unlock\" without \"lock\" or \"steal\"."))?;
        if let Some(next) = next {
            self.notify(next, "locked", name.clone());
        }
        Ok(json!({}))
    }
}

fn lock_name(json: &Value) -> Result<&str, Fault> {
    let name = json.as_str().filter(|name| purlin_ovsdb::types::is_id(name));
    name.ok_or_else(|| Fault::syntax(json, "lock name must be <id>"))
}

fn twice(name: &Value) -> Fault {
    Fault::syntax(name, "must issue \"unlock\" before new \"lock\".")
}

/// What a monitor is told.
pub(super) fn update(kind: Kind, id: &Value, transaction: Uuid, tables: Value) -> Value {
    let (method, params) = match kind {
        Kind::Plain => ("update", vec![id.clone(), tables]),
        Kind::Conditional => ("update2", vec![id.clone(), tables]),
        Kind::Since => ("update3", vec![id.clone(), json!(transaction), tables]),
    };
    notification(method, params)
}

/// An answer of RFC 7047, section 4.
pub(super) fn answer(id: &Value, result: Value, error: Value) -> Value {
    object([("id", id.clone()), ("result", result), ("error", error)])
}

pub(super) fn notification(method: &str, params: Vec<Value>) -> Value {
    object([
        ("id", Value::Null),
        ("method", json!(method)),
        ("params", Value::Array(params)),
    ])
}

fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Object(
        members
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}
