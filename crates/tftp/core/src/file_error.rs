//! Why a file cannot be read or written, as far as a client may know.

use crate::plan::codes;
use crate::reasons;
use crate::template::MarkName;
use purlin_telemetry::ReasonCode;
use purlin_tftp_proto::ErrorCode;

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileError {
    NotFound,
    Denied,
    IsDirectory,
    /// More octets than may be stored.
    TooBig,
    /// It is there already and may not be replaced.
    Exists,
    NoSpace,
    /// A rule or policy says no, for this reason.
    NotAllowed(ReasonCode),
    /// A template has a mark without a value for this client.
    NoValue(MarkName),
    /// It could not be read or written, or is no longer what it was.
    Io,
    /// Too much is waiting for the disk.
    Busy,
    /// Another upload is writing this name.
    Taken,
    /// The directory that an upload's name is in does not exist.
    NoDirectory,
}

impl FileError {
    /// Why, for records.
    #[must_use]
    pub fn reason(self) -> ReasonCode {
        match self {
            Self::NotFound => reasons::NOT_FOUND,
            Self::Denied => reasons::DENIED,
            Self::IsDirectory => reasons::IS_DIRECTORY,
            Self::TooBig => reasons::TOO_BIG,
            Self::Exists => reasons::EXISTS,
            Self::NoSpace => reasons::NO_SPACE,
            Self::NotAllowed(reason) => reason,
            Self::NoValue(_) => codes::TEMPLATE_VALUE,
            Self::Io => reasons::IO,
            Self::Busy => reasons::BUSY,
            Self::Taken => reasons::TAKEN,
            Self::NoDirectory => reasons::NO_DIRECTORY,
        }
    }

    /// The mark that has no value.
    #[must_use]
    pub fn mark(self) -> Option<MarkName> {
        match self {
            Self::NoValue(mark) => Some(mark),
            _ => None,
        }
    }

    /// Code and text of the ERROR packet; the text never names a path of the server.
    #[must_use]
    pub fn answer(self) -> (ErrorCode, &'static str) {
        match self {
            Self::NotFound => (ErrorCode::NotFound, "file not found"),
            Self::NoDirectory => (ErrorCode::NotFound, "its directory does not exist"),
            Self::Denied | Self::NotAllowed(_) | Self::NoValue(_) => (ErrorCode::Denied, "access denied"),
            Self::IsDirectory => (ErrorCode::Denied, "that is a directory"),
            Self::TooBig => (ErrorCode::Full, "the file is too big"),
            Self::Exists => (ErrorCode::Exists, "file already exists"),
            Self::NoSpace => (ErrorCode::Full, "disk full"),
            Self::Io => (ErrorCode::Undefined, "the file cannot be read or written"),
            Self::Busy => (ErrorCode::Undefined, "the server is busy, try again"),
            Self::Taken => (ErrorCode::Undefined, "another upload has this name, try again"),
        }
    }
}
