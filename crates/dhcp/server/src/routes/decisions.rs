//! `/api/v1/decisions`: what was decided about whom, and why.

use super::{Desk, text};
use axum::Json;
use axum::extract::State;
use purlin_api::asked::Asked;
use purlin_api::route::{self, Draft};
use purlin_api::{Problem, Viewer, schema};
use purlin_dhcp_core::view::DecisionQuery;
use purlin_telemetry::ReasonCode;
use serde_json::Value;
use std::str::FromStr;

/// Pairs of hexadecimal digits with one of the usual separators.
const MAC: &str = "^([0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}|[0-9a-fA-F]{2}(-[0-9a-fA-F]{2}){5}|[0-9a-fA-F]{4}([.][0-9a-fA-F]{4}){2}|[0-9a-fA-F]{12})$";

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
    let told = desk.handle.decisions(query).await;
    Ok(Json(asked.page(told.iter().map(text::decision).collect(), None)))
}

pub(super) fn drafts() -> [Draft<Desk>; 1] {
    [route::get("/api/v1/decisions", list)
        .alias("/api/v1/dhcp/decisions")
        .summary("Lists the newest decisions, oldest first")
        .description(
            "Decisions live in bounded memory; refusals and silence are kept longer than ordinary answers.",
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
        .limited("How many; 100 when absent.")
        .fields()
        .answers(200, schema::page_of("Decision"))]
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
