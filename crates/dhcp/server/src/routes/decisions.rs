//! `/api/v1/decisions`: what was decided about whom, and why.

use super::{Desk, text};
use crate::handle::OtherLife;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use purlin_api::asked::Asked;
use purlin_api::route::{self, Draft};
use purlin_api::schema::Schema;
use purlin_api::{Problem, Viewer, reasons, schema};
use purlin_dhcp_core::view::DecisionQuery;
use purlin_telemetry::ReasonCode;
use serde_json::Value;
use std::str::FromStr;

/// Pairs of hexadecimal digits with one of the usual separators.
const MAC: &str = "^([0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}|[0-9a-fA-F]{2}(-[0-9a-fA-F]{2}){5}|[0-9a-fA-F]{4}([.][0-9a-fA-F]{4}){2}|[0-9a-fA-F]{12})$";

/// The start of the service, and one number per packet thread.
const CURSOR: &str = "^([0-9a-f]{8}-[0-9]{1,18}([.][0-9]{1,18}){0,1023})?$";

/// A reason code as codes are: four digits.
struct Code(u16);

impl FromStr for Code {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let code = text.parse::<ReasonCode>()?;
        let whole = code.to_string();
        let as_written = whole == text || whole.strip_prefix("PUR-") == Some(text);
        as_written.then_some(Self(code.0)).ok_or(())
    }
}

async fn list(_: Viewer, State(desk): State<Desk>, asked: Asked) -> Result<Json<Value>, Problem> {
    let query = DecisionQuery {
        mac: asked.parsed("mac", "a MAC address like 02:00:00:00:00:01")?,
        address: asked.parsed("address", "an IPv4 address")?,
        key: None,
        reason: asked
            .parsed::<Code>("code", "a code like PUR-1101")?
            .map(|code| code.0),
        notable_only: asked.flag("notable")?,
        limit: asked.limit()?,
    };
    let cursor = asked.cursor()?;
    let page = desk.leases.handle().decisions_before(query, cursor).await;
    let page = page.map_err(|OtherLife| {
        let detail = "that cursor is from before the last start; decisions of that time are gone";
        Problem::new(StatusCode::BAD_REQUEST, &reasons::BAD_CURSOR, detail)
    })?;
    let items = page.told.iter().map(text::decision).collect();
    let mut answer = asked.page(items, page.next.map(|next| next.to_string()));
    answer["overwritten"] = page.overwritten.into();
    Ok(Json(answer))
}

pub(super) fn drafts() -> [Draft<Desk>; 1] {
    [route::get("/api/v1/decisions", list)
        .alias("/api/v1/dhcp/decisions")
        .summary("Lists the newest decisions, oldest first")
        .description(
            "Each page is oldest first, and `next_cursor` leads to the page of older ones. Pages show no decision twice \
             and leave none out that is kept, also while new ones come in. Decisions live in bounded memory; refusals \
             and silence are kept longer than ordinary answers. `overwritten` says how many decisions, about anybody, \
             once stood within this page and are gone; on the last page it counts back to the start of the service.",
        )
        .query("mac", schema::matching(MAC, "Only about this hardware address."))
        .query("address", schema::formatted("ipv4", "Only about this address."))
        .query(
            "code",
            schema::matching(
                "^(PUR-)?[1-9][0-9]{3}$",
                "Only with this reason code: PUR-1101 or 1101.",
            ),
        )
        .query("notable", schema::boolean("Only refusals, silence and drops."))
        .paged_by(CURSOR)
        .answers(200, page())]
}

fn page() -> Schema {
    let mut page = schema::page_of("Decision");
    page["properties"]["overwritten"] =
        schema::count("Decisions about anybody within this page that are kept no longer.");
    if let Some(required) = page["required"].as_array_mut() {
        required.push("overwritten".into());
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_written_as_it_is_shown() {
        assert_eq!("PUR-1101".parse::<Code>().map(|code| code.0), Ok(1101));
        assert_eq!("1101".parse::<Code>().map(|code| code.0), Ok(1101));
        for bad in ["0", "01101", "P-1101", " 1101", "PUR-", ""] {
            assert!(bad.parse::<Code>().is_err(), "{bad}");
        }
    }
}
