//! What keeps the validators of the running node's chain from deciding blocks in time; it finds that out itself.

use super::Finding;
use crate::cli::Context;
use crate::client::Ask;

/// Where a node tells it.
const DIAGNOSIS: &str = "/api/v1/chain/diagnosis";

/// Nothing for a node without a chain or alone on it, and for one that does not answer: that is said elsewhere.
pub(super) async fn check(context: &Context) -> Vec<Finding> {
    let Ok(mut client) = context.client() else {
        return Vec::new();
    };
    let Ok(found) = client.value(Ask::get(DIAGNOSIS)).await else {
        return Vec::new();
    };
    let items = found["items"].as_array().into_iter().flatten();
    items.map(Finding::read).collect()
}
