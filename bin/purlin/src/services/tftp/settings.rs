//! `[tftp]`, as this machine can honour it, and what of it the node itself must know.

use crate::log;
use crate::ports::{Port, Transport};
use crate::up::process::machine_bytes;
use purlin_tftp_core::Plan;
use purlin_tftp_core::settings::Settings;
use purlin_types::ByteSize;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// The ports it wants.
pub(crate) fn ports(settings: &Settings) -> Vec<Port> {
    if !settings.enabled {
        return Vec::new();
    }
    let port = |transport, key| {
        move |&address: &SocketAddr| Port {
            transport,
            address,
            key,
        }
    };
    let udp = settings.listen.iter().map(port(Transport::Udp, "tftp.listen"));
    let http = settings.http.listen.iter();
    let https = settings.http.https.iter();
    udp.chain(http.map(port(Transport::Tcp, "tftp.http.listen")))
        .chain(https.map(port(Transport::Tcp, "tftp.http.https")))
        .collect()
}

/// A plan for these settings on this machine.
pub(super) fn plan(settings: &Settings) -> Arc<Plan> {
    for root in missing_trees(settings) {
        log::warn(&format!(
            "{} is no directory: every boot file below it is \"not found\" until it is made",
            root.display()
        ));
    }
    Plan::compile(&fitted(settings))
}

/// The trees of boot files that are not there. One that may not be looked at may well be.
pub(crate) fn missing_trees(settings: &Settings) -> Vec<PathBuf> {
    if !settings.enabled {
        return Vec::new();
    }
    let is_missing = |root: &PathBuf| match std::fs::metadata(root) {
        Ok(found) => !found.is_dir(),
        Err(cause) => matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
    };
    let mut roots = Plan::compile(settings).roots();
    roots.retain(is_missing);
    roots
}

/// The settings as this machine can honour them. The cache takes a quarter of the memory unless told otherwise, and
/// three quarters at most: a bigger one would only make the machine swap.
fn fitted(settings: &Settings) -> Settings {
    let mut fitted = settings.clone();
    if !fitted.enabled {
        // Nothing is asked then, but the service is there to be asked about.
        fitted.listen.clear();
        fitted.io.threads = 1;
    }
    if let Some(memory) = machine_bytes() {
        let most = ByteSize(memory / 4 * 3);
        let wanted = fitted.cache.size_max.unwrap_or(ByteSize(memory / 4));
        if wanted > most {
            log::warn(&format!(
                "tftp.cache.size_max = {wanted} is more than this machine can spare; {} MiB are used",
                most.0 >> 20
            ));
        }
        fitted.cache.size_max = Some(wanted.min(most));
    }
    fitted
}
