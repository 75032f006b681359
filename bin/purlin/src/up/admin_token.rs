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

/// When tokens exist that whoever works on this machine was never given.
#[derive(Debug, Clone, Copy)]
pub(super) enum Beginning {
    /// Tokens of a cluster are valid at all its nodes, and were made at others.
    InCluster,
    /// A backup holds tokens by their hashes only; this names the restore.
    Restored(u64),
}

/// Takes the token from its file, or makes one when no admin token exists at all.
///
/// A file whose token was revoked, or that was deleted on purpose, is not replaced: whoever did that has another.
///
/// Without a file, one more is made for those who work on this machine where the node begins anew, once for each of the
/// `beginnings`: its own `ledger` keeps which of them were. They own the data directory, so they lack nothing but the file.
pub(super) async fn ensure(
    tokens: &Tokens,
    data_dir: &Path,
    ledger: &Ledger,
    beginnings: &[Beginning],
) -> Result<AdminToken, Failure> {
    let file = data_dir.join("admin-token");
    let kept = std::fs::read_to_string(&file)
        .ok()
        .map(|text| text.trim().to_owned());
    let mut first = false;
    for beginning in beginnings {
        first |= kept.is_none() && is_first(ledger, *beginning).await?;
    }
    if tokens.has_admin() && !first {
        return Ok(AdminToken {
            file,
            made: false,
            text: kept,
        });
    }
    let wanted = NewToken {
        name: match beginnings.last() {
            Some(Beginning::Restored(_)) if first => "admin after a restore".to_owned(),
            _ => "first admin".to_owned(),
        },
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
async fn is_first(ledger: &Ledger, beginning: Beginning) -> Result<bool, Failure> {
    const TABLE: &str = "node";
    let key = match beginning {
        Beginning::InCluster => b"admin-token".to_vec(),
        Beginning::Restored(id) => format!("admin-token-restored-{id:016x}").into_bytes(),
    };
    let broken = |problem| faults::broken("what this node was given", &problem);
    let known = ledger.get(TABLE, key.clone()).await.map_err(broken)?.is_some();
    if !known {
        let batch = Batch::default().put(TABLE, key, b"made");
        ledger.commit(batch).await.map_err(broken)?;
    }
    Ok(!known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use purlin_api::clock::Clock;
    use purlin_store_embedded::{Embedded, Options};

    async fn begin(dir: &Path, ledger: &Ledger, beginnings: &[Beginning]) -> AdminToken {
        let tokens = Tokens::open(ledger.clone(), Clock::system()).await.unwrap();
        ensure(&tokens, dir, ledger, beginnings).await.unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_restore_gives_one_new_token_and_a_file_that_was_deleted_stays_away() {
        let dir = tempfile::tempdir().unwrap();
        let store = Embedded::open(dir.path(), Options::default()).unwrap();
        let ledger = Ledger::new(store.records());
        let first = begin(dir.path(), &ledger, &[]).await;
        assert!(first.made);
        std::fs::remove_file(&first.file).unwrap();
        assert_eq!(begin(dir.path(), &ledger, &[]).await.text, None);
        // The same store in a directory that was made from a backup.
        let restored = [Beginning::Restored(7)];
        let given = begin(dir.path(), &ledger, &restored).await;
        assert!(given.made && given.file.exists() && given.text != first.text);
        assert!(!begin(dir.path(), &ledger, &restored).await.made);
        std::fs::remove_file(&given.file).unwrap();
        assert_eq!(begin(dir.path(), &ledger, &restored).await.text, None);
        assert!(begin(dir.path(), &ledger, &[Beginning::Restored(8)]).await.made);
    }
}
