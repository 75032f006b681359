//! `/api/v1/tftp/transfers`: what is on its way right now.

use super::{Desk, text};
use axum::Json;
use axum::extract::State;
use purlin_api::asked::Asked;
use purlin_api::route::{self, Draft};
use purlin_api::{Problem, Viewer, schema};
use serde_json::Value;

/// Transfers per packet thread that are looked at: listing more would keep it from its packets.
const SEEN_MAX: usize = 20_000;

async fn list(_: Viewer, State(desk): State<Desk>, asked: Asked) -> Result<Json<Value>, Problem> {
    let mut transfers = desk.books.handle.transfers(SEEN_MAX).await;
    transfers.sort_by_key(|view| (view.asked, view.client));
    let all = transfers.iter().map(text::transfer).collect();
    asked.page_of_all(all).map(Json)
}

pub(super) fn drafts() -> [Draft<Desk>; 1] {
    [route::get("/api/v1/tftp/transfers", list)
        .summary("Lists open TFTP transfers, the oldest first")
        .description("A picture of the moment: between two pages transfers end and begin.")
        .paged()
        .answers(200, schema::page_of("Transfer"))]
}
