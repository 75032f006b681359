//! The schema: embedded steps, each applied once, by one node at a time.

use crate::failure::Failure;
use crate::postgres::{Doing, Work};
use crate::session::Session;

/// What brings a schema from version n to n + 1, in order. Steps are never changed once released.
const STEPS: &[&str] = &[
    include_str!("schema/0001.sql"),
    include_str!("schema/0002.sql"),
    include_str!("schema/0003.sql"),
    include_str!("schema/0004.sql"),
];

/// Of the advisory lock under which steps are applied: "purlin" as a number.
const LOCK: &str = "SELECT pg_advisory_xact_lock(123666782841198)";

const EXISTS: &str = "SELECT to_regclass('purlin.schema_version') IS NOT NULL AS there";
const VERSION: &str = "SELECT version FROM purlin.schema_version";

/// A schema may be made beforehand by somebody with the right to; only when it is missing do we need that right.
const NAMESPACE: &str = "SELECT to_regnamespace('purlin') IS NOT NULL AS there";

/// Brings the schema up to date.
pub(crate) struct Migrate;

impl Work for Migrate {
    type Done = ();

    fn on<'s>(&'s self, session: &'s Session) -> Doing<'s, ()> {
        Box::pin(migrate(session))
    }
}

async fn migrate(session: &Session) -> Result<(), Failure> {
    // Without lock or transaction first: nodes that start need nothing but to read, and can be many.
    if is_there(session, EXISTS).await? && version(session).await? == STEPS.len() {
        return Ok(());
    }
    session.run("BEGIN").await?;
    session.run(LOCK).await?;
    if !is_there(session, NAMESPACE).await? {
        session.run("CREATE SCHEMA purlin").await?;
    }
    let found = if is_there(session, EXISTS).await? {
        version(session).await?
    } else {
        0
    };
    for step in &STEPS[found..] {
        session.run(step).await?;
    }
    session
        .run(&format!(
            "UPDATE purlin.schema_version SET version = {}",
            STEPS.len()
        ))
        .await?;
    session.commit().await
}

async fn is_there(session: &Session, question: &'static str) -> Result<bool, Failure> {
    let rows = session.query(question, &[]).await?;
    let row = rows.first().ok_or(Failure::Nonsense("no answer to a question"))?;
    Ok(row.try_get("there")?)
}

/// The version that the schema has.
async fn version(session: &Session) -> Result<usize, Failure> {
    let rows = session.query(VERSION, &[]).await?;
    let row = rows
        .first()
        .ok_or(Failure::Nonsense("purlin.schema_version is empty"))?;
    let version: i32 = row.try_get("version")?;
    match usize::try_from(version) {
        Ok(version) if version <= STEPS.len() => Ok(version),
        _ => Err(Failure::Unusable(format!(
            "the database has schema version {version} and this Purlin knows versions up to {}: \
             it was used by a newer Purlin, and only that or a later one can go on with it",
            STEPS.len()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESCRIBED: &str = include_str!("../../../../docs/formats/postgres.md");

    #[test]
    fn every_table_and_column_is_described() {
        let lines = STEPS.iter().flat_map(|step| step.lines());
        for line in lines.map(str::trim) {
            let mut words = line.split_whitespace();
            let name = match (words.next(), words.next(), words.next()) {
                (Some("CREATE"), Some("TABLE"), Some(table)) => table.trim_start_matches("purlin."),
                (Some(column), Some("text" | "bigint" | "smallint" | "bytea" | "timestamptz"), _) => column,
                _ => continue,
            };
            let named = ["`", "."]
                .iter()
                .any(|before| DESCRIBED.contains(&format!("{before}{name}`")));
            assert!(named, "`{name}` is not in docs/formats/postgres.md");
        }
    }
}
