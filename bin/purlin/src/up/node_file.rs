//! `node.json` in the data directory: how commands on this machine find the node. Gone when it has stopped.

use crate::client::NodeFile;
use crate::exit::Failure;
use std::path::{Path, PathBuf};

/// The file, removed on drop.
#[derive(Debug)]
pub(super) struct Published(PathBuf);

/// Writes the file in one step, so that no command ever reads half of it.
pub(super) fn publish(node: &NodeFile, data_dir: &Path) -> Result<Published, Failure> {
    let path = NodeFile::path(data_dir);
    let fresh = path.with_extension("json.new");
    let text = serde_json::to_vec_pretty(node).map_err(|cause| Failure::failed(cause.to_string(), ""))?;
    std::fs::write(&fresh, text)
        .and_then(|()| std::fs::rename(&fresh, &path))
        .map_err(|cause| {
            Failure::failed(
                format!("cannot write {}: {cause}", path.display()),
                "check the disk",
            )
        })?;
    Ok(Published(path))
}

impl Published {
    /// Another one stands in its place, and is not removed with this one.
    pub(super) fn replaced(mut self) {
        self.0.clear();
    }
}

impl Drop for Published {
    fn drop(&mut self) {
        if self.0.as_os_str().is_empty() {
            return;
        }
        // A file left behind names a dead process and is not followed.
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_there_while_the_node_is() {
        let dir = tempfile::tempdir().unwrap();
        let node = NodeFile {
            node: "n".into(),
            url: Some("http://127.0.0.1:1".into()),
            dhcp: vec!["127.0.0.1:6767".into()],
            tftp: vec!["127.0.0.1:6969".into()],
            pid: std::process::id(),
            version: "0".into(),
            ..NodeFile::default()
        };
        let published = publish(&node, dir.path()).unwrap();
        assert_eq!(NodeFile::read(dir.path()), Some(node.clone()));
        let again = publish(&node, dir.path()).unwrap();
        published.replaced();
        assert_eq!(NodeFile::read(dir.path()), Some(node));
        drop(again);
        assert_eq!(NodeFile::read(dir.path()), None);
    }
}
