//! Which language is spoken on a connection: the name that both sides agree on while TLS begins (ALPN, RFC 7301).

/// Nodes among each other; both show a certificate.
pub const MESH: &str = "purlin-mesh/1";
/// A machine that has a token and no certificate yet.
pub const JOIN: &str = "purlin-join/1";

/// What a caller wants, by the names that it offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    Mesh,
    Join,
    /// Another version of one of the two.
    Other(String),
    /// Some program that is no node.
    Stranger(Option<String>),
}

/// Reads the names that a caller offers, in its order.
pub(crate) fn wanted<'a>(offered: impl Iterator<Item = &'a [u8]>) -> Wanted {
    let names: Vec<String> = offered
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect();
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    if has(MESH) {
        return Wanted::Mesh;
    }
    if has(JOIN) {
        return Wanted::Join;
    }
    let ours = |name: &&String| name.starts_with("purlin-mesh/") || name.starts_with("purlin-join/");
    match names.iter().find(ours) {
        Some(other) => Wanted::Other(other.clone()),
        None => Wanted::Stranger(names.into_iter().next()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_is_not_spoken_is_told_from_a_stranger() {
        let wanted = |names: &[&str]| wanted(names.iter().map(|name| name.as_bytes()));
        assert_eq!(wanted(&["purlin-mesh/2", "purlin-mesh/1"]), Wanted::Mesh);
        assert_eq!(wanted(&["purlin-join/1"]), Wanted::Join);
        assert_eq!(wanted(&["purlin-mesh/0"]), Wanted::Other("purlin-mesh/0".into()));
        assert_eq!(wanted(&["h2", "http/1.1"]), Wanted::Stranger(Some("h2".into())));
        assert_eq!(wanted(&[]), Wanted::Stranger(None));
    }
}
