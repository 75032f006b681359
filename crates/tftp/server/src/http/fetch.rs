//! Finding a file for a request: from memory, or by the library's threads.

use super::answer::Asked;
use purlin_tftp_core::FileError;
use purlin_tftp_core::settings::Compression;
use purlin_tftp_files::{Content, Library, OwnedAsk};
use std::sync::Arc;
use tokio::sync::oneshot;

/// What is sent, and whether it is the gzip form of it.
#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) content: Arc<Content>,
    pub(super) encoded: bool,
}

/// The file, in the form that suits the client.
///
/// # Errors
/// When there is none for this client.
pub(super) async fn fetch(
    tree: &Library,
    ask: OwnedAsk,
    asked: &Asked,
    compression: Compression,
) -> Result<Fetched, FileError> {
    let content = open(tree, ask).await?;
    // A range is a range of the file itself: its parts fit together whoever asked for the others.
    let suits = compression.enabled && asked.gzip && asked.range.is_none();
    if !suits || content.size() < compression.size_min {
        return Ok(Fetched {
            content,
            encoded: false,
        });
    }
    let smaller = gzip(&content, compression.level).await;
    let encoded = smaller.is_some();
    Ok(Fetched {
        content: smaller.unwrap_or(content),
        encoded,
    })
}

/// The gzip form, where it is smaller; made once and kept.
async fn gzip(content: &Arc<Content>, level: u8) -> Option<Arc<Content>> {
    if let Some(known) = content.gzip() {
        return known;
    }
    let (done, made) = oneshot::channel();
    let tell = move |smaller| {
        // The client may have gone.
        let _ = done.send(smaller);
    };
    content.want_gzip(level, Box::new(tell));
    made.await.ok().flatten()
}

async fn open(tree: &Library, ask: OwnedAsk) -> Result<Arc<Content>, FileError> {
    if let Some(known) = tree.recall(&ask.as_ask(), false) {
        return known;
    }
    let (done, opened) = oneshot::channel();
    let tell = move |result| {
        // The client may have gone.
        let _ = done.send(result);
    };
    tree.open(ask, false, Box::new(tell));
    opened.await.unwrap_or(Err(FileError::Busy))
}
