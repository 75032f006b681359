//! The plan: one row, written by the leader only.

use purlin_fabric::port::{ClaimKey, Fence, Refusal};

use super::{Answer, key_text};
use crate::postgres::{Doing, Work};
use crate::probe::of_this_history;
use crate::session::Session;

/// The leader's claim, locked against change until the plan is committed.
const LEADS: &str = concat!(
    "SELECT FROM purlin.claim AS c WHERE key = $1 AND (gtl, epoch) = ($2, $3) AND owner IS NOT NULL AND ",
    of_this_history!(),
    " FOR SHARE OF c"
);

const PUBLISH: &str =
    "UPDATE purlin.plan SET number = $1, body = $2 WHERE number = $1::bigint - 1 RETURNING number";

pub(super) struct Publish<'a> {
    pub(super) leader: &'a Fence,
    pub(super) number: u64,
    pub(super) plan: &'a [u8],
}

impl Work for Publish<'_> {
    type Done = Answer<()>;

    fn on<'s>(&'s self, session: &'s Session) -> Doing<'s, Self::Done> {
        Box::pin(async {
            if self.leader.key != ClaimKey::Leader {
                return Ok(Err(Refusal::Stale));
            }
            let key = key_text(&self.leader.key);
            let timeline = i64::from(self.leader.epoch.timeline);
            let counter = self.leader.epoch.counter.cast_signed();
            session.prepare(&[LEADS, PUBLISH]).await?;
            session.run("BEGIN").await?;
            let leads = session.query(LEADS, &[&key, &timeline, &counter]).await?;
            let published = if leads.is_empty() {
                Vec::new()
            } else {
                session
                    .query(PUBLISH, &[&self.number.cast_signed(), &self.plan])
                    .await?
            };
            if published.is_empty() {
                session.run("ROLLBACK").await?;
                return Ok(Err(Refusal::Stale));
            }
            session.commit().await?;
            Ok(Ok(()))
        })
    }
}
