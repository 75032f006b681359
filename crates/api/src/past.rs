//! Lists of what is kept for a while: the newest of several threads' records, page behind page.

use crate::asked::Asked;
use crate::events::Cursor;
use crate::problem::Problem;
use crate::schema::{self, Schema};
use crate::{reasons, route::Draft};
use axum::http::StatusCode;
use purlin_telemetry::ReasonCode;
use purlin_telemetry::decision::{Page, Record};
use serde_json::Value;
use std::str::FromStr;

/// The start of the service, and one number per lane.
const CURSOR: &str = "^([0-9a-f]{8}-[0-9]{1,18}([.][0-9]{1,18}){0,1023})?$";

/// A page over all lanes. A lane is whatever numbers its records by itself: a packet thread, HTTP.
#[derive(Debug, Clone)]
pub struct PastPage<T> {
    /// Oldest first.
    pub told: Vec<T>,
    /// Where the page of older ones ends; `None` when there are none.
    pub next: Option<Cursor>,
    /// How many records, wanted or not, stood in this page's stretch of time and have been overwritten.
    pub overwritten: u64,
}

impl<T> PastPage<T> {
    /// The page as it is answered.
    pub fn answer(&self, asked: &Asked, view: impl FnMut(&T) -> Value) -> Value {
        let items = self.told.iter().map(view).collect();
        let mut answer = asked.page(items, self.next.as_ref().map(ToString::to_string));
        answer["overwritten"] = self.overwritten.into();
        answer
    }
}

/// That a cursor is of another start of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OtherLife;

impl From<OtherLife> for Problem {
    fn from(_: OtherLife) -> Self {
        let detail = "that cursor is from before the last start; what it led to is gone";
        Self::new(StatusCode::BAD_REQUEST, &reasons::BAD_CURSOR, detail)
    }
}

/// Below which number each lane is to look; `None` for its newest.
///
/// # Errors
/// [`OtherLife`] when the cursor is not of this start of the service.
pub fn bounds(cursor: Option<Cursor>, life: u32, lanes: usize) -> Result<Vec<Option<u64>>, OtherLife> {
    match cursor {
        None => Ok(vec![None; lanes]),
        Some(cursor) if cursor.life == life && cursor.next.len() == lanes => {
            Ok(cursor.next.into_iter().map(Some).collect())
        }
        Some(_) => Err(OtherLife),
    }
}

/// The newest `limit` of what all lanes found; `tell` gets a lane and the index of what it found. Of each lane it takes a
/// run without holes from its newest on, even where a clock that was set back makes the times of that run go up: the
/// cursor is one number per lane.
pub fn merge<R: Record, T>(
    looks: &[Page<R>],
    limit: usize,
    life: u32,
    mut tell: impl FnMut(usize, usize) -> T,
) -> PastPage<T> {
    let mut taken = vec![0; looks.len()];
    let mut told = Vec::new();
    while told.len() < limit {
        let heads = looks.iter().enumerate().filter_map(|(lane, look)| {
            let past = look.found.get(taken[lane])?;
            Some((past.decision.at(), lane))
        });
        let Some((_, newest)) = heads.max() else { break };
        told.push(tell(newest, taken[newest]));
        taken[newest] += 1;
    }
    told.reverse();
    let (mut overwritten, mut more, mut next) = (0, false, Vec::new());
    for (look, taken) in looks.iter().zip(taken) {
        let last = taken.checked_sub(1).map(|at| look.found[at]);
        let all = taken == look.found.len();
        match look.overwritten.filter(|_| all) {
            Some(gone) => {
                overwritten += gone;
                next.push(0);
            }
            None => {
                more = true;
                overwritten += last.map_or(0, |past| past.overwritten);
                next.push(last.map_or(look.bound, |past| past.decision.seq()));
            }
        }
    }
    PastPage {
        told,
        next: more.then(|| Cursor::new(life, next)),
        overwritten,
    }
}

/// Declares the route of such a list of `name`s, `one` in words: its parameters and its answer.
#[must_use]
pub fn listed<S>(draft: Draft<S>, name: &str, one: &str) -> Draft<S> {
    let mut page = schema::page_of(name);
    page["properties"]["overwritten"] = schema::count(&format!(
        "{one}s about anybody within this page that are kept no longer."
    ));
    if let Some(required) = page["required"].as_array_mut() {
        required.push("overwritten".into());
    }
    draft.query("code", code()).paged_by(CURSOR).answers(200, page)
}

fn code() -> Schema {
    schema::matching(
        "^(PUR-)?[1-9][0-9]{3}$",
        "Only with this reason code: PUR-1101 or 1101.",
    )
}

/// The reason code that is asked for in `code`.
///
/// # Errors
/// 400 when it is no code.
pub fn code_of(asked: &Asked) -> Result<Option<ReasonCode>, Problem> {
    let code = asked.parsed::<Code>("code", "a code like PUR-1101")?;
    Ok(code.map(|code| code.0))
}

/// A reason code as codes are: four digits.
struct Code(ReasonCode);

impl FromStr for Code {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let code = text.parse::<ReasonCode>()?;
        let whole = code.to_string();
        let as_written = whole == text || whole.strip_prefix("PUR-") == Some(text);
        as_written.then_some(Self(code)).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use purlin_telemetry::Decision;
    use purlin_telemetry::decision::{DecisionRing, Past};
    use purlin_types::WallTime;

    /// Decisions with these times, numbered from 0, as a lane finds them before `bound`.
    fn look(times: &[u64], bound: u64, limit: usize) -> Page {
        let all = times.iter().zip(0..).take_while(|(_, seq)| *seq < bound);
        let found: Vec<_> = all.map(|(&at, seq)| past(at, seq)).collect();
        let more = found.len() > limit;
        Page {
            found: found.into_iter().rev().take(limit).collect(),
            bound,
            overwritten: (!more).then_some(0),
        }
    }

    fn past(at: u64, seq: u64) -> Past {
        Past {
            decision: Decision {
                at: WallTime(at),
                seq,
                ..Decision::default()
            },
            overwritten: 0,
        }
    }

    fn times(looks: &[Page], limit: usize) -> PastPage<u64> {
        merge(looks, limit, 1, |lane, at| looks[lane].found[at].decision.at.0)
    }

    #[test]
    fn a_clock_that_was_set_back_loses_no_record_between_pages() {
        // The first lane's clock was set back after its second record.
        let lanes: [&[u64]; 2] = [&[50, 60, 10, 20, 30], &[5, 15, 25, 55]];
        let (mut bounds, mut seen) = (vec![5, 4], Vec::new());
        loop {
            let looks = lanes.iter().zip(&bounds);
            let looks: Vec<Page> = looks.map(|(times, &bound)| look(times, bound, 2)).collect();
            let page = times(&looks, 2);
            seen.extend(page.told);
            match page.next {
                Some(next) => bounds = next.next,
                None => break,
            }
        }
        seen.sort_unstable();
        assert_eq!(seen, [5, 10, 15, 20, 25, 30, 50, 55, 60]);
    }

    #[test]
    fn pages_over_all_lanes_show_each_record_once_in_order() {
        let lanes = [&[1, 4, 5, 9][..], &[2, 3, 10], &[]].map(|times| {
            let mut ring = DecisionRing::new(64);
            times.iter().for_each(|at| {
                ring.push(past(*at, 0).decision);
            });
            ring
        });
        let mut before = vec![None; 3];
        let mut seen = Vec::new();
        loop {
            let looks = lanes.iter().zip(&before);
            let looks: Vec<_> = looks.map(|(lane, at)| lane.before(*at, 2, |_| true)).collect();
            let page = times(&looks, 2);
            assert!(page.told.is_sorted(), "{:?}", page.told);
            seen.splice(0..0, page.told);
            match bounds(page.next.clone(), 1, 3) {
                Ok(next) if page.next.is_some() => before = next,
                _ => break,
            }
        }
        assert_eq!(seen, [1, 2, 3, 4, 5, 9, 10]);
    }

    #[test]
    fn lanes_without_anything_make_an_empty_page() {
        let nothing = |bound| Page {
            found: Vec::new(),
            bound,
            overwritten: Some(0),
        };
        let page = times(&[nothing(0), nothing(7)], 10);
        assert!(page.told.is_empty() && page.next.is_none());
        assert_eq!(page.overwritten, 0);
    }

    #[test]
    fn a_cursor_of_another_start_is_refused() {
        assert_eq!(bounds(None, 1, 2), Ok(vec![None, None]));
        assert_eq!(
            bounds(Some(Cursor::new(1, vec![3, 4])), 1, 2),
            Ok(vec![Some(3), Some(4)])
        );
        assert_eq!(bounds(Some(Cursor::new(2, vec![3, 4])), 1, 2), Err(OtherLife));
        assert_eq!(bounds(Some(Cursor::new(1, vec![3])), 1, 2), Err(OtherLife));
    }

    #[test]
    fn a_code_is_written_as_it_is_shown() {
        assert_eq!(
            "PUR-1101".parse::<Code>().map(|code| code.0),
            Ok(ReasonCode(1101))
        );
        assert_eq!("1101".parse::<Code>().map(|code| code.0), Ok(ReasonCode(1101)));
        for bad in ["0", "01101", "P-1101", " 1101", "PUR-", ""] {
            assert!(bad.parse::<Code>().is_err(), "{bad}");
        }
    }
}
