//! Texts that are shown once: `<prefix><id>_<secret>`, of which the store has the id and a digest.

use purlin_api::passwords;

const ID_LEN: usize = 12;
/// 40 hexadecimal digits are 160 random bits.
const SECRET_LEN: usize = 40;

/// What a secret is for; its form says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Access,
    Refresh,
    Key,
    Invitation,
}

impl Use {
    const ALL: [Self; 4] = [Self::Access, Self::Refresh, Self::Key, Self::Invitation];

    const fn prefix(self) -> &'static str {
        match self {
            Self::Access => "pus_",
            Self::Refresh => "pur-refresh_",
            Self::Key => "ovncp_",
            Self::Invitation => "inv_",
        }
    }
}

/// A new id.
pub(crate) fn new_id() -> String {
    passwords::random_hex::<{ ID_LEN / 2 }>()
}

/// A new secret for this id: its text, and what is kept of it.
pub(crate) fn make(what: Use, id: &str) -> (String, String) {
    let secret = passwords::random_hex::<{ SECRET_LEN / 2 }>();
    let text = format!("{}{id}_{secret}", what.prefix());
    let digest = passwords::digest(&text);
    (text, digest)
}

/// What a text is for, and the id in it.
pub(crate) fn read(text: &str) -> Option<(Use, &str)> {
    let (what, rest) = Use::ALL
        .into_iter()
        .find_map(|what| Some((what, text.strip_prefix(what.prefix())?)))?;
    let (id, secret) = rest.split_once('_')?;
    let hex = |part: &str| part.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
    let formed = id.len() == ID_LEN && secret.len() == SECRET_LEN && hex(id) && hex(secret);
    formed.then_some((what, id))
}
