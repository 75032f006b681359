//! The first admin token: made once, kept in a file that only the node's owner may read.

use crate::exit::{Failure, chain};
use purlin_api::Role;
use purlin_api::tls::write_secret;
use purlin_api::tokens::{NewToken, Tokens};
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
pub(super) async fn ensure(tokens: &Tokens, data_dir: &Path) -> Result<AdminToken, Failure> {
    let file = data_dir.join("admin-token");
    let kept = std::fs::read_to_string(&file)
        .ok()
        .map(|text| text.trim().to_owned());
    if tokens.has_admin() {
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
