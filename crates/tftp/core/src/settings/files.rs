//! Which names there are, what they mean, and who may write them.

use super::Network;
use crate::rule::{Pattern, Replacement};
use crate::template::{NamePattern, Text};
use purlin_types::ByteSize;
use std::path::PathBuf;

/// Where files come from and go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The tree that names are looked up in; `None` serves templates only.
    pub root: Option<PathBuf>,
    pub links: Links,
    pub rules: Vec<Rule>,
    pub templates: Vec<Template>,
    pub uploads: Uploads,
}

/// What symbolic links may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// No link is followed.
    Never,
    /// A link may lead anywhere inside its root.
    Inside,
    /// A link may lead out of its root.
    Anywhere,
}

/// Who a rule or template is for; every condition that is set must hold, an empty one fits all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Who {
    pub networks: Vec<Network>,
    /// Hardware addresses, or their first octets. Needs the client's lease on this node.
    pub macs: Vec<MacPrefix>,
}

/// The first octets of hardware addresses: 1 to 6 of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MacPrefix {
    pub octets: [u8; 6],
    pub count: u8,
}

/// A change of the name asked for, in the order of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub who: Who,
    /// Regular expression over the whole name as it stands after the rules before.
    pub pattern: Pattern,
    /// The rule works where the pattern does not fit (hpa `~`); never together with `Action::Replace`.
    pub inverse: bool,
    /// On which requests it works.
    pub on: On,
    /// Over which protocol version (hpa `4` and `6`).
    pub family: Family,
    pub action: Action,
    /// Start again with the first rule after this one fitted (hpa `s`). A name that does not come to rest is refused.
    pub restart: bool,
    /// No further rule after this one fitted (hpa `e`).
    pub last: bool,
}

/// Which version of IP a request came over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    Any,
    V4,
    V6,
}

/// The requests a rule works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    All,
    /// Reading only (hpa `G`).
    Read,
    /// Writing only (hpa `P`).
    Write,
}

/// What a fitting rule does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Replaces the first match; with `all` every match, again and again until none is left (hpa `g`).
    Replace { with: Replacement, all: bool },
    /// Looks the name up in this tree instead of `root`; an absolute path with the marks of [`Replacement`] in it. What a
    /// mark stands for must be the name of one directory.
    Root(Replacement),
    /// Leaves the name as it is: for `last` and `restart` alone.
    Keep,
    /// Refuses with ERROR 2 (hpa `a`).
    Refuse,
}

/// A file made for whoever asks: an iPXE script, a PXELINUX or GRUB configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The names it answers to.
    pub name: NamePattern,
    pub who: Who,
    pub body: Body,
}

/// Where the text of a template comes from; its marks are those of [`Text`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    Text(Text),
    /// A file below the root, read when it is asked for.
    File(crate::plan::RelativePath),
}

/// What may be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uploads {
    /// Names that may be written; none means read-only.
    pub allow: Vec<NamePattern>,
    pub create: bool,
    pub overwrite: bool,
    pub size_max: ByteSize,
    /// Only these clients; empty admits all.
    pub networks: Vec<Network>,
    /// Buffer writes and sync once at the end; else every block is written when it arrives. The last ACK always
    /// waits for the sync and the rename.
    pub write_behind: bool,
}
