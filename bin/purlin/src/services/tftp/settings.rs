//! `[tftp]`, as this machine can honour it, and what of it the node itself must know.

use crate::log;
use crate::ports::{Port, Transport};
use crate::up::process::machine_bytes;
use purlin_tftp_core::Plan;
use purlin_tftp_core::settings::Settings;
use purlin_types::ByteSize;
use std::net::SocketAddr;
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
    Plan::compile(&fitted(settings))
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
