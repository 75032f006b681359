//! An answer that is read as it comes.

use crate::exit::{Exit, Failure};
use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};

/// Longest line that is kept; events and lease rows are far below it.
const LINE_MAX: usize = 1 << 20;

/// A streaming body, by chunk or by line.
pub(crate) struct Lines {
    body: Incoming,
    pending: Vec<u8>,
}

impl Lines {
    pub(super) fn new(body: Incoming) -> Self {
        Self {
            body,
            pending: Vec::new(),
        }
    }

    /// The next piece as it arrived; `None` at the end.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, Failure> {
        loop {
            match self.body.frame().await {
                None => return Ok(None),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
                Some(Err(cause)) => {
                    return Err(Failure::new(
                        Exit::Unreachable,
                        format!("the stream broke off: {cause}"),
                        "try again",
                    ));
                }
            }
        }
    }

    /// The next line without its end; `None` once the stream is over.
    pub(crate) async fn line(&mut self) -> Result<Option<String>, Failure> {
        loop {
            if let Some(end) = self.pending.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.pending.drain(..=end).collect();
                return Ok(Some(String::from_utf8_lossy(&line).trim_end().to_owned()));
            }
            if self.pending.len() > LINE_MAX {
                return Err(Failure::failed(
                    "the stream holds an endless line",
                    "check that --server names a Purlin node",
                ));
            }
            match self.chunk().await? {
                Some(data) => self.pending.extend_from_slice(&data),
                None if self.pending.is_empty() => return Ok(None),
                None => self.pending.push(b'\n'),
            }
        }
    }
}
