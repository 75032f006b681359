//! Decisions of all packet threads as one list: newest pages first, or followed as they come.

use super::Handle;
use crate::worker::Worker;
use purlin_api::events::Cursor;
use purlin_api::past::{self, OtherLife, PastPage};
use purlin_dhcp_core::view::{DecisionQuery, Told};
use purlin_telemetry::decision::Page;

/// A page of decisions.
pub type DecisionPage = PastPage<Told>;

impl Handle {
    /// The newest decisions wanted, oldest first.
    pub async fn decisions(&self, query: DecisionQuery) -> Vec<Told> {
        let page = self.decisions_before(query, None).await;
        page.map(|page| page.told).unwrap_or_default()
    }

    /// The newest decisions wanted before a cursor, oldest first. Pages that follow each other's cursors never
    /// show one twice and leave none out that is still there, however many come in meanwhile.
    ///
    /// # Errors
    /// [`OtherLife`] when the cursor is not of this start of the service.
    pub async fn decisions_before(
        &self,
        query: DecisionQuery,
        cursor: Option<Cursor>,
    ) -> Result<DecisionPage, OtherLife> {
        let (threads, life) = (self.0.doors.len(), self.0.life);
        let bounds = past::bounds(cursor, life, threads)?;
        let limit = query.limit.max(1);
        let asked: Vec<_> = (self.0.doors.iter().zip(&bounds))
            .map(|(door, &bound)| {
                let query = query.clone();
                door.send(move |worker| look_back(worker, &query, bound))
            })
            .collect();
        let (mut looks, mut words) = (Vec::new(), Vec::new());
        for (answer, bound) in asked.into_iter().zip(bounds) {
            // A thread that has ended has nothing more to tell.
            let (look, told) = answer.await.unwrap_or_else(|_| (nothing(bound), Vec::new()));
            looks.push(look);
            words.push(told);
        }
        Ok(past::merge(&looks, limit, life, |thread, at| {
            words[thread][at].clone()
        }))
    }

    /// Decisions from a cursor on (one number per thread; empty begins with what comes next), at most `limit`
    /// per thread: what they are with their thread, the next cursor, and how many had gone before they were
    /// asked for.
    pub async fn decisions_since(
        &self,
        cursor: Vec<u64>,
        limit: usize,
    ) -> (Vec<(usize, Told)>, Vec<u64>, u64) {
        let (mut all, mut next, mut missed) = (Vec::new(), Vec::new(), 0);
        for (thread, door) in self.0.doors.iter().enumerate() {
            let from = cursor.get(thread).copied();
            let asked = door.ask(move |worker| worker.decisions_since(from, limit)).await;
            let Some((told, to, gone)) = asked else {
                next.push(from.unwrap_or(0));
                continue;
            };
            all.extend(told.into_iter().map(|told| (thread, told)));
            next.push(to);
            missed += gone;
        }
        all.sort_by_key(|(_, told)| told.decision.at);
        (all, next, missed)
    }
}

fn nothing(bound: Option<u64>) -> Page {
    Page {
        found: Vec::new(),
        bound: bound.unwrap_or(0),
        overwritten: Some(0),
    }
}

/// What one thread found before a bound, and the words of each.
fn look_back(worker: &mut Worker, query: &DecisionQuery, bound: Option<u64>) -> (Page, Vec<Told>) {
    let page = worker.engine.decisions_before(query, bound);
    let told = page.found.iter().map(|past| worker.engine.tell(&past.decision));
    let told = told.collect();
    (page, told)
}
