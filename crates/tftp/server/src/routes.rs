//! The boot file part of the HTTP API.
//!
//! ```text
//!   tftp/transfers, status, records   ask the packet threads through the Handle
//!   boot/files, cache, resolve        ask the library and the plan
//!   boot/profiles                     a view of the configuration document; a write becomes a revision, applied live
//! ```

mod events;
mod files;
mod profiles;
mod records;
mod resolve;
mod schemas;
mod status;
mod teller;
mod text;
mod transfers;

pub use events::RecordEvents;
pub use teller::BootTeller;

use crate::Handle;
use crate::http::HttpRecords;
use purlin_api::revisions::Revisions;
use purlin_api::route::Routes;
use std::sync::Arc;

/// Where records come from: the packet threads, and HTTP boot beside them. Clones share both.
#[derive(Debug, Clone)]
pub struct Books {
    pub handle: Handle,
    pub http: Arc<HttpRecords>,
}

/// What the routes need. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Desk {
    books: Books,
    revisions: Revisions,
    /// Tells cursors of this start of the service from those of another.
    life: u32,
}

/// The boot file routes over a running service.
#[must_use]
pub fn routes(books: &Books, revisions: &Revisions) -> Routes {
    let desk = Desk {
        books: books.clone(),
        revisions: revisions.clone(),
        // Without random numbers cursors of a former start are taken for ours: a page may then be shorter.
        life: getrandom::u32().unwrap_or(0),
    };
    let drafts = transfers::drafts()
        .into_iter()
        .chain(status::drafts())
        .chain(records::drafts())
        .chain(files::drafts())
        .chain(resolve::drafts())
        .chain(profiles::drafts());
    schemas::components(Routes::new("boot", &desk, drafts))
}
