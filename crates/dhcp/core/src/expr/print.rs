//! The canonical text of an expression: it parses back to the same nodes.

use super::Expr;
use super::node::{Access, Id, Item, Literal, Node, Source};
use std::fmt::{self, Display, Formatter, Write};

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Part {
            nodes: &self.nodes,
            id: self.root(),
        }
        .fmt(f)
    }
}

#[derive(Clone, Copy)]
struct Part<'a> {
    nodes: &'a [Node],
    id: Id,
}

impl<'a> Part<'a> {
    fn child(self, id: Id) -> Self {
        Self { id, ..self }
    }

    fn node(self) -> &'a Node {
        &self.nodes[usize::from(self.id)]
    }

    /// The part, in parentheses when it binds less than what stands around it.
    fn within(self, level: u8, f: &mut Formatter<'_>) -> fmt::Result {
        if level_of(self.node()) < level {
            write!(f, "({self})")
        } else {
            self.fmt(f)
        }
    }

    fn row(self, ids: &[Id], sign: &str, level: u8, f: &mut Formatter<'_>) -> fmt::Result {
        for (i, id) in ids.iter().enumerate() {
            if i > 0 {
                write!(f, " {sign} ")?;
            }
            self.child(*id).within(level, f)?;
        }
        Ok(())
    }

    fn items(self, items: &[Item], f: &mut Formatter<'_>) -> fmt::Result {
        if let [item @ (Item::Prefix(_) | Item::Range(_))] = items {
            return self.item(item, f);
        }
        f.write_char('(')?;
        for (i, item) in items.iter().enumerate() {
            f.write_str(if i > 0 { ", " } else { "" })?;
            self.item(item, f)?;
        }
        f.write_char(')')
    }

    fn item(self, item: &Item, f: &mut Formatter<'_>) -> fmt::Result {
        match item {
            Item::Prefix(prefix) => prefix.fmt(f),
            Item::Range(range) => range.fmt(f),
            Item::Value(id) => self.child(*id).within(SUM, f),
        }
    }
}

const OR: u8 = 0;
const AND: u8 = 1;
const NOT: u8 = 2;
const RELATION: u8 = 3;
const SUM: u8 = 4;
const ATOM: u8 = 5;

/// How tightly a node binds.
fn level_of(node: &Node) -> u8 {
    match node {
        Node::Or(_) => OR,
        Node::And(_) => AND,
        Node::Not(_) => NOT,
        Node::Compare(..) | Node::Within(..) => RELATION,
        Node::Concat(_) => SUM,
        _ => ATOM,
    }
}

impl Display for Part<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let child = |id: Id| self.child(id);
        match self.node() {
            Node::Or(ids) => self.row(ids, "or", AND, f),
            Node::And(ids) => self.row(ids, "and", NOT, f),
            Node::Not(id) => {
                f.write_str("not ")?;
                child(*id).within(NOT, f)
            }
            Node::Compare(left, relation, right) => {
                child(*left).within(SUM, f)?;
                write!(f, " {} ", relation.as_str())?;
                child(*right).within(SUM, f)
            }
            Node::Within(left, items) => {
                child(*left).within(SUM, f)?;
                f.write_str(" in ")?;
                self.items(items, f)
            }
            Node::Exists(source) => write!(f, "{source}.exists"),
            Node::Member(class) => write!(f, "member({})", Quoted(&class.name)),
            Node::Literal(literal) => literal.fmt(f),
            Node::Read(source, access) => read(*source, *access, f),
            Node::Field(field) => f.write_str(field.as_str()),
            Node::Concat(ids) => self.row(ids, "+", ATOM, f),
            Node::IfElse(test, yes, no) => {
                write!(f, "ifelse({}, {}, {})", child(*test), child(*yes), child(*no))
            }
            Node::Substring(value, start, Some(length)) => {
                write!(f, "substring({}, {start}, {length})", child(*value))
            }
            Node::Substring(value, start, None) => write!(f, "substring({}, {start}, all)", child(*value)),
            Node::Split(value, delimiters, field) => {
                write!(f, "split({}, {}, {field})", child(*value), Quoted(delimiters))
            }
            Node::HexString(value, separator) => {
                write!(f, "hexstring({}, {})", child(*value), Quoted(separator))
            }
            Node::Convert(value, conversion) => write!(f, "{}({})", conversion.as_str(), child(*value)),
        }
    }
}

/// A text literal; the language has no escapes, so it holds one sort of quotes at most.
struct Quoted<'a>(&'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let quote = if self.0.contains('\'') { '"' } else { '\'' };
        write!(f, "{quote}{}{quote}", self.0)
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => Quoted(text).fmt(f),
            Self::Hex(octets) => {
                f.write_str("0x")?;
                octets.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
            }
            Self::Number(number) => number.fmt(f),
            Self::Address(address) => address.fmt(f),
        }
    }
}

fn read(source: Source, access: Access, f: &mut Formatter<'_>) -> fmt::Result {
    let bare = matches!(
        source,
        Source::VendorEnterprise | Source::VendorClassEnterprise | Source::VendorClassData(..)
    );
    match (bare, access) {
        (true, _) => source.fmt(f),
        (false, Access::Hex) => write!(f, "{source}.hex"),
        (false, Access::Text) => write!(f, "{source}.text"),
    }
}

impl Display for Source {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option(code) => write!(f, "option[{code}]"),
            Self::Sub(code, sub) => write!(f, "option[{code}].option[{sub}]"),
            Self::Relay(sub) => write!(f, "relay4[{sub}]"),
            Self::Vendor(number) => write!(f, "vendor[{}]", Enterprise(*number)),
            Self::VendorEnterprise => f.write_str("vendor.enterprise"),
            Self::VendorSub(number, sub) => write!(f, "vendor[{}].option[{sub}]", Enterprise(*number)),
            Self::VendorClass(number) => write!(f, "vendor-class[{}]", Enterprise(*number)),
            Self::VendorClassEnterprise => f.write_str("vendor-class.enterprise"),
            Self::VendorClassData(number, at) => {
                write!(f, "vendor-class[{}].data[{at}]", Enterprise(*number))
            }
        }
    }
}

struct Enterprise(Option<u32>);

impl Display for Enterprise {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(number) => number.fmt(f),
            None => f.write_char('*'),
        }
    }
}
