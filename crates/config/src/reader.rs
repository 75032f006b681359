//! Typed access to a checked document.
//!
//! `check` is the only one who reports types, ranges and unknown keys. A reader is silent about those: a value
//! that does not read counts as not set, so that the checks between values can go on and report their own faults.

use crate::document::Document;
use crate::node::{Node, Value};
use crate::path::join;
use crate::scalar::parse_hex;
use crate::schema::{Keys, Section, find_key};
use crate::source::{SourceId, Span};
use purlin_types::{ByteSize, Ipv4Range, Mac, Prefix4};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::Duration;

/// One table with its schema.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    node: Option<&'a Node>,
    at: Span,
    keys: Keys,
    path: String,
}

impl<'a> Reader<'a> {
    /// A section of a document; a section that is not there reads as empty, with its defaults.
    #[must_use]
    pub fn section(document: &'a Document, section: &Section) -> Self {
        let entry = document
            .root()
            .as_table()
            .and_then(|table| table.entry(section.name));
        let nowhere = Span {
            source: SourceId(0),
            start: 0,
            end: 0,
        };
        Self {
            node: entry.map(|entry| &entry.node),
            at: entry.map_or(nowhere, |entry| entry.key_span),
            keys: section.keys,
            path: section.name.to_owned(),
        }
    }

    /// A reader of another table.
    #[must_use]
    pub fn table(node: &'a Node, keys: Keys, path: String) -> Self {
        Self {
            node: Some(node),
            at: node.span,
            keys,
            path,
        }
    }

    /// Whether the table is in the document at all.
    #[must_use]
    pub fn is_present(&self) -> bool {
        self.node.is_some()
    }

    /// The key path of this table.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The key path of a key in this table.
    #[must_use]
    pub fn path_of(&self, name: &str) -> String {
        join(&self.path, name)
    }

    /// Where the table is: its name, or its brackets when it has none.
    #[must_use]
    pub fn span(&self) -> Span {
        self.at
    }

    /// The value of a key as it was written; `None` when not set.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<&'a Node> {
        debug_assert!(
            find_key(self.keys, name).is_some(),
            "no key {name} in the schema of {}",
            self.path
        );
        let node = self.node?.as_table()?.get(name)?;
        (node.value != Value::Null).then_some(node)
    }

    /// Where a key's value is, or the table when it is not set.
    #[must_use]
    pub fn span_of(&self, name: &str) -> Span {
        self.node(name).map_or(self.at, |node| node.span)
    }

    /// The value of a key, `None` when it is not set or does not read.
    #[must_use]
    pub fn opt<T: FromNode>(&self, name: &str) -> Option<T> {
        T::from_node(self.node(name)?)
    }

    /// The value of a key, or its default.
    ///
    /// # Panics
    /// When the schema gives the key no readable default, which is an error in the schema.
    #[must_use]
    pub fn get<T: FromNode>(&self, name: &str) -> T {
        self.opt(name).unwrap_or_else(|| {
            find_key(self.keys, name)
                .and_then(crate::schema::Key::default_node)
                .and_then(|node| T::from_node(&node))
                .expect("the schema gives the key a default of this type")
        })
    }

    /// The items of a list; none when the key is not set or no list.
    #[must_use]
    pub fn items(&self, name: &str) -> &'a [Node] {
        self.node(name).and_then(Node::as_list).unwrap_or_default()
    }

    /// Readers for a list of tables; items that are no tables were reported and are left out.
    #[must_use]
    pub fn tables(&self, name: &str, keys: Keys) -> Vec<Self> {
        let base = self.path_of(name);
        let indexed = self
            .items(name)
            .iter()
            .enumerate()
            .filter(|(_, node)| node.as_table().is_some());
        indexed
            .map(|(i, node)| Self::table(node, keys, format!("{base}[{i}]")))
            .collect()
    }

    /// A reader for a table below; an absent one reads as empty.
    #[must_use]
    pub fn below(&self, name: &str, keys: Keys) -> Self {
        let node = self.node(name).filter(|node| node.as_table().is_some());
        Self {
            node,
            at: self.span_of(name),
            keys,
            path: self.path_of(name),
        }
    }
}

/// A type that a value can be read as.
pub trait FromNode: Sized {
    /// `None` when the value is of another type or its text does not read.
    fn from_node(node: &Node) -> Option<Self>;
}

impl FromNode for bool {
    fn from_node(node: &Node) -> Option<Self> {
        match node.value {
            Value::Bool(flag) => Some(flag),
            _ => None,
        }
    }
}

impl FromNode for String {
    fn from_node(node: &Node) -> Option<Self> {
        node.as_str().map(str::to_owned)
    }
}

impl FromNode for Duration {
    fn from_node(node: &Node) -> Option<Self> {
        crate::schema::duration_of(&node.value).ok()
    }
}

impl FromNode for ByteSize {
    fn from_node(node: &Node) -> Option<Self> {
        crate::schema::size_of(&node.value).ok()
    }
}

/// Octets written in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Octets(pub Vec<u8>);

impl FromNode for Octets {
    fn from_node(node: &Node) -> Option<Self> {
        node.as_str().and_then(|text| parse_hex(text).ok()).map(Self)
    }
}

impl<T: FromNode> FromNode for Vec<T> {
    /// Items that do not read were reported and are left out.
    fn from_node(node: &Node) -> Option<Self> {
        node.as_list()
            .map(|items| items.iter().filter_map(T::from_node).collect())
    }
}

macro_rules! integers {
    ($($type:ty),*) => {$(
        impl FromNode for $type {
            fn from_node(node: &Node) -> Option<Self> {
                match node.value {
                    Value::Integer(number) => Self::try_from(number).ok(),
                    _ => None,
                }
            }
        }
    )*};
}
integers!(i64, u64, u32, u16, u8);

macro_rules! parsed {
    ($($type:ty),*) => {$(
        impl FromNode for $type {
            fn from_node(node: &Node) -> Option<Self> {
                node.as_str()?.parse().ok()
            }
        }
    )*};
}
parsed!(
    IpAddr,
    Ipv4Addr,
    SocketAddr,
    SocketAddrV4,
    Mac,
    Prefix4,
    Ipv4Range
);
