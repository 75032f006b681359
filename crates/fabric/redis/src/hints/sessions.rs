//! Where sessions live.

use super::{RedisHints, agreed, millis};
use crate::script::Script;
use crate::{keys, script};
use purlin_fabric::port::{HintFault, SessionRow};
use purlin_types::NodeId;
use redis::FromRedisValue;
use std::time::Duration;

/// Ids that one script call looks at: it has the server to itself meanwhile.
const PAGE: usize = 256;

/// Node, user, generation, cursor, milliseconds left.
type Found = (String, String, u64, u64, i64);

impl RedisHints {
    pub(super) async fn register(&self, session: &SessionRow, ttl: Duration) -> Result<(), HintFault> {
        let index = self.keys.sessions();
        let row = keys::row(&index, &session.id);
        let numbers = [session.generation.to_string(), session.cursor.to_string()];
        let arguments = [
            &session.id,
            &session.node,
            &session.user,
            &numbers[0],
            &numbers[1],
            &millis(ttl),
        ];
        let arguments = arguments.map(String::as_str);
        let put = self
            .run(&script::PUT_SESSION, &[&row, &index], &arguments)
            .await?;
        agreed(put)
    }

    pub(super) async fn find(&self, id: &str) -> Result<Option<SessionRow>, HintFault> {
        let row = keys::row(&self.keys.sessions(), id);
        let found: Option<Found> = self.run(&script::SESSION, &[&row], &[]).await?;
        Ok(found.map(|found| session(id.to_owned(), found)))
    }

    pub(super) async fn migrate(
        &self,
        id: &str,
        seen: u64,
        node: &NodeId,
        new_id: &str,
        ttl: Duration,
    ) -> Result<SessionRow, HintFault> {
        let index = self.keys.sessions();
        let rows = [id, new_id].map(|id| keys::row(&index, id));
        let node = node.to_string();
        let generation = seen.checked_add(1).ok_or(HintFault::Conflict)?;
        let numbers = [seen, generation].map(|number| number.to_string());
        let moved: Option<(String, u64)> = self
            .run(
                &script::MOVE_SESSION,
                &[&rows[0], &rows[1], &index],
                &[id, new_id, &numbers[0], &numbers[1], &node, &millis(ttl)],
            )
            .await?;
        let (user, cursor) = moved.ok_or(HintFault::Conflict)?;
        let left = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX);
        Ok(session(new_id.to_owned(), (node, user, generation, cursor, left)))
    }

    pub(super) async fn end(&self, id: &str, generation: u64) -> Result<(), HintFault> {
        let index = self.keys.sessions();
        let row = keys::row(&index, id);
        let arguments = [id, &generation.to_string()];
        let ended = self
            .run(&script::END_SESSION, &[&row, &index], &arguments)
            .await?;
        agreed(ended)
    }

    pub(super) async fn page(&self, after: &str, limit: usize) -> Result<Vec<SessionRow>, HintFault> {
        let index = self.keys.sessions();
        let mut rows = Vec::new();
        let mut start = if after.is_empty() {
            "-".to_owned()
        } else {
            format!("({after}")
        };
        while rows.len() < limit {
            let asked = PAGE.min(limit - rows.len());
            let page: Vec<String> = self
                .run(&script::SESSIONS, &[&index], &[&start, &asked.to_string()])
                .await?;
            let [looked_at, last, found @ ..] = page.as_slice() else {
                break;
            };
            rows.extend(found.chunks_exact(6).filter_map(listed));
            if looked_at.parse() != Ok(asked) {
                break;
            }
            start = format!("({last}");
        }
        Ok(rows)
    }

    /// Runs a script and reads its answer.
    pub(super) async fn run<T: FromRedisValue>(
        &self,
        script: &Script,
        keys: &[&str],
        arguments: &[&str],
    ) -> Result<T, HintFault> {
        Ok(self.calls.script(script, keys, arguments).await?)
    }
}

/// Six texts of a page. A row that another program has spoilt is passed over.
fn listed(texts: &[String]) -> Option<SessionRow> {
    let [id, node, user, generation, cursor, left] = texts else {
        return None;
    };
    let numbers = (generation.parse().ok()?, cursor.parse().ok()?, left.parse().ok()?);
    let found = (node.clone(), user.clone(), numbers.0, numbers.1, numbers.2);
    Some(session(id.clone(), found))
}

fn session(id: String, (node, user, generation, cursor, left): Found) -> SessionRow {
    SessionRow {
        id,
        node,
        user,
        generation,
        cursor,
        // Rounded up: a session that is there has at least a second.
        ttl: u64::try_from(left).unwrap_or(0).div_ceil(1000),
    }
}
