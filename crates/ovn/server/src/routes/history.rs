//! What is kept of the network: journal, documents.

use super::{documents, journal};
use crate::platform::Platform;
use purlin_api::route::Routes;

pub(super) fn routes(platform: &Platform) -> Routes {
    let drafts = journal::drafts().into_iter().chain(documents::drafts());
    documents::components(journal::components(Routes::new("ovn", platform, drafts)))
}
