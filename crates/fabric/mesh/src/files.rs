//! A node's certificate and key, beside its data.
//!
//! ```text
//!   <data_dir>/mesh/node.key    its key; all files here have mode 0600
//!                   node.pem    its certificate
//!                   ca.pem      the cluster's authority
//!                   node.json   whose it is, its number and its validity; written last
//! ```

use crate::authority::Issued;
use crate::certificate::Validity;
use crate::mesh::MeshError;
use crate::peer::Serial;
use purlin_types::NodeId;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A node's certificate with its key, and the authority that it comes from; all in PEM. `Debug` does not show the key.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    pub id: NodeId,
    pub key: String,
    pub certificate: String,
    pub authority: String,
    pub serial: Serial,
    pub validity: Validity,
}

/// `node.json`.
#[derive(Serialize, Deserialize)]
struct About {
    node: String,
    serial: String,
    #[serde(flatten)]
    validity: Validity,
}

impl Identity {
    pub(crate) fn new(id: &NodeId, key: String, issued: &Issued, authority: &str) -> Self {
        Self {
            id: id.clone(),
            key,
            certificate: issued.pem.clone(),
            authority: authority.to_owned(),
            serial: issued.serial.clone(),
            validity: issued.validity,
        }
    }

    /// Writes it into `folder`, which is made when missing.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn save(&self, folder: &Path) -> Result<(), MeshError> {
        let mut maker = fs::DirBuilder::new();
        maker.recursive(true).mode(0o700);
        maker.create(folder).map_err(|source| fault(folder, source))?;
        let about = About {
            node: self.id.to_string(),
            serial: self.serial.to_string(),
            validity: self.validity,
        };
        let about = serde_json::to_string(&about).expect("texts and numbers are JSON");
        let files = [
            ("node.key", &self.key),
            ("node.pem", &self.certificate),
            ("ca.pem", &self.authority),
            ("node.json", &about),
        ];
        for (name, text) in files {
            let path = folder.join(name);
            write(&path, text).map_err(|source| fault(&path, source))?;
        }
        Ok(())
    }

    /// What lies in `folder`; `None` when something is missing or damaged: it is then issued anew.
    #[must_use]
    pub fn load(folder: &Path) -> Option<Self> {
        let text = |name: &str| fs::read_to_string(folder.join(name)).ok();
        let about: About = serde_json::from_str(&text("node.json")?).ok()?;
        Some(Self {
            id: NodeId::parse(&about.node).ok()?,
            key: text("node.key")?,
            certificate: text("node.pem")?,
            authority: text("ca.pem")?,
            serial: Serial::read(&about.serial),
            validity: about.validity,
        })
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("id", &self.id)
            .field("serial", &self.serial)
            .field("validity", &self.validity)
            .finish_non_exhaustive()
    }
}

/// Writes a file that only its owner may read, whole or not at all.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let mut options = fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

fn fault(path: &Path, source: io::Error) -> MeshError {
    MeshError::File {
        path: path.to_owned(),
        source,
    }
}
