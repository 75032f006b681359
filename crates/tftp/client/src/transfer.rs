//! One file from or to a server.
//!
//! ```text
//!   options ─► request ─► wire ──► session: who answers, timers, errors
//!                                     ├─ download: receiver ─► sink (netascii, file that appears whole)
//!                                     └─ upload:   sender   ◄─ source
//! ```

mod download;
mod error;
mod options;
mod report;
mod rtt;
mod session;
mod sink;
mod source;
mod upload;
mod wire;

use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

pub(crate) use options::within;
pub(crate) use session::printable;

pub use error::TransferError;
pub use options::{OptionsError, TransferOptions};
pub use report::{TransferProgress, TransferReport};

use download::Download;
use session::Session;
use sink::FileSink;
use source::Source;
use upload::Upload;

/// Told about ten times a second; `Break` ends the transfer with [`TransferError::Stopped`].
pub type OnProgress<'a> = dyn FnMut(&TransferProgress) -> ControlFlow<()> + 'a;

/// Reads a remote file into `target`, in order. In netascii, line ends become local ones.
///
/// # Errors
/// [`TransferError`]; what was written until then stays written.
pub fn get(
    options: &TransferOptions,
    name: &str,
    target: &mut dyn Write,
    progress: &mut OnProgress<'_>,
) -> Result<TransferReport, TransferError> {
    let mut session = Session::open(options, name)?;
    session.run(&mut Download::new(options, target), progress)
}

/// Reads a remote file into a local one, which appears (or is replaced) when it is whole and not before.
///
/// # Errors
/// [`TransferError`]; nothing is left behind then.
pub fn get_to_file(
    options: &TransferOptions,
    name: &str,
    path: &Path,
    progress: &mut OnProgress<'_>,
) -> Result<TransferReport, TransferError> {
    let mut session = Session::open(options, name)?;
    let local = |source| TransferError::Local {
        doing: "write",
        path: path.to_owned(),
        source,
    };
    let mut file = FileSink::create(path).map_err(local)?;
    let report = session
        .run(&mut Download::new(options, &mut file), progress)
        .map_err(|error| error.with_path(path))?;
    file.commit().map_err(local)?;
    Ok(report)
}

/// Writes octets to a remote file.
///
/// # Errors
/// [`TransferError`]. Whether the server keeps a part of the file then is its own affair.
pub fn put(
    options: &TransferOptions,
    octets: &[u8],
    name: &str,
    progress: &mut OnProgress<'_>,
) -> Result<TransferReport, TransferError> {
    let mut session = Session::open(options, name)?;
    let source = Source::octets(octets, options.mode);
    session.run(&mut Upload::new(options, source), progress)
}

/// Writes a local file to a remote one.
///
/// # Errors
/// As [`put`].
pub fn put_file(
    options: &TransferOptions,
    path: &Path,
    name: &str,
    progress: &mut OnProgress<'_>,
) -> Result<TransferReport, TransferError> {
    let mut session = Session::open(options, name)?;
    let source = Source::file(path, options.mode).map_err(|source| TransferError::Local {
        doing: "read",
        path: path.to_owned(),
        source,
    })?;
    session
        .run(&mut Upload::new(options, source), progress)
        .map_err(|error| error.with_path(path))
}
