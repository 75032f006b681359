//! The routes of the OVN platform.
//!
//! ```text
//!   GET    /api/v1/ovn                          databases, members, how far the copies can be trusted
//!   GET    /api/v1/ovn/nb                       tables            GET .../nb/TABLE[/ROW]   rows; ROW is a UUID or a name
//!   POST   /api/v1/ovn/nb/TABLE?parent=…        a row             PATCH, DELETE .../ROW
//!   POST   /api/v1/ovn/changes                  many changes, one transaction
//!   GET    /api/v1/ovn/lint                     what is wrong, or probably not meant, in all that is there
//!   GET    /api/v1/ovn/journal[/ID]             who changed what      POST .../journal/ID/undo    takes it back
//!   POST   /api/v1/ovn/documents/OWNER/plan|apply      an owner's part as one document   GET .../drift, .../export
//!   GET    /api/v1/ovn/switches/ID/dhcp         who answers DHCP there             PUT chooses: nobody, ovn, purlin
//!   GET    /api/v1/ovn/operations               clusters, ovn-northd, hypervisors, alarms; and what can be done
//!   GET    /api/v1/ovn/sb[/TABLE[/ROW]]         flows, chassis, bindings: read only
//! ```
//!
//! Every write takes `dryRun`, `wait=sb|hv`, `owner` and `force`.

mod backups;
mod changes;
mod dhcp;
mod documents;
mod find;
mod history;
mod journal;
mod list;
mod nb;
mod operations;
mod ovncp;
mod ovncp_pictures;
mod ovncp_trace;
mod sb;
mod stream;
mod templates;
mod topology;
mod trace;
mod typed;
mod whatif;

pub(crate) use list::unknown as unknown_column;

use crate::platform::Platform;
use axum::Json;
use axum::extract::State;
use purlin_api::route::{self, Draft, Routes};
use purlin_api::{Viewer, schema};
use serde_json::Value;

/// The routes over a platform.
#[must_use]
pub fn routes(platform: &Platform) -> Routes {
    let status = route::get("/api/v1/ovn", status)
        .summary("The databases of OVN as this node sees them")
        .answers(200, schema::open_object(&["origin", "ready"], &[]));
    let drafts = std::iter::once(status)
        .chain(nb::drafts())
        .chain(changes::drafts())
        .chain(sb::drafts())
        .chain(stream::drafts())
        .chain(topology::drafts().into_iter().map(Draft::tenants))
        .chain(trace::drafts())
        .chain(whatif::drafts())
        .chain(operations::drafts())
        .chain(typed::drafts())
        .chain(dhcp::drafts());
    let narrowed = Platform::narrowed;
    let mut routes = nb::components(Routes::narrowed("ovn", platform, drafts, narrowed));
    routes = topology::components(routes);
    routes = trace::components(routes);
    routes = routes.and(history::routes(platform));
    routes = dhcp::components(typed::components(routes));
    let drafts = ovncp::drafts()
        .into_iter()
        .chain(ovncp_trace::drafts())
        .chain(ovncp_pictures::drafts().into_iter().map(Draft::tenants));
    let mut ovncp = Routes::narrowed("ovncp", platform, drafts, narrowed);
    ovncp = ovncp_trace::components(ovncp);
    ovncp = ovncp_pictures::components(ovncp);
    routes.and(ovncp::components(ovncp))
}

async fn status(_: Viewer, State(platform): State<Platform>) -> Json<Value> {
    Json(platform.status())
}

/// The parameters that every write takes.
fn writes(draft: Draft<Platform>) -> Draft<Platform> {
    draft
        .query(
            "wait",
            schema::one_of(
                &["sb", "hv"],
                "Answer when ovn-northd has written the flows (sb), or when every hypervisor has them (hv).",
            ),
        )
        .query(
            "timeout",
            schema::whole(1, 120, "How many seconds to wait at most; 10 when absent."),
        )
        .query(
            "owner",
            schema::matching(
                "^[A-Za-z0-9._-]{1,64}$",
                "Whose rows are made; purlin when absent.",
            ),
        )
        .query(
            "force",
            schema::boolean("Write rows of other managers, too; admins only."),
        )
        .errors(&[404, 409, 422, 502, 503, 504])
}

/// What a write answers.
fn written() -> schema::Schema {
    schema::reference("OvnWritten")
}
