//! Records of all packet threads and of HTTP as one list, newest pages first.

use crate::routes::Desk;
use purlin_api::events::Cursor;
use purlin_telemetry::decision::Page;
use purlin_tftp_core::{BootRecord, RecordQuery, Told};

/// A page of records.
#[derive(Debug, Clone, Default)]
pub(super) struct RecordPage {
    /// Oldest first.
    pub(super) told: Vec<Told>,
    /// Where the page of older ones ends; `None` when there are none.
    pub(super) next: Option<Cursor>,
    /// How many records, wanted or not, stood in this page's stretch of time and have been overwritten.
    pub(super) overwritten: u64,
}

/// That a cursor is of another start of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OtherLife;

/// The newest records wanted before a cursor. Pages that follow each other's cursors never show one twice and leave
/// none out that is still there, however many come in meanwhile.
pub(super) async fn before(
    desk: &Desk,
    query: RecordQuery,
    cursor: Option<Cursor>,
) -> Result<RecordPage, OtherLife> {
    let handle = &desk.books.handle;
    let threads = usize::from(handle.status().threads);
    let bounds: Vec<Option<u64>> = match cursor {
        None => vec![None; threads + 1],
        Some(cursor) if cursor.life == desk.life && cursor.next.len() == threads + 1 => {
            cursor.next.into_iter().map(Some).collect()
        }
        Some(_) => return Err(OtherLife),
    };
    let limit = query.limit.max(1);
    let mut looks = handle.records_before(&query, &bounds[..threads]).await;
    looks.push(desk.books.http.before(bounds[threads], &query));
    Ok(merge(&looks, limit, desk.life))
}

/// The newest `limit` of all lanes. Of each it takes a run without holes from its newest on, even where a clock that was
/// set back makes the times of that run go up: the cursor is one number per lane.
fn merge(looks: &[Page<BootRecord>], limit: usize, life: u32) -> RecordPage {
    let mut taken = vec![0; looks.len()];
    let mut told = Vec::new();
    while told.len() < limit {
        let heads = looks.iter().enumerate().filter_map(|(lane, look)| {
            let past = look.found.get(taken[lane])?;
            Some((past.decision.at, lane))
        });
        let Some((_, newest)) = heads.max() else { break };
        told.push(Told::of(looks[newest].found[taken[newest]].decision));
        taken[newest] += 1;
    }
    told.reverse();
    let mut page = RecordPage {
        told,
        ..RecordPage::default()
    };
    let mut more = false;
    let mut next = Vec::new();
    for (look, taken) in looks.iter().zip(taken) {
        let last = taken.checked_sub(1).map(|at| look.found[at]);
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
    use purlin_telemetry::decision::DecisionRing;
    use purlin_types::WallTime;
    use std::net::Ipv4Addr;

    fn ring(times: &[u64]) -> DecisionRing<BootRecord> {
        let mut ring = DecisionRing::new(64);
        for time in times {
            ring.push(BootRecord::new(
                WallTime(*time),
                Ipv4Addr::LOCALHOST.into(),
                1,
                b"f",
            ));
        }
        ring
    }

    #[test]
    fn pages_over_all_lanes_show_each_record_once_in_order() {
        let lanes = [ring(&[1, 4, 5, 9]), ring(&[2, 3, 10]), ring(&[])];
        let mut bounds = vec![None; 3];
        let mut seen = Vec::new();
        loop {
            let looks: Vec<_> = lanes
                .iter()
                .zip(&bounds)
                .map(|(lane, bound)| lane.before(*bound, 2, |_| true))
                .collect();
            let page = merge(&looks, 2, 7);
            let times: Vec<u64> = page.told.iter().map(|told| told.record.at.0).collect();
            assert!(times.is_sorted(), "{times:?}");
            seen.splice(0..0, times);
            match page.next {
                Some(cursor) => bounds = cursor.next.into_iter().map(Some).collect(),
                None => break,
            }
        }
        assert_eq!(seen, [1, 2, 3, 4, 5, 9, 10]);
    }
}
