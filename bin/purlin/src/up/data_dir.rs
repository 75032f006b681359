//! The data directory: made private, because it holds keys and tokens.

use crate::exit::Failure;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// Makes the directory when it is not there.
pub(crate) fn prepare(path: &Path) -> Result<(), Failure> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|cause| {
            let what = format!("cannot make the data directory {}: {cause}", path.display());
            Failure::failed(
                what,
                "name one you may write to: --data-dir DIR, or node.data_dir",
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_new_directory_is_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b");
        prepare(&path).unwrap();
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o700
        );
        prepare(&path).unwrap();
    }
}
