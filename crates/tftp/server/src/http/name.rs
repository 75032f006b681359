//! From the path of a URL to a name in the boot tree.

use percent_encoding::percent_decode_str;

/// Longest name, as for TFTP.
const NAME_MAX: usize = 512;

/// The name without its leading slash.
///
/// # Errors
/// With a sentence for the client.
pub(super) fn of_path(path: &str) -> Result<String, &'static str> {
    let name = percent_decode_str(path).decode_utf8();
    let name = name.map_err(|_| "the path is not UTF-8")?;
    let name = name.strip_prefix('/').unwrap_or(&name);
    if name.len() > NAME_MAX {
        return Err("the path is longer than 512 octets");
    }
    if name.contains('\0') {
        return Err("the path contains a zero octet");
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_decoded_once() {
        assert_eq!(of_path("/a%20b/c%252e").as_deref(), Ok("a b/c%2e"));
        assert_eq!(of_path("/").as_deref(), Ok(""));
        assert!(of_path("/%ff").is_err() && of_path("/a%00b").is_err());
        assert!(of_path(&"/a".repeat(300)).is_err());
    }
}
