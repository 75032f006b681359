//! What is kept of the network: journal, documents, templates, backups.

use super::{backups, documents, journal, templates};
use crate::platform::Platform;
use purlin_api::route::Routes;

pub(super) fn routes(platform: &Platform) -> Routes {
    let narrowed = Platform::narrowed;
    let drafts = journal::drafts().into_iter().chain(documents::drafts());
    let routes = Routes::narrowed("ovn", platform, drafts, narrowed);
    let routes = documents::components(journal::components(routes));
    let ovncp = templates::drafts().into_iter().chain(backups::drafts());
    let ovncp = Routes::narrowed("ovncp", platform, ovncp, narrowed);
    routes.and(backups::components(templates::components(ovncp)))
}
