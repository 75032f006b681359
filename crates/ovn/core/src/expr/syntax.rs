//! An expression as it was written, and printed so that it reads the same again.

use super::number::Number;
use super::symbol::Symbol;
use std::fmt;

/// A checked expression. Sets and groups are still names here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Syntax {
    Compare(Comparison),
    /// At least two operands.
    And(Vec<Self>),
    /// At least two operands.
    Or(Vec<Self>),
    Not(Box<Self>),
    /// `1` or `0`
    Constant(bool),
    /// `is_chassis_resident("port")`
    Resident(String),
}

/// A field against what it is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    pub field: Field,
    pub test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// The field alone: it is not zero.
    Set,
    /// The last says whether the constants stand in braces, also when it is only one.
    Relation(Relation, Vec<Constant>, bool),
    /// `low < field < high`; both relations are either of `<`, `<=` or of `>`, `>=`.
    Range(Number, Relation, Relation, Number),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Constant {
    Number(Number),
    Text(String),
    AddressSet(String),
    PortGroup(String),
}

/// Bits `low..=high` of a symbol; all of them when nothing was selected. A text has no bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    pub symbol: &'static Symbol,
    pub low: u32,
    pub width: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Relation {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

impl Relation {
    /// `a < b` is `b > a`.
    pub(super) fn turned(self) -> Self {
        match self {
            Self::Lt => Self::Gt,
            Self::Le => Self::Ge,
            Self::Gt => Self::Lt,
            Self::Ge => Self::Le,
            same => same,
        }
    }

    /// The relation that holds when this one does not.
    pub(super) fn inverted(self) -> Self {
        match self {
            Self::Eq => Self::Ne,
            Self::Ne => Self::Eq,
            Self::Lt => Self::Ge,
            Self::Le => Self::Gt,
            Self::Gt => Self::Le,
            Self::Ge => Self::Lt,
        }
    }

    pub(super) fn holds(self, a: u128, b: u128) -> bool {
        match self {
            Self::Eq => a == b,
            Self::Ne => a != b,
            Self::Lt => a < b,
            Self::Le => a <= b,
            Self::Gt => a > b,
            Self::Ge => a >= b,
        }
    }

    pub(super) fn below(self) -> bool {
        matches!(self, Self::Lt | Self::Le)
    }

    pub(super) fn above(self) -> bool {
        matches!(self, Self::Gt | Self::Ge)
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
        })
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.symbol.name)?;
        match (self.low, self.width) {
            (0, width) if width == self.symbol.width => Ok(()),
            (low, 1) => write!(f, "[{low}]"),
            (low, width) => write!(f, "[{low}..{}]", low + width - 1),
        }
    }
}

impl fmt::Display for Constant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => quoted(text, f),
            Self::AddressSet(name) => write!(f, "${name}"),
            Self::PortGroup(name) => write!(f, "@{name}"),
        }
    }
}

/// A text in double quotes, with the escapes that the lexer resolves.
pub(super) fn quoted(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    use fmt::Write;
    f.write_str("\"")?;
    for c in text.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            c if c < ' ' => write!(f, "\\u{:04x}", u32::from(c))?,
            c => f.write_char(c)?,
        }
    }
    f.write_str("\"")
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.test {
            Test::Set => write!(f, "{}", self.field),
            Test::Range(low, first, second, high) => {
                write!(f, "{low} {first} {} {second} {high}", self.field)
            }
            Test::Relation(relation, constants, braces) => {
                write!(f, "{} {relation} ", self.field)?;
                if *braces {
                    f.write_str("{")?;
                }
                for (at, constant) in constants.iter().enumerate() {
                    if at > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{constant}")?;
                }
                if *braces {
                    f.write_str("}")?;
                }
                Ok(())
            }
        }
    }
}

impl Syntax {
    /// Whether it may stand behind `!` without parentheses.
    fn atomic(&self) -> bool {
        match self {
            Self::Compare(comparison) => comparison.test == Test::Set,
            Self::Constant(_) | Self::Resident(_) => true,
            Self::And(_) | Self::Or(_) | Self::Not(_) => false,
        }
    }

    fn fmt_joined(parts: &[Self], sign: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                write!(f, " {sign} ")?;
            }
            match part {
                Self::And(_) | Self::Or(_) => write!(f, "({part})")?,
                _ => write!(f, "{part}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Syntax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compare(comparison) => write!(f, "{comparison}"),
            Self::And(parts) => Self::fmt_joined(parts, "&&", f),
            Self::Or(parts) => Self::fmt_joined(parts, "||", f),
            Self::Not(inner) if inner.atomic() => write!(f, "!{inner}"),
            Self::Not(inner) => write!(f, "!({inner})"),
            Self::Constant(value) => f.write_str(if *value { "1" } else { "0" }),
            Self::Resident(port) => {
                f.write_str("is_chassis_resident(")?;
                quoted(port, f)?;
                f.write_str(")")
            }
        }
    }
}
