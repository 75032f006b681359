//! What is asked of a member before it is used.

use super::server::Own;
use crate::client::config::Config;
use crate::client::connection::Connection;
use crate::operation::{Insert, Operation};
use crate::schema::{DatabaseSchema, TableSchema};
use crate::session::methods;
use crate::uuid::Uuid;
use crate::value::Datum;
use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;

/// What stays the same as long as the connection lives.
pub(super) struct Known {
    pub(super) schema: Arc<DatabaseSchema>,
    pub(super) chooses_uuids: bool,
}

pub(super) async fn greet(connection: &Connection, config: &Config) -> Result<(Option<Own>, Known), String> {
    let schema = request(connection, "get_schema", &methods::get_schema(&config.database)).await?;
    let schema: Value =
        serde_json::from_slice(&schema).map_err(|cause| format!("the schema is no JSON: {cause}"))?;
    let schema =
        DatabaseSchema::parse(&schema).map_err(|cause| format!("the schema cannot be used: {cause}"))?;
    // Without this the server hangs up when a database is converted. Servers before 2.9 do not know it.
    let _ = request(
        connection,
        "set_db_change_aware",
        &methods::set_db_change_aware(true),
    )
    .await;
    let own = Own::watch(connection, &config.database).await?;
    let chooses_uuids = chooses_uuids(connection, &config.database, &schema).await;
    let schema = Arc::new(schema);
    Ok((
        own,
        Known {
            schema,
            chooses_uuids,
        },
    ))
}

/// Tries it, in a transaction that takes itself back.
async fn chooses_uuids(connection: &Connection, database: &str, schema: &DatabaseSchema) -> bool {
    let Some((table, _)) = schema.tables.iter().find(|(_, table)| takes_empty_row(table)) else {
        return false;
    };
    let uuid = Uuid::from_random(*b"is it understood");
    let operations = [Operation::Insert(Insert::new(table).uuid(uuid)), Operation::Abort];
    let params = methods::Transact {
        database,
        operations: &operations.each_ref(),
    };
    let Ok(results) = request(connection, "transact", &params).await else {
        return false;
    };
    let results: Vec<Value> = serde_json::from_slice(&results).unwrap_or_default();
    let found = results.first().and_then(|result| result["uuid"][1].as_str());
    found.and_then(Uuid::parse) == Some(uuid)
}

/// Whether the defaults of all columns are allowed: a server checks them before it looks at the name.
fn takes_empty_row(table: &TableSchema) -> bool {
    table.columns.values().all(|column| {
        let datum = Datum::default_of(&column.kind);
        datum
            .atoms()
            .iter()
            .all(|atom| column.kind.key.check(atom).is_ok())
    })
}

/// A request of which only the result matters.
pub(crate) async fn request(
    connection: &Connection,
    method: &'static str,
    params: &impl Serialize,
) -> Result<Bytes, String> {
    match connection.call(method, params).await {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(error)) => {
            let error: String = String::from_utf8_lossy(&error).chars().take(500).collect();
            Err(format!("{method} was refused: {error}"))
        }
        Err(lost) => Err(lost.to_string()),
    }
}
