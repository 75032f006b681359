//! Evaluation over a packet: no failure, no allocation once the scratch has grown.
//!
//! What stands in the packet or in the expression is used where it is. What has to be made is appended to the
//! scratch, which is cut back as soon as the comparison that needed it is done.

mod make;

use super::node::{Access, Field, Id, Item, Literal, Node, Relation, Source, last};
use super::subject::Subject;
use super::{VALUE_MAX, vendor};
use std::net::Ipv4Addr;

/// Working memory for evaluation, to be used again for every packet.
#[derive(Debug, Default)]
pub struct Scratch {
    octets: Vec<u8>,
}

/// Evaluates the root as a test.
pub(crate) fn test<S: Subject + ?Sized>(nodes: &[Node], subject: &S, scratch: &mut Scratch) -> bool {
    scratch.octets.clear();
    Eval {
        nodes,
        subject,
        scratch: &mut scratch.octets,
    }
    .test(last(nodes))
}

/// Evaluates the root as a value.
pub(crate) fn with_value<S: Subject + ?Sized, T>(
    nodes: &[Node],
    subject: &S,
    scratch: &mut Scratch,
    then: impl FnOnce(&[u8]) -> T,
) -> T {
    scratch.octets.clear();
    let piece = Eval {
        nodes,
        subject,
        scratch: &mut scratch.octets,
    }
    .piece(last(nodes));
    then(piece.octets(&scratch.octets))
}

/// A value: borrowed, made in the scratch, or small enough to be carried.
#[derive(Debug, Clone, Copy)]
enum Piece<'a> {
    Borrowed(&'a [u8]),
    Made {
        from: usize,
        to: usize,
    },
    Address([u8; 4]),
    /// Compared as a number with whatever it meets; its octets are four, in network order.
    Number([u8; 4]),
}

impl Piece<'_> {
    fn octets<'s>(&'s self, scratch: &'s [u8]) -> &'s [u8] {
        match self {
            Self::Borrowed(octets) => octets,
            Self::Made { from, to } => &scratch[*from..*to],
            Self::Address(octets) | Self::Number(octets) => octets,
        }
    }

    /// The value as a number in network order; `None` when it is empty or longer than eight octets.
    fn number(&self, scratch: &[u8]) -> Option<u64> {
        let octets = self.octets(scratch);
        let fits = (1..=8).contains(&octets.len());
        fits.then(|| octets.iter().fold(0, |sum, octet| sum << 8 | u64::from(*octet)))
    }
}

struct Eval<'a, 's, S: ?Sized> {
    nodes: &'a [Node],
    subject: &'a S,
    scratch: &'s mut Vec<u8>,
}

impl<'a, S: Subject + ?Sized> Eval<'a, '_, S> {
    fn node(&self, id: Id) -> &'a Node {
        &self.nodes[usize::from(id)]
    }

    fn test(&mut self, id: Id) -> bool {
        match self.node(id) {
            Node::And(ids) => ids.iter().all(|id| self.test(*id)),
            Node::Or(ids) => ids.iter().any(|id| self.test(*id)),
            Node::Not(id) => !self.test(*id),
            Node::Compare(left, relation, right) => self.compare(*left, *relation, *right),
            Node::Within(left, items) => self.within(*left, items),
            Node::Exists(source) => self.read(*source).is_some(),
            Node::Member(class) => self.subject.member(class),
            // The parser puts no value where a test is wanted.
            _ => false,
        }
    }

    fn compare(&mut self, left: Id, relation: Relation, right: Id) -> bool {
        let mark = self.scratch.len();
        let left = self.piece(left);
        let right = self.piece(right);
        let holds = holds(&left, relation, &right, self.scratch);
        self.scratch.truncate(mark);
        holds
    }

    fn within(&mut self, left: Id, items: &[Item]) -> bool {
        let mark = self.scratch.len();
        let left = self.piece(left);
        let address = <[u8; 4]>::try_from(left.octets(self.scratch))
            .ok()
            .map(Ipv4Addr::from);
        let found = items.iter().any(|item| match item {
            Item::Prefix(prefix) => address.is_some_and(|address| prefix.contains(address)),
            Item::Range(range) => address.is_some_and(|address| range.contains(address)),
            Item::Value(id) => {
                let value = self.piece(*id);
                holds(&left, Relation::Equal, &value, self.scratch)
            }
        });
        self.scratch.truncate(mark);
        found
    }

    fn piece(&mut self, id: Id) -> Piece<'a> {
        match self.node(id) {
            Node::Literal(Literal::Text(text)) => Piece::Borrowed(cut(text.as_bytes())),
            Node::Literal(Literal::Hex(octets)) => Piece::Borrowed(cut(octets)),
            Node::Literal(Literal::Number(number)) => Piece::Number(number.to_be_bytes()),
            Node::Literal(Literal::Address(address)) => Piece::Address(address.octets()),
            Node::Read(source, access) => Piece::Borrowed(self.octets(*source, *access)),
            Node::Field(field) => self.field(*field),
            Node::IfElse(condition, yes, no) => {
                let chosen = if self.test(*condition) { *yes } else { *no };
                self.piece(chosen)
            }
            Node::Substring(value, start, length) => self.substring(*value, *start, *length),
            Node::Split(value, delimiters, field) => self.split(*value, delimiters.as_bytes(), *field),
            made => self.make(made),
        }
    }

    fn octets(&self, source: Source, access: Access) -> &'a [u8] {
        let octets = cut(self.read(source).unwrap_or_default());
        match access {
            Access::Hex => octets,
            Access::Text => {
                let end = octets
                    .iter()
                    .rposition(|octet| *octet != 0)
                    .map_or(0, |last| last + 1);
                &octets[..end]
            }
        }
    }

    fn read(&self, source: Source) -> Option<&'a [u8]> {
        let option = |code| self.subject.option(code);
        match source {
            Source::Option(code) => option(code),
            Source::Sub(code, sub) => vendor::sub_option(option(code)?, sub),
            Source::Relay(code) => self.subject.relay_sub(code),
            Source::Vendor(enterprise) => vendor::blocks_of(option(125)?, enterprise).next(),
            Source::VendorEnterprise => option(125)?.get(..4),
            Source::VendorSub(enterprise, code) => {
                vendor::blocks_of(option(125)?, enterprise).find_map(|block| vendor::sub_option(block, code))
            }
            Source::VendorClass(enterprise) => vendor::blocks_of(option(124)?, enterprise).next(),
            Source::VendorClassEnterprise => option(124)?.get(..4),
            Source::VendorClassData(enterprise, at) => {
                vendor::blocks_of(option(124)?, enterprise).nth(usize::from(at))
            }
        }
    }

    fn field(&self, field: Field) -> Piece<'a> {
        let number = |value: u32| Piece::Number(value.to_be_bytes());
        let address = |value: Ipv4Addr| Piece::Address(value.octets());
        let subject = self.subject;
        match field {
            Field::Mac => Piece::Borrowed(cut(subject.mac())),
            Field::Interface => Piece::Borrowed(cut(subject.interface().as_bytes())),
            Field::Htype => number(subject.htype().into()),
            Field::Hlen => number(subject.hlen().into()),
            Field::MsgType => number(subject.msgtype().into()),
            Field::TransId => number(subject.transid()),
            Field::Length => number(subject.length()),
            Field::Ciaddr => address(subject.ciaddr()),
            Field::Yiaddr => address(subject.yiaddr()),
            Field::Siaddr => address(subject.siaddr()),
            Field::Giaddr => address(subject.giaddr()),
            Field::Source => address(subject.source()),
            Field::Destination => address(subject.destination()),
        }
    }
}

/// At most [`VALUE_MAX`] octets of a value.
fn cut(octets: &[u8]) -> &[u8] {
    &octets[..octets.len().min(VALUE_MAX)]
}

fn holds(left: &Piece<'_>, relation: Relation, right: &Piece<'_>, scratch: &[u8]) -> bool {
    let (a, b) = (left.octets(scratch), right.octets(scratch));
    match relation {
        Relation::Equal => equal(left, right, scratch),
        Relation::NotEqual => !equal(left, right, scratch),
        Relation::Contains => {
            b.is_empty() || (b.len() <= a.len() && a.windows(b.len()).any(|part| part == b))
        }
        Relation::StartsWith => a.starts_with(b),
        Relation::EndsWith => a.ends_with(b),
        Relation::Less | Relation::LessOrEqual | Relation::Greater | Relation::GreaterOrEqual => {
            let (Some(a), Some(b)) = (left.number(scratch), right.number(scratch)) else {
                return false;
            };
            match relation {
                Relation::Less => a < b,
                Relation::LessOrEqual => a <= b,
                Relation::Greater => a > b,
                _ => a >= b,
            }
        }
    }
}

/// Octet by octet, or as numbers when one side is a number, so that `option[93].hex == 7` holds for two octets.
fn equal(left: &Piece<'_>, right: &Piece<'_>, scratch: &[u8]) -> bool {
    if matches!(left, Piece::Number(_)) || matches!(right, Piece::Number(_)) {
        let number = left.number(scratch);
        return number.is_some() && number == right.number(scratch);
    }
    left.octets(scratch) == right.octets(scratch)
}
