//! From a name as a client sends it to a path that cannot leave its root.

use super::codes;
use purlin_telemetry::ReasonCode;
use std::fmt;
use std::path::Path;

/// Longest name in octets as it arrives.
pub const NAME_MAX: usize = 512;

/// Longest path in octets after all rules.
pub const PATH_MAX: usize = 1024;

/// Longest part of a path in octets; file systems agree on it.
const PART_MAX: usize = 255;

/// A path below a root: parts joined by one `/`, at least one of them, none empty, `.` or `..`, no control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelativePath(Box<str>);

impl RelativePath {
    /// Reads a name the way boot clients write it: a leading `/` or `\` and repeated ones mean nothing, `\` separates
    /// like `/`, and `.` is left out. Case stays as it is.
    ///
    /// # Errors
    /// The reason when the name is empty, too long, ends in a separator, or has `..` or a control character in it.
    pub fn parse(name: &str) -> Result<Self, ReasonCode> {
        if name.len() > PATH_MAX {
            return Err(codes::NAME_LONG);
        }
        if name.chars().any(char::is_control) {
            return Err(codes::NAME_CONTROL);
        }
        let mut path = String::with_capacity(name.len());
        for part in name.split(['/', '\\']) {
            match part {
                "" | "." => {}
                ".." => return Err(codes::NAME_CLIMBS),
                long if long.len() > PART_MAX => return Err(codes::NAME_LONG),
                part => {
                    if !path.is_empty() {
                        path.push('/');
                    }
                    path.push_str(part);
                }
            }
        }
        match path.is_empty() {
            true => Err(codes::NAME_EMPTY),
            false if name.ends_with(['/', '\\']) => Err(codes::NAME_DIRECTORY),
            false => Ok(Self(path.into_boxed_str())),
        }
    }

    /// The parts joined by `/`, without one in front.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    #[must_use]
    pub fn as_path(&self) -> &Path {
        Path::new(&*self.0)
    }

    /// The parts, of which there is at least one.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }
}

impl fmt::Display for RelativePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<Path> for RelativePath {
    fn as_ref(&self) -> &Path {
        self.as_path()
    }
}

/// The text of a name as it stands in a request, before any rule.
///
/// # Errors
/// The reason when it is too long, no UTF-8, or has a control character in it.
pub fn name_of(octets: &[u8]) -> Result<&str, ReasonCode> {
    if octets.len() > NAME_MAX {
        return Err(codes::NAME_LONG);
    }
    let name = std::str::from_utf8(octets).map_err(|_| codes::NAME_NOT_TEXT)?;
    check_name(name).map(|()| name)
}

/// What [`name_of`] checks, for a name that is text already.
pub(super) fn check_name(name: &str) -> Result<(), ReasonCode> {
    if name.len() > NAME_MAX {
        return Err(codes::NAME_LONG);
    }
    // Octets first: nearly every name is ASCII, and this loop is on the packet path.
    let odd = |octet: u8| octet < 0x20 || octet == 0x7f || octet == 0xc2;
    if name.bytes().any(odd) && name.chars().any(char::is_control) {
        return Err(codes::NAME_CONTROL);
    }
    Ok(())
}

/// Whether a mark's value can be one directory's name.
pub(super) fn is_part(value: &str) -> bool {
    !matches!(value, "" | "." | "..")
        && value.len() <= PART_MAX
        && !value.contains(['/', '\\'])
        && !value.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(name: &str) -> Result<String, ReasonCode> {
        RelativePath::parse(name).map(|path| path.to_string())
    }

    #[test]
    fn names_are_read_as_boot_clients_write_them() {
        for (name, expected) in [
            ("/pxelinux.0", "pxelinux.0"),
            ("\\boot\\x64\\wdsmgfw.efi", "boot/x64/wdsmgfw.efi"),
            ("//boot///grub//grub.cfg", "boot/grub/grub.cfg"),
            ("./a/./b", "a/b"),
            ("...", "..."),
            ("Boot/BCD", "Boot/BCD"),
            ("a b/ä", "a b/ä"),
        ] {
            assert_eq!(path(name), Ok(expected.to_owned()), "{name}");
        }
    }

    #[test]
    fn names_that_lead_out_are_refused() {
        for name in [
            "..",
            "../etc/passwd",
            "/a/../b",
            "..\\..\\boot.ini",
            "a/..",
            "a\\..\\b",
            "/../",
            "x/.././y",
        ] {
            assert_eq!(path(name), Err(codes::NAME_CLIMBS), "{name}");
        }
    }

    #[test]
    fn names_that_are_none_are_refused_with_their_reason() {
        for name in ["", "/", "\\\\", "./.", "//./"] {
            assert_eq!(path(name), Err(codes::NAME_EMPTY), "{name}");
        }
        assert_eq!(path("boot/"), Err(codes::NAME_DIRECTORY));
        assert_eq!(path("a\0b"), Err(codes::NAME_CONTROL));
        assert_eq!(path("a\u{85}b"), Err(codes::NAME_CONTROL));
        assert_eq!(path(&"a/".repeat(600)), Err(codes::NAME_LONG));
        assert_eq!(path(&"a".repeat(256)), Err(codes::NAME_LONG));
        assert_eq!(name_of(b"a\xff"), Err(codes::NAME_NOT_TEXT));
        assert_eq!(name_of("a\u{85}".as_bytes()), Err(codes::NAME_CONTROL));
        assert_eq!(name_of("ä\u{a9}".as_bytes()), Ok("ä\u{a9}"));
        assert_eq!(name_of(b"a\n"), Err(codes::NAME_CONTROL));
        assert_eq!(name_of(&[b'a'; 513]), Err(codes::NAME_LONG));
        assert!(name_of(&[b'a'; 512]).is_ok());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_path_ever_climbs(name in "[./\\\\a-c\\x00\\n]{0,24}|\\PC{0,40}") {
            if let Ok(path) = RelativePath::parse(&name) {
                prop_assert!(path.parts().all(is_part), "{path}");
                prop_assert!(path.parts().count() > 0);
                prop_assert!(!path.as_path().is_absolute());
                prop_assert_eq!(RelativePath::parse(path.as_str()), Ok(path.clone()));
            }
        }
    }
}
