//! Lists come in pages; only one is ever held.

use crate::client::{Ask, Client, with_query};
use crate::exit::Failure;
use crate::output::{self, Kind, Listing, Paint, View};
use serde_json::Value;

/// Rows per request: the most a node gives.
const PAGE: &str = "1000";

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
    let mut cursor = String::new();
    loop {
        let mut pairs = pairs.to_vec();
        pairs.extend([("limit", PAGE), ("cursor", &cursor)]);
        let answer = client.value(Ask::get(with_query(path, &pairs))).await?;
        let rows = items(&answer);
        let rows = &rows[..rows.len().min(left)];
        listing.page(rows)?;
        left -= rows.len();
        match answer.get("next_cursor").and_then(Value::as_str) {
            Some(next) if left > 0 && next != cursor => cursor = next.to_owned(),
            _ => break,
        }
    }
    listing.finish().map(|_| ())
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
