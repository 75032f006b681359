//! The first admin token: made once, kept in a file that only the node's owner may read.

use super::faults;
use crate::exit::{Failure, chain};
use purlin_api::Role;
use purlin_api::ledger::Ledger;
use purlin_api::tls::write_secret;
use purlin_api::tokens::{NewToken, Tokens};
use purlin_store::Batch;
use std::path::{Path, PathBuf};

/// The file with the token, and the token when it was made just now.
#[derive(Debug)]
pub(super) struct AdminToken {
    pub(super) file: PathBuf,
    pub(super) made: bool,
    pub(super) text: Option<String>,
}

/// Takes the token from its file, or makes one when no admin token exists at all.
///
/// A file whose token was revoked, or that was deleted on purpose, is not replaced: whoever did that has another.
///
/// Tokens of a cluster are valid at all its nodes. A node that starts in it for the first time, as its own `ledger`
/// knows, makes one more for those who work on its machine.
pub(super) async fn ensure(
    tokens: &Tokens,
    data_dir: &Path,
    ledger: Option<&Ledger>,
) -> Result<AdminToken, Failure> {
    let file = data_dir.join("admin-token");
    let kept = std::fs::read_to_string(&file)
        .ok()
        .map(|text| text.trim().to_owned());
    let first = match ledger {
        Some(ledger) => kept.is_none() && is_first(ledger).await?,
        None => false,
    };
    if tokens.has_admin() && !first {
        return Ok(AdminToken {
            file,
            made: false,
            text: kept,
        });
    }
    let wanted = NewToken {
        name: "first admin".to_owned(),
        role: Role::Admin,
        expires: None,
    };
    let (_, secret) = tokens.create(wanted).await.map_err(|problem| {
        Failure::failed(format!("cannot make the admin token: {}", problem.detail()), "")
    })?;
    write_secret(&file, &format!("{}\n", secret.reveal())).map_err(|cause| {
        Failure::failed(
            format!("cannot write {}: {}", file.display(), chain(&cause)),
            "check the disk and its owner",
        )
    })?;
    Ok(AdminToken {
        file,
        made: true,
        text: Some(secret.reveal().to_owned()),
    })
}

/// Whether this node has not been here before; it has been from now on.
async fn is_first(ledger: &Ledger) -> Result<bool, Failure> {
    const TABLE: &str = "node";
    const KEY: &[u8] = b"admin-token";
    let broken = |problem| faults::broken("what this node was given", &problem);
    let known = ledger.get(TABLE, KEY.to_vec()).await.map_err(broken)?.is_some();
    if !known {
        let batch = Batch::default().put(TABLE, KEY, b"made");
        ledger.commit(batch).await.map_err(broken)?;
    }
    Ok(!known)
}
