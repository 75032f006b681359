//! What the boot file service says of itself: its state, open transfers, cached files.

use crate::cli::{Context, ListArgs, context::watched, paging};
use crate::client::Ask;
use crate::exit::{Exit, Outcome};
use crate::output::{self, Column, Kind, Show};

const TRANSFERS: Kind = Kind {
    plural: "open transfers",
    name: "client",
    columns: &[
        Column::new("CLIENT", "client", Show::Text),
        Column::new("FILE", "file", Show::Text),
        Column::new("STAGE", "stage", Show::Text),
        Column::new("OCTETS", "octets", Show::Number),
        Column::new("SIZE", "size", Show::Number),
        Column::new("BLKSIZE", "blksize", Show::Number),
        Column::new("WINDOW", "windowsize", Show::Number),
        Column::new("AGAIN", "retransmissions", Show::Number),
        Column::wide("DIRECTION", "direction", Show::Text),
        Column::wide("MODE", "mode", Show::Text),
        Column::wide("RTT MS", "round_trip_ms", Show::Number),
        Column::wide("ASKED", "asked", Show::Time),
    ],
};

const FILES: Kind = Kind {
    plural: "cached files",
    name: "name",
    columns: &[
        Column::new("NAME", "name", Show::Text),
        Column::new("SIZE", "size", Show::Number),
        Column::new("CACHED", "cached", Show::Number),
        Column::new("MODIFIED", "modified", Show::Time),
        Column::wide("ETAG", "etag", Show::Text),
    ],
};

pub(super) async fn status(context: &Context) -> Outcome {
    let status = context.client()?.value(Ask::get("/api/v1/tftp/status")).await?;
    output::document(context.form(), &status)?;
    Ok(Exit::Ok)
}

pub(super) async fn transfers(args: &ListArgs, context: &Context) -> Outcome {
    list("/api/v1/tftp/transfers", TRANSFERS, args, context).await
}

pub(super) async fn files(args: &ListArgs, context: &Context) -> Outcome {
    list("/api/v1/boot/files", FILES, args, context).await
}

async fn list(path: &str, kind: Kind, args: &ListArgs, context: &Context) -> Outcome {
    let mut client = context.client()?;
    let view = context.list_view(args);
    watched(args, async || {
        paging::list(&mut client, path, &[], usize::MAX, view.clone(), kind).await
    })
    .await
}
