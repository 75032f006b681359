//! What the kernel answered, in the words a client may hear.

use crate::FileError;
use rustix::io::Errno;

/// The answer for a failed look-up, read or write.
///
/// A link the policy does not follow, or one that leads out of its root, is a refusal; a name that cannot exist (too
/// long, through a file) is simply not there.
pub(crate) fn refusal(errno: Errno) -> FileError {
    match errno {
        Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG | Errno::INVAL => FileError::NotFound,
        Errno::ACCESS | Errno::PERM | Errno::LOOP | Errno::XDEV | Errno::ROFS | Errno::NXIO => {
            FileError::Denied
        }
        Errno::ISDIR => FileError::IsDirectory,
        Errno::EXIST => FileError::Exists,
        Errno::NOSPC | Errno::DQUOT => FileError::NoSpace,
        Errno::FBIG => FileError::TooBig,
        Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::AGAIN => FileError::Busy,
        _ => FileError::Io,
    }
}
