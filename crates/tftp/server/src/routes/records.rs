//! `/api/v1/tftp/records`: who asked for which file over TFTP or HTTP, and how that ended.

mod look;

use super::{Desk, text};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use look::OtherLife;
use purlin_api::asked::Asked;
use purlin_api::route::{self, Draft};
use purlin_api::schema::Schema;
use purlin_api::{Problem, Viewer, reasons, schema};
use purlin_telemetry::ReasonCode;
use purlin_tftp_core::RecordQuery;
use serde_json::Value;
use std::str::FromStr;

/// The start of the service, one number per packet thread, and one for HTTP.
const CURSOR: &str = "^([0-9a-f]{8}-[0-9]{1,18}([.][0-9]{1,18}){0,1023})?$";

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

async fn list(_: Viewer, State(desk): State<Desk>, asked: Asked) -> Result<Json<Value>, Problem> {
    let query = RecordQuery {
        client: asked.parsed("client", "an IP address")?,
        name: asked.text("file").map(str::to_owned),
        reason: asked
            .parsed::<Code>("code", "a code like PUR-2101")?
            .map(|code| code.0),
        notable_only: asked.flag("notable")?,
        limit: asked.limit()?,
        ..RecordQuery::default()
    };
    let page = look::before(&desk, query, asked.cursor()?).await;
    let page = page.map_err(|OtherLife| {
        let detail = "that cursor is from before the last start; records of that time are gone";
        Problem::new(StatusCode::BAD_REQUEST, &reasons::BAD_CURSOR, detail)
    })?;
    let items = page.told.iter().map(text::record).collect();
    let mut answer = asked.page(items, page.next.map(|next| next.to_string()));
    answer["overwritten"] = page.overwritten.into();
    Ok(Json(answer))
}

pub(super) fn drafts() -> [Draft<Desk>; 1] {
    [route::get("/api/v1/tftp/records", list)
        .alias("/api/v1/boot/records")
        .summary("Lists the newest boot records, oldest first")
        .description(
            "Each request for a file ends in one record, over TFTP and HTTP. Each page is oldest first, and \
             `next_cursor` leads to the page of older ones. Pages show no record twice and leave none out that is kept, \
             also while new ones come in. Records live in bounded memory; refusals and silence are kept longer than \
             ordinary answers. `overwritten` says how many records, about anybody, once stood within this page and are \
             gone; on the last page it counts back to the start of the service.",
        )
        .query("client", schema::string("Only requests of this IP address."))
        .query("file", schema::string("Only requests for names with this in them."))
        .query(
            "code",
            schema::matching(
                "^(PUR-)?[1-9][0-9]{3}$",
                "Only with this reason code: PUR-2101 or 2101.",
            ),
        )
        .query("notable", schema::boolean("Only what was no ordinary answer."))
        .paged_by(CURSOR)
        .answers(200, page())]
}

fn page() -> Schema {
    let mut page = schema::page_of("BootRecord");
    page["properties"]["overwritten"] =
        schema::count("Records about anybody within this page that are kept no longer.");
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
        assert_eq!(
            "PUR-2101".parse::<Code>().map(|code| code.0),
            Ok(ReasonCode(2101))
        );
        assert_eq!("2101".parse::<Code>().map(|code| code.0), Ok(ReasonCode(2101)));
        for bad in ["0", "02101", "P-2101", " 2101", "PUR-", ""] {
            assert!(bad.parse::<Code>().is_err(), "{bad}");
        }
    }
}
