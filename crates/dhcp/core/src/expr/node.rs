//! The checked form of an expression: nodes in one vector, addressed by their position.

use purlin_types::{Ipv4Range, Prefix4};
use std::net::Ipv4Addr;

/// Position of a node.
pub(crate) type Id = u16;

/// One step of an expression. The first group yields a truth, the second a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    And(Box<[Id]>),
    Or(Box<[Id]>),
    Not(Id),
    Compare(Id, Relation, Id),
    Within(Id, Box<[Item]>),
    Exists(Source),
    Member(ClassRef),

    Literal(Literal),
    Read(Source, Access),
    Field(Field),
    Concat(Box<[Id]>),
    IfElse(Id, Id, Id),
    /// Start, counted from the end when negative, and length; `None` is up to the end.
    Substring(Id, i64, Option<i64>),
    /// Delimiter characters and the field's number from 1.
    Split(Id, Box<str>, u32),
    /// Hexadecimal digits with a separator between octets.
    HexString(Id, Box<str>),
    Convert(Id, Conversion),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Contains,
    StartsWith,
    EndsWith,
}

impl Relation {
    pub(crate) const ALL: [Self; 9] = [
        Self::Equal,
        Self::NotEqual,
        Self::Less,
        Self::LessOrEqual,
        Self::Greater,
        Self::GreaterOrEqual,
        Self::Contains,
        Self::StartsWith,
        Self::EndsWith,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Contains => "contains",
            Self::StartsWith => "startswith",
            Self::EndsWith => "endswith",
        }
    }

    pub(crate) fn is_order(self) -> bool {
        matches!(
            self,
            Self::Less | Self::LessOrEqual | Self::Greater | Self::GreaterOrEqual
        )
    }
}

/// One entry of the right side of `in`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    Prefix(Prefix4),
    Range(Ipv4Range),
    Value(Id),
}

/// Where octets are read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Option(u8),
    /// A sub-option of an option that is a sequence of code, length, value.
    Sub(u8, u8),
    /// A sub-option of option 82.
    Relay(u8),
    /// Option 125 (RFC 3925, section 4) of an enterprise; `None` is any.
    Vendor(Option<u32>),
    VendorEnterprise,
    VendorSub(Option<u32>, u8),
    /// Option 124 (RFC 3925, section 3) of an enterprise; `None` is any.
    VendorClass(Option<u32>),
    VendorClassEnterprise,
    VendorClassData(Option<u32>, u8),
}

/// How an option's octets are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// As they are.
    Hex,
    /// As text: zero octets at the end dropped (RFC 2132, section 2).
    Text,
}

/// A field of the packet or of its arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    Mac,
    Htype,
    Hlen,
    Ciaddr,
    Yiaddr,
    Siaddr,
    Giaddr,
    MsgType,
    TransId,
    Interface,
    Source,
    Destination,
    Length,
}

impl Field {
    pub(crate) const ALL: [Self; 13] = [
        Self::Mac,
        Self::Htype,
        Self::Hlen,
        Self::Ciaddr,
        Self::Yiaddr,
        Self::Siaddr,
        Self::Giaddr,
        Self::MsgType,
        Self::TransId,
        Self::Interface,
        Self::Source,
        Self::Destination,
        Self::Length,
    ];

    /// The field as it is written: `pkt4.giaddr`, `pkt.src`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mac => "pkt4.mac",
            Self::Htype => "pkt4.htype",
            Self::Hlen => "pkt4.hlen",
            Self::Ciaddr => "pkt4.ciaddr",
            Self::Yiaddr => "pkt4.yiaddr",
            Self::Siaddr => "pkt4.siaddr",
            Self::Giaddr => "pkt4.giaddr",
            Self::MsgType => "pkt4.msgtype",
            Self::TransId => "pkt4.transid",
            Self::Interface => "pkt.iface",
            Self::Source => "pkt.src",
            Self::Destination => "pkt.dst",
            Self::Length => "pkt.len",
        }
    }
}

/// A class named in `member(...)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassRef {
    pub name: Box<str>,
    /// The number that `Expr::resolve_classes` gave it.
    pub number: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Literal {
    Text(Box<str>),
    Hex(Box<[u8]>),
    Number(u32),
    Address(Ipv4Addr),
}

/// A conversion of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conversion {
    Lower,
    Upper,
    AddressToText,
    Int8ToText,
    Int16ToText,
    Int32ToText,
    Uint8ToText,
    Uint16ToText,
    Uint32ToText,
}

impl Conversion {
    pub(crate) const ALL: [Self; 9] = [
        Self::Lower,
        Self::Upper,
        Self::AddressToText,
        Self::Int8ToText,
        Self::Int16ToText,
        Self::Int32ToText,
        Self::Uint8ToText,
        Self::Uint16ToText,
        Self::Uint32ToText,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Lower => "lcase",
            Self::Upper => "ucase",
            Self::AddressToText => "addrtotext",
            Self::Int8ToText => "int8totext",
            Self::Int16ToText => "int16totext",
            Self::Int32ToText => "int32totext",
            Self::Uint8ToText => "uint8totext",
            Self::Uint16ToText => "uint16totext",
            Self::Uint32ToText => "uint32totext",
        }
    }
}

/// The root: the node that was made last.
pub(crate) fn last(nodes: &[Node]) -> Id {
    Id::try_from(nodes.len() - 1).expect("an expression has between 1 and NODES_MAX nodes")
}
