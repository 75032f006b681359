//! What is kept of the network: journal, documents, templates, backups.

use super::{backups, documents, journal, templates};
use crate::platform::Platform;
use purlin_api::route::Routes;

pub(super) fn routes(platform: &Platform) -> Routes {
    let drafts = journal::drafts().into_iter().chain(documents::drafts());
    let routes = documents::components(journal::components(Routes::new("ovn", platform, drafts)));
    let ovncp = templates::drafts().into_iter().chain(backups::drafts());
    let ovncp = Routes::new("ovncp", platform, ovncp);
    routes.and(backups::components(templates::components(ovncp)))
}
