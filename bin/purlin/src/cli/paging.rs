//! Lists come in pages; only one is ever held.

use crate::client::{Ask, Client, with_query};
use crate::exit::Failure;
use crate::output::{self, Kind, Listing, Paint, View};
use serde_json::Value;

/// Rows per request: the most a node gives.
const PAGE_MAX: usize = 1000;

/// A walk through a list of the API, page after page, to a number of rows.
pub(crate) struct Pages<'p> {
    path: &'p str,
    pairs: &'p [(&'p str, &'p str)],
    left: usize,
    /// Where the next page begins; `None` behind the last.
    cursor: Option<String>,
}

/// Rows of one answer.
pub(crate) struct Page {
    pub(crate) rows: Vec<Value>,
    /// Why there would be more rows, if the node said so.
    partial: Option<String>,
}

impl<'p> Pages<'p> {
    pub(crate) fn of(path: &'p str, pairs: &'p [(&'p str, &'p str)], limit: usize) -> Self {
        Self {
            path,
            pairs,
            left: limit,
            cursor: Some(String::new()),
        }
    }

    /// The next page; `None` behind the last. A list of no rows has one page.
    pub(crate) async fn next(&mut self, client: &mut Client) -> Result<Option<Page>, Failure> {
        let Some(cursor) = self.cursor.take() else {
            return Ok(None);
        };
        let count = self.left.clamp(1, PAGE_MAX).to_string();
        let mut pairs = self.pairs.to_vec();
        pairs.extend([("limit", count.as_str()), ("cursor", &cursor)]);
        let answer = client.value(Ask::get(with_query(self.path, &pairs))).await?;
        let partial = answer["partial"].as_str().map(str::to_owned);
        let next = answer["next_cursor"].as_str().map(str::to_owned);
        let mut rows = rows_of(answer);
        rows.truncate(self.left);
        self.left -= rows.len();
        self.cursor = next.filter(|next| self.left > 0 && *next != cursor);
        Ok(Some(Page { rows, partial }))
    }
}

/// Shows a whole list of the API, page after page, at most `limit` rows.
pub(crate) async fn list(
    client: &mut Client,
    path: &str,
    pairs: &[(&str, &str)],
    limit: usize,
    view: View,
    kind: Kind,
) -> Result<(), Failure> {
    let mut listing = Listing::new(output::stdout(), view, kind, Paint::stdout())?;
    let mut partial = None;
    let mut pages = Pages::of(path, pairs, limit);
    while let Some(page) = pages.next(client).await? {
        listing.page(&page.rows)?;
        partial = page.partial.or(partial);
    }
    listing.finish()?;
    // Beside the list: it is read by programs.
    if let Some(why) = partial {
        eprintln!("This is not all: {why}.");
    }
    Ok(())
}

/// All rows of a list of the API, for those who sum them up or are few.
pub(crate) async fn all(client: &mut Client, path: &str) -> Result<Vec<Value>, Failure> {
    let mut rows = Vec::new();
    let mut pages = Pages::of(path, &[], usize::MAX);
    while let Some(page) = pages.next(client).await? {
        rows.extend(page.rows);
    }
    Ok(rows)
}

/// The newest `limit` rows of a list whose pages are oldest first and lead into the past. All of them are here before
/// the first is shown.
pub(crate) async fn newest(
    client: &mut Client,
    path: &str,
    pairs: &[(&str, &str)],
    limit: usize,
) -> Result<Vec<Value>, Failure> {
    let mut seen: Vec<Vec<Value>> = Vec::new();
    let mut pages = Pages::of(path, pairs, limit);
    while let Some(page) = pages.next(client).await? {
        seen.push(page.rows);
    }
    Ok(seen.into_iter().rev().flatten().collect())
}

/// The rows of a list answer: `{"items": [...]}` or a bare array.
fn rows_of(answer: Value) -> Vec<Value> {
    let rows = match answer {
        Value::Object(mut members) => members.remove("items"),
        other => Some(other),
    };
    match rows {
        Some(Value::Array(rows)) => rows,
        _ => Vec::new(),
    }
}
