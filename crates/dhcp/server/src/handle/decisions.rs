//! Decisions of all packet threads as one list: newest pages first, or followed as they come.

use super::Handle;
use crate::worker::Worker;
use purlin_api::events::Cursor;
use purlin_dhcp_core::view::{DecisionQuery, Told};
use purlin_telemetry::decision::{Page, Past};

/// A page of decisions.
#[derive(Debug, Clone, Default)]
pub struct DecisionPage {
    /// Oldest first.
    pub told: Vec<Told>,
    /// Where the page of older ones ends; `None` when there are none.
    pub next: Option<Cursor>,
    /// How many decisions, wanted or not, stood in this page's stretch of time and have been overwritten.
    pub overwritten: u64,
}

/// That a cursor is of another start of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OtherLife;

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
        let bounds = match cursor {
            None => vec![None; threads],
            Some(cursor) if cursor.life == life && cursor.next.len() == threads => {
                cursor.next.into_iter().map(Some).collect()
            }
            Some(_) => return Err(OtherLife),
        };
        let limit = query.limit.max(1);
        let asked: Vec<_> = (self.0.doors.iter().zip(&bounds))
            .map(|(door, &bound)| {
                let query = query.clone();
                door.send(move |worker| look_back(worker, &query, bound))
            })
            .collect();
        let mut looks = Vec::new();
        for (answer, bound) in asked.into_iter().zip(bounds) {
            // A thread that has ended has nothing more to tell.
            looks.push(answer.await.unwrap_or_else(|_| Look::nothing(bound)));
        }
        Ok(merge(&looks, limit, life))
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

/// What one thread found before a bound, newest first.
struct Look {
    found: Vec<(Past, Told)>,
    bound: u64,
    overwritten: Option<u64>,
}

impl Look {
    fn nothing(bound: Option<u64>) -> Self {
        Self {
            found: Vec::new(),
            bound: bound.unwrap_or(0),
            overwritten: Some(0),
        }
    }
}

fn look_back(worker: &mut Worker, query: &DecisionQuery, bound: Option<u64>) -> Look {
    let Page {
        found,
        bound,
        overwritten,
    } = worker.engine.decisions_before(query, bound);
    let tell = |past: Past| (past, worker.engine.tell(&past.decision));
    Look {
        found: found.into_iter().map(tell).collect(),
        bound,
        overwritten,
    }
}

/// The newest `limit` of all threads' decisions. Of each thread it takes a run without holes from its newest on, even
/// where a clock that was set back makes the times of that run go up: the cursor is one number per thread.
fn merge(looks: &[Look], limit: usize, life: u32) -> DecisionPage {
    let mut taken = vec![0; looks.len()];
    let mut told = Vec::new();
    while told.len() < limit {
        let heads = looks.iter().enumerate().filter_map(|(thread, look)| {
            let (past, _) = look.found.get(taken[thread])?;
            Some((past.decision.at, thread))
        });
        let Some((_, newest)) = heads.max() else { break };
        told.push(looks[newest].found[taken[newest]].1.clone());
        taken[newest] += 1;
    }
    told.reverse();
    let mut page = DecisionPage {
        told,
        ..DecisionPage::default()
    };
    let mut more = false;
    let mut next = Vec::new();
    for (look, taken) in looks.iter().zip(taken) {
        let last = taken.checked_sub(1).map(|at| look.found[at].0);
        let all = taken == look.found.len();
        match look.overwritten.filter(|_| all) {
            Some(gone) => {
                page.overwritten += gone;
                next.push(0);
            }
            None => {
                more = true;
                page.overwritten += last.map_or(0, |past| past.overwritten);
                next.push(last.map_or(look.bound, |past| past.decision.seq));
            }
        }
    }
    page.next = more.then_some(Cursor::new(life, next));
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use purlin_telemetry::Decision;
    use purlin_types::WallTime;

    /// Decisions with these times, numbered from 0, as a thread finds them before `bound`.
    fn look(times: &[u64], bound: u64, limit: usize) -> Look {
        let all = times.iter().zip(0..).take_while(|(_, seq)| *seq < bound);
        let found: Vec<_> = all.map(|(&at, seq)| found(at, seq)).collect();
        let more = found.len() > limit;
        Look {
            found: found.into_iter().rev().take(limit).collect(),
            bound,
            overwritten: (!more).then_some(0),
        }
    }

    fn found(at: u64, seq: u64) -> (Past, Told) {
        let decision = Decision {
            at: WallTime(at),
            seq,
            ..Decision::default()
        };
        let past = Past {
            decision,
            overwritten: 0,
        };
        let told = Told {
            decision,
            event: "",
            answer: "",
            text: String::new(),
            slug: "",
            subnet: None,
        };
        (past, told)
    }

    #[test]
    fn a_clock_that_was_set_back_loses_no_decision_between_pages() {
        // The first thread's clock was set back after its second decision.
        let threads: [&[u64]; 2] = [&[50, 60, 10, 20, 30], &[5, 15, 25, 55]];
        let (mut bounds, mut seen) = (vec![5, 4], Vec::new());
        loop {
            let looks: Vec<Look> = threads
                .iter()
                .zip(&bounds)
                .map(|(times, &bound)| look(times, bound, 2))
                .collect();
            let page = merge(&looks, 2, 1);
            seen.extend(page.told.iter().map(|told| told.decision.at.0));
            match page.next {
                Some(next) => bounds = next.next,
                None => break,
            }
        }
        seen.sort_unstable();
        assert_eq!(seen, [5, 10, 15, 20, 25, 30, 50, 55, 60]);
    }

    #[test]
    fn threads_without_anything_make_an_empty_page() {
        let page = merge(&[Look::nothing(None), Look::nothing(Some(7))], 10, 1);
        assert!(page.told.is_empty() && page.next.is_none());
        assert_eq!(page.overwritten, 0);
    }
}
