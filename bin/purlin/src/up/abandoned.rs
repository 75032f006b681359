//! Leases in the own store of a node that is told to serve from a shared one: they were to be moved there first. Who edits
//! the configuration by hand would have clients of a service that knows none of them.

use crate::exit::Failure;
use crate::settings::Settings;
use purlin_store_embedded::Embedded;
use std::path::Path;
use std::sync::Arc;

#[cfg(feature = "dhcp")]
use super::grown;
#[cfg(feature = "dhcp")]
use crate::exit::chain;
#[cfg(feature = "dhcp")]
use crate::log;
#[cfg(feature = "dhcp")]
use purlin_dhcp_server::bound_in_journals;

/// There when they were left behind on purpose.
#[cfg(feature = "dhcp")]
const LEFT: &str = "leases-left-behind";

/// Refuses to go on without them, unless that was said once.
///
/// # Errors
/// With how many there are, and what moves them.
#[cfg(feature = "dhcp")]
pub(super) async fn check(
    store: &Arc<Embedded>,
    settings: &Settings,
    data_dir: &Path,
    leave: bool,
) -> Result<(), Failure> {
    let mark = data_dir.join(LEFT);
    if grown::is_there(data_dir) || mark.exists() {
        return Ok(());
    }
    let (journals, service) = (store.journals(), settings.services.dhcp.service.clone());
    let read = tokio::task::spawn_blocking(move || bound_in_journals(&*journals, &service)).await;
    let read = read.map_err(|_| Failure::failed("reading the journals panicked", ""))?;
    let bound = read.map_err(|cause| Failure::failed(chain(&cause), "purlin doctor"))?;
    if bound == 0 {
        return Ok(());
    }
    if leave {
        log::warn(&format!(
            "{bound} leases in {} are left behind",
            data_dir.display()
        ));
        return std::fs::write(&mark, "").map_err(|cause| {
            Failure::failed(
                format!("cannot write {}: {cause}", mark.display()),
                "check the disk",
            )
        });
    }
    Err(Failure::failed(
        format!(
            "this node has {bound} leases of its own in {}, and store.engine = \"postgres\" would begin without them",
            data_dir.display()
        ),
        "take [store], [coordination] and cluster.enabled out of the file, start the node, then: purlin cluster grow --store \
         URL --node-ip ADDRESS; to leave them behind for good: purlin up --leave-leases",
    ))
}

#[cfg(not(feature = "dhcp"))]
pub(super) async fn check(_: &Arc<Embedded>, _: &Settings, _: &Path, _: bool) -> Result<(), Failure> {
    Ok(())
}
