//! The parameters of each request.
//!
//! Source: RFC 7047, section 4.1; ovsdb-server(7), sections 4.1.12 to 4.1.19.

use crate::monitor::Request;
use crate::operation::Operation;
use crate::uuid::Uuid;
use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

/// `transact`: the database, then the operations.
#[derive(Debug)]
pub struct Transact<'a> {
    /// The database.
    pub database: &'a str,
    /// The operations, in their order.
    pub operations: &'a [&'a Operation],
}

impl Serialize for Transact<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(None)?;
        seq.serialize_element(self.database)?;
        for operation in self.operations {
            seq.serialize_element(operation)?;
        }
        seq.end()
    }
}

/// `get_schema`.
#[must_use]
pub const fn get_schema(database: &str) -> (&str,) {
    (database,)
}

/// `monitor`, of RFC 7047: no conditions.
#[must_use]
pub const fn monitor<'a>(database: &'a str, id: &'a str, request: &'a Request) -> impl Serialize + 'a {
    (database, id, request)
}

/// `monitor_cond`.
#[must_use]
pub const fn monitor_cond<'a>(database: &'a str, id: &'a str, request: &'a Request) -> impl Serialize + 'a {
    (database, id, request)
}

/// `monitor_cond_since`: from after this transaction on, if the server still knows it.
#[must_use]
pub const fn monitor_cond_since<'a>(
    database: &'a str,
    id: &'a str,
    request: &'a Request,
    since: Uuid,
) -> impl Serialize + 'a {
    (database, id, request, since)
}

/// `monitor_cond_change`: the tables in `request` get these conditions, the others keep theirs.
#[must_use]
pub const fn monitor_cond_change<'a>(id: &'a str, request: &'a Request) -> impl Serialize + 'a {
    (id, id, request)
}

/// `monitor_cancel`.
#[must_use]
pub const fn monitor_cancel(id: &str) -> (&str,) {
    (id,)
}

/// `lock`, `steal`, `unlock`.
#[must_use]
pub const fn lock(name: &str) -> (&str,) {
    (name,)
}

/// `set_db_change_aware`: the connection stays when databases come, go or are converted.
#[must_use]
pub const fn set_db_change_aware(aware: bool) -> (bool,) {
    (aware,)
}

/// `list_dbs`, `get_server_id`, `echo` without anything to carry.
pub const NONE: [(); 0] = [];
