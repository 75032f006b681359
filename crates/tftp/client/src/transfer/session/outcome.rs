//! How sessions end: what went wrong in words, what went right in numbers.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use purlin_tftp_proto::{ErrorCode, Mode};

use super::{Role, Session, Stop};
use crate::transfer::error::TransferError;
use crate::transfer::report::TransferReport;

impl Session<'_> {
    pub(super) fn refused<R: Role>(&self, role: &R, code: ErrorCode, text: &[u8]) -> TransferError {
        let (server, code) = (self.out.peer, code.number());
        let text = printable(text);
        if role.blocks() == 0 {
            let name = self.name.to_owned();
            return TransferError::Refused {
                server,
                name,
                code,
                text,
            };
        }
        let octets = role.octets();
        TransferError::Ended {
            server,
            octets,
            code,
            text,
        }
    }

    pub(super) fn protocol(&self, code: ErrorCode, what: String) -> TransferError {
        self.out.error(code, &what, self.out.peer);
        let server = self.out.peer;
        TransferError::Protocol { server, what }
    }

    /// Ends the transfer for a reason of this side: the server is told, without local paths.
    pub(super) fn stopped(&self, stop: Stop) -> TransferError {
        let local = |code, doing, source: io::Error| {
            self.out
                .error(code, &format!("cannot {doing} the file"), self.out.peer);
            let path = PathBuf::from("the local file");
            TransferError::Local { doing, path, source }
        };
        match stop {
            Stop::Writing(error) if error.kind() == io::ErrorKind::StorageFull => {
                local(ErrorCode::Full, "write", error)
            }
            Stop::Writing(error) => local(ErrorCode::Undefined, "write", error),
            Stop::Reading(error) => local(ErrorCode::Undefined, "read", error),
            Stop::Sending(source) => TransferError::Send {
                server: self.out.peer,
                source,
            },
            Stop::Protocol(code, what) => self.protocol(code, what),
        }
    }

    pub(super) fn report<R: Role>(&self, role: &R, took: Duration) -> TransferReport {
        let terms = self.terms.unwrap_or_default();
        let seconds = took.as_secs_f64();
        let since = |moment: Option<Duration>| moment.unwrap_or(took).as_secs_f64();
        let octets = role.octets();
        TransferReport {
            name: self.name.to_owned(),
            server: self.out.peer,
            octets,
            blocks: role.blocks(),
            blksize: terms.blksize,
            windowsize: terms.windowsize,
            tsize: terms.tsize,
            options_acknowledged: self.terms.is_some(),
            first_answer_seconds: since(self.first_answer),
            first_block_seconds: since(self.first_block),
            seconds,
            octets_per_second: if seconds > 0.0 {
                octets as f64 / seconds
            } else {
                0.0
            },
            requests_repeated: self.counts.requests - 1,
            timeouts: self.counts.timeouts,
            gaps: self.counts.gaps,
            duplicates: self.counts.duplicates,
            strangers: self.counts.strangers,
            malformed: self.counts.malformed,
        }
    }

    /// A file of another size than announced is not the file. In netascii servers may announce the local size.
    pub(super) fn check_size(&self, report: &TransferReport) -> Result<(), TransferError> {
        match report.tsize {
            Some(announced) if announced != report.octets && self.options.mode == Mode::Octet => {
                Err(TransferError::WrongSize {
                    announced,
                    received: report.octets,
                })
            }
            _ => Ok(()),
        }
    }
}

/// A server's text for a terminal: without what could steer it.
pub(crate) fn printable(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(200)
        .collect();
    if text.trim().is_empty() {
        "no reason given".to_owned()
    } else {
        text
    }
}
