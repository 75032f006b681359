//! `/api/v1/tftp/status`: what runs where, what the kernel gave, where memory goes.

use super::Desk;
use crate::status::ServerStatus;
use axum::Json;
use axum::extract::State;
use purlin_api::asked::Asked;
use purlin_api::route::{self, Draft};
use purlin_api::{Problem, Viewer, schema};
use purlin_tftp_core::BootRecord;
use purlin_tftp_core::settings::Settings;
use purlin_tftp_files::CacheStats;
use serde_json::{Value, json};

/// What an open transfer takes at most, in octets.
const TRANSFER: u64 = 1024;

async fn show(_: Viewer, State(desk): State<Desk>, _: Asked) -> Result<Json<Value>, Problem> {
    let handle = &desk.books.handle;
    let plan = handle.plan();
    Ok(Json(status(&handle.status(), plan.settings())))
}

fn status(status: &ServerStatus, settings: &Settings) -> Value {
    json!({
        "listen": status.listen,
        "threads": status.threads,
        "transfers": status.transfers,
        "limits": {
            "per_client": settings.limits.per_client,
            "per_ip": settings.limits.per_ip,
            "total": settings.limits.total,
        },
        "receive_buffer": { "asked": settings.receive_buffer, "granted": status.receive_buffer },
        "send_buffer": { "asked": settings.send_buffer, "granted": status.send_buffer },
        "backend": status.backend,
        "http": settings.http.listen,
        "https": settings.http.https,
        "notes": status.notes,
        "failed": status.failed,
        "cache": cache(&status.cache),
        "memory": memory(status, settings),
    })
}

/// Octets by component, as they are or at most will be.
fn memory(status: &ServerStatus, settings: &Settings) -> Value {
    let threads = u64::from(status.threads);
    let kept = u64::from(settings.decisions).next_power_of_two() * 3 / 2;
    let sockets = threads * status.listen.len() as u64;
    json!({
        "cache": status.cache.octets,
        "cache_max": status.cache.octets_max,
        "transfers": status.transfers as u64 * TRANSFER,
        "transfers_max": u64::from(settings.limits.total) * TRANSFER,
        "records_max": threads * kept * size_of::<BootRecord>() as u64,
        "socket_buffers_max": sockets * (u64::from(status.receive_buffer) + u64::from(status.send_buffer)),
    })
}

fn cache(stats: &CacheStats) -> Value {
    json!({
        "octets": stats.octets,
        "octets_max": stats.octets_max,
        "files": stats.files,
        "entries": stats.entries,
        "negative_entries": stats.negative_entries,
        "hits": stats.hits,
        "negative_hits": stats.negative_hits,
        "misses": stats.misses,
        "listings": stats.listings,
        "listed_names": stats.listed_names,
        "listing_hits": stats.listing_hits,
        "listing_reads": stats.listing_reads,
        "metadata_hits": stats.metadata_hits,
        "metadata_differs": stats.metadata_differs,
        "metadata_away": stats.metadata_away,
        "chunk_hits": stats.chunk_hits,
        "chunk_misses": stats.chunk_misses,
        "evictions": stats.evictions,
        "disk_reads": stats.disk_reads,
        "octets_read": stats.octets_read,
        "stat_calls": stats.stat_calls,
        "opens": stats.opens,
        "changed": stats.changed,
        "queue": stats.queue,
        "threads": stats.threads,
        "refused_busy": stats.refused_busy,
        "uploads": stats.uploads,
        "uploads_failed": stats.uploads_failed,
        "uploads_open": stats.uploads_open,
        "octets_written": stats.octets_written,
        "watches": stats.watches,
        "notices_lost": stats.notices_lost,
        "resolved_by_kernel": stats.resolved_by_kernel,
        "direct_refused": stats.direct_refused,
    })
}

pub(super) fn drafts() -> [Draft<Desk>; 1] {
    [route::get("/api/v1/tftp/status", show)
        .summary("Shows how the boot file service stands")
        .answers(200, schema::reference("TftpStatus"))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s2_80_memory_is_told_by_component() {
        let stands = ServerStatus {
            threads: 2,
            listen: vec!["127.0.0.1:69".parse().unwrap()],
            transfers: 1000,
            receive_buffer: 1 << 20,
            send_buffer: 1 << 20,
            backend: "epoll",
            notes: Vec::new(),
            failed: None,
            cache: CacheStats {
                octets: 5 << 20,
                octets_max: 10 << 20,
                ..CacheStats::default()
            },
        };
        let told = status(&stands, &Settings::default());
        assert_eq!(told["memory"]["cache"], 5 << 20);
        assert_eq!(told["memory"]["transfers"], 1000 * 1024);
        assert_eq!(told["memory"]["socket_buffers_max"], 4 << 20);
        assert_eq!(told["receive_buffer"]["granted"], 1 << 20);
    }
}
