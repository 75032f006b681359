//! Listeners for HTTP and HTTPS boot, bound before anything answers.

use crate::exit::{Failure, chain};
use crate::settings::Settings;
use crate::up::tls;
use purlin_api::serve::{self, Bound, Conduct};
use purlin_tftp_core::settings::Http;
use std::path::Path;

/// Binds the HTTP listeners.
///
/// # Errors
/// When one cannot be bound, or there is no certificate for HTTPS.
pub(super) async fn bind(settings: &Settings, data_dir: &Path) -> Result<Bound, Failure> {
    let wanted = &settings.services.tftp.http;
    let none = Http {
        listen: Vec::new(),
        https: Vec::new(),
        ..wanted.clone()
    };
    let wanted = if settings.services.tftp.enabled {
        wanted
    } else {
        &none
    };
    let certificate = if wanted.https.is_empty() {
        None
    } else {
        tls::prepare(settings, data_dir)?
    };
    let plan = serve::Plan {
        http: wanted.listen.clone(),
        https: wanted.https.clone(),
        metrics: Vec::new(),
        // Boot files are for whoever asks: no token travels here.
        allow_remote_http: true,
        tls: certificate.map(|found| found.config),
    };
    let bound = plan.bind().await.map_err(|cause| {
        Failure::failed(
            chain(&cause),
            "set tftp.http.listen or tftp.http.https to a free address",
        )
    })?;
    let room = wanted.connections_max as usize;
    let bound = bound.conduct(conduct(wanted)).connections_max(room);
    Ok(bound.connections_each(wanted.per_ip as usize))
}

/// How the listeners treat connections.
pub(super) const fn conduct(wanted: &Http) -> Conduct {
    Conduct {
        nodelay: wanted.nodelay,
        keepalive: wanted.keepalive,
        idle: wanted.idle,
        head: wanted.request,
        lifetime: wanted.lifetime,
    }
}
