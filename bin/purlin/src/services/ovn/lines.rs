//! Command lines of `purlin nbctl` on this machine: a socket in the data directory, over the copy that the node has.

use crate::cli::nbctl;
use purlin_ovn_nbctl::shell::{Engine, Log, Served, Verbosity, serve};
use purlin_ovn_server::Platform;
use std::path::Path;

/// Takes lines from now on. Whoever may open the data directory may write what the node may write.
pub(super) fn take(platform: &Platform, data_dir: &Path) -> Option<Served> {
    let (client, rows) = platform.northbound();
    let log = Log::quiet("ovn-nbctl", Verbosity::default());
    let path = nbctl::socket(data_dir);
    match serve(Engine::new(client, rows), log, &path) {
        Ok(served) => Some(served),
        Err(cause) => {
            // The lines find the database without the node too.
            crate::log::warn(&format!(
                "purlin nbctl goes without this node: {}: {cause}",
                path.display()
            ));
            None
        }
    }
}
