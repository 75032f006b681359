//! Lists come in pages; only one is ever held.

use crate::client::{Ask, Client, with_query};
use crate::exit::Failure;
use crate::output::{self, Kind, Listing, Paint, View};
use serde_json::Value;

/// Rows per request: the most a node gives.
const PAGE: &str = "1000";
const PAGE_MAX: usize = 1000;

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
    let mut left = limit;
    let (mut cursor, mut partial) = (String::new(), None);
    loop {
        let mut pairs = pairs.to_vec();
        pairs.extend([("limit", PAGE), ("cursor", &cursor)]);
        let answer = client.value(Ask::get(with_query(path, &pairs))).await?;
        let rows = items(&answer);
        let rows = &rows[..rows.len().min(left)];
        listing.page(rows)?;
        left -= rows.len();
        partial = answer["partial"].as_str().map(str::to_owned).or(partial);
        match answer.get("next_cursor").and_then(Value::as_str) {
            Some(next) if left > 0 && next != cursor => cursor = next.to_owned(),
            _ => break,
        }
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
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let pairs = [("limit", PAGE), ("cursor", &cursor)];
        let answer = client.value(Ask::get(with_query(path, &pairs))).await?;
        rows.extend(items(&answer).iter().cloned());
        match answer.get("next_cursor").and_then(Value::as_str) {
            Some(next) if next != cursor => cursor = next.to_owned(),
            _ => return Ok(rows),
        }
    }
}

/// The newest `limit` rows of a list whose pages are oldest first and lead into the past. All of them are here before
/// the first is shown.
pub(crate) async fn newest(
    client: &mut Client,
    path: &str,
    pairs: &[(&str, &str)],
    limit: usize,
) -> Result<Vec<Value>, Failure> {
    let mut left = limit;
    let mut pages: Vec<Vec<Value>> = Vec::new();
    let mut cursor = String::new();
    loop {
        let count = left.min(PAGE_MAX).to_string();
        let mut pairs = pairs.to_vec();
        pairs.extend([("limit", count.as_str()), ("cursor", &cursor)]);
        let mut answer = client.value(Ask::get(with_query(path, &pairs))).await?;
        if let Value::Array(rows) = answer["items"].take() {
            left = left.saturating_sub(rows.len());
            pages.push(rows);
        }
        match answer["next_cursor"].as_str() {
            Some(next) if left > 0 && next != cursor => cursor = next.to_owned(),
            _ => break,
        }
    }
    Ok(pages.into_iter().rev().flatten().collect())
}

/// The rows of a list answer: `{"items": [...]}` or a bare array.
fn items(answer: &Value) -> &[Value] {
    answer
        .get("items")
        .unwrap_or(answer)
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
}
