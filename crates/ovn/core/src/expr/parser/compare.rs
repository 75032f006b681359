//! Fields, constants and what stands between them.

use super::{Parser, Primary};
use crate::expr::check::Checked;
use crate::expr::fault::{Fault, Span};
use crate::expr::names::Kind;
use crate::expr::number::{Format, Number};
use crate::expr::symbol::{Level, symbol, symbols};
use crate::expr::syntax::{Comparison, Constant, Field, Relation, Syntax, Test};
use crate::expr::token::Token;

/// Constants as they were written, and where.
struct Written {
    constants: Vec<Constant>,
    braces: bool,
    span: Span,
}

const RESIDENT: &str = "is_chassis_resident";

impl Parser<'_> {
    /// `field`, `field == constants`, or the one function.
    pub(super) fn named(&mut self) -> Result<Primary, Fault> {
        let Token::Name(name) = &self.token else {
            unreachable!("the caller looked");
        };
        if name == RESIDENT && symbol(name).is_none() {
            return self.resident();
        }
        let (field, field_at) = self.field()?;
        let Token::Relation(relation) = self.token else {
            return self.alone(field, field_at);
        };
        self.take()?;
        let written = self.constants()?;
        self.compare(field, field_at, relation, &written)?;
        let test = Test::Relation(relation, written.constants, written.braces);
        Ok((Syntax::Compare(Comparison { field, test }), false))
    }

    fn resident(&mut self) -> Result<Primary, Fault> {
        self.take()?;
        self.demand(&Token::ParenOpen)?;
        let Token::Text(port) = self.token.clone() else {
            let fault = self.wrong(format!(
                "{} stands where the name of a port is expected",
                self.token
            ));
            return Err(fault.help("as in `is_chassis_resident(\"lrp0\")`"));
        };
        self.uses(Kind::Port, &port);
        self.take()?;
        self.demand(&Token::ParenClose)?;
        Ok((Syntax::Resident(port), true))
    }

    fn alone(&mut self, field: Field, field_at: Span) -> Result<Primary, Fault> {
        if field.symbol.is_text() || self.token == Token::Action("=") {
            let fault = self.wrong(format!(
                "{} stands where `==` or another relation is expected",
                self.token
            ));
            return Err(match self.token {
                Token::Action("=") => fault.help("a comparison is `==`"),
                _ => fault.help(format!("as in `{} == \"vm1\"`", field.symbol.name)),
            });
        }
        if field.width > 1 && !self.negated {
            let message = format!("`{field}` has {} bits and is compared with nothing", field.width);
            let fault = Fault::new(self.text, field_at, message);
            return Err(fault.help(format!("`{field} != 0` says that any of them is set")));
        }
        let zero = Written {
            constants: vec![Constant::Number(Number::decimal(0))],
            braces: false,
            span: field_at,
        };
        self.compare(field, field_at, Relation::Ne, &zero)?;
        let test = Test::Set;
        Ok((Syntax::Compare(Comparison { field, test }), true))
    }

    /// `1`, `0`, `constants == field`, `low < field < high`.
    pub(super) fn constant_first(&mut self) -> Result<Primary, Fault> {
        let first = self.constants()?;
        if !matches!(self.token, Token::Relation(_))
            && let ([Constant::Number(number)], false) = (&first.constants[..], first.braces)
            && (number.format, number.mask) == (Format::Decimal, None)
            && number.value <= 1
        {
            return Ok((Syntax::Constant(number.value == 1), true));
        }
        let relation = self.relation()?;
        let (field, field_at) = self.field()?;
        if !matches!(self.token, Token::Relation(_)) {
            let relation = relation.turned();
            self.compare(field, field_at, relation, &first)?;
            let test = Test::Relation(relation, first.constants, first.braces);
            return Ok((Syntax::Compare(Comparison { field, test }), false));
        }
        let second_relation = self.relation()?;
        let second = self.constants()?;
        let same_way =
            (relation.below() && second_relation.below()) || (relation.above() && second_relation.above());
        if !same_way {
            let span = (first.span.start..second.span.end).into();
            let fault = Fault::new(self.text, span, "a range goes one way");
            return Err(fault.help("as in `1024 <= tcp.dst < 2048`"));
        }
        self.compare(field, field_at, relation.turned(), &first)?;
        self.compare(field, field_at, second_relation, &second)?;
        let [Constant::Number(low)] = first.constants[..] else {
            unreachable!("checked above: relations of order take one number");
        };
        let [Constant::Number(high)] = second.constants[..] else {
            unreachable!("checked above: relations of order take one number");
        };
        let test = Test::Range(low, relation, second_relation, high);
        Ok((Syntax::Compare(Comparison { field, test }), false))
    }

    fn relation(&mut self) -> Result<Relation, Fault> {
        let Token::Relation(relation) = self.token else {
            let fault = self.wrong(format!("{} stands where a relation is expected", self.token));
            return Err(fault.help("one of ==, !=, <, <=, >, >="));
        };
        self.take()?;
        Ok(relation)
    }

    fn compare(
        &self,
        field: Field,
        field_at: Span,
        relation: Relation,
        written: &Written,
    ) -> Result<(), Fault> {
        let checked = Checked {
            text: self.text,
            field,
            relation,
            constants: &written.constants,
            braces: written.braces,
            negated: self.negated,
            field_at,
            constants_at: written.span,
        };
        checked.check()
    }

    fn field(&mut self) -> Result<(Field, Span), Fault> {
        let start = self.span.start;
        let Token::Name(name) = self.token.clone() else {
            return Err(self.wrong(format!("{} stands where a field is expected", self.token)));
        };
        let Some(symbol) = symbol(&name) else {
            let known = symbols().iter().map(|symbol| symbol.name).chain([RESIDENT]);
            return Err(self.wrong(format!("`{name}` is no field")).nearest(&name, known));
        };
        self.take()?;
        let mut field = Field {
            symbol,
            low: 0,
            width: symbol.width,
        };
        if self.token == Token::BracketOpen {
            self.select(&mut field)?;
        }
        Ok((field, (start..self.end).into()))
    }

    /// `[bit]` or `[low..high]`.
    fn select(&mut self, field: &mut Field) -> Result<(), Fault> {
        let symbol = field.symbol;
        if symbol.is_text() {
            return Err(self.wrong(format!("`{}` is the name of a port and has no bits", symbol.name)));
        }
        self.take()?;
        let start = self.span.start;
        let low = self.bit()?;
        let high = if self.takes(&Token::Ellipsis)? {
            self.bit()?
        } else {
            low
        };
        let span: Span = (start..self.end).into();
        self.demand(&Token::BracketClose)?;
        let fault = |message: String| Err(Fault::new(self.text, span, message));
        if low > high {
            return fault(format!("bits {low} to {high} are the wrong way round"));
        }
        if high >= symbol.width {
            return fault(format!("`{}` has bits 0 to {}", symbol.name, symbol.width - 1));
        }
        if symbol.level == Level::Nominal && high - low + 1 != symbol.width {
            return fault(format!("`{}` is compared as a whole only", symbol.name));
        }
        field.low = low;
        field.width = high - low + 1;
        Ok(())
    }

    fn bit(&mut self) -> Result<u32, Fault> {
        if let Token::Number(number) = &self.token
            && (number.format, number.mask) == (Format::Decimal, None)
            && let Ok(bit @ 0..=0xffff) = u32::try_from(number.value)
        {
            self.take()?;
            return Ok(bit);
        }
        Err(self.wrong(format!(
            "{} stands where the number of a bit is expected",
            self.token
        )))
    }

    fn constants(&mut self) -> Result<Written, Fault> {
        let start = self.span.start;
        let braces = self.takes(&Token::BraceOpen)?;
        let mut constants = vec![self.constant()?];
        if braces {
            self.takes(&Token::Comma)?;
            while !self.takes(&Token::BraceClose)? {
                constants.push(self.constant()?);
                self.takes(&Token::Comma)?;
            }
        }
        let span = (start..self.end).into();
        Ok(Written {
            constants,
            braces,
            span,
        })
    }

    fn constant(&mut self) -> Result<Constant, Fault> {
        let constant = match self.token.clone() {
            Token::Number(number) => Constant::Number(number),
            Token::Text(text) => {
                self.uses(Kind::Port, &text);
                Constant::Text(text)
            }
            Token::AddressSet(name) => {
                self.uses(Kind::AddressSet, &name);
                Constant::AddressSet(name)
            }
            Token::PortGroup(name) => {
                self.uses(Kind::PortGroup, &name);
                Constant::PortGroup(name)
            }
            Token::Template(_) => return Err(self.template()),
            other => {
                let fault = self.wrong(format!("{other} stands where a value is expected"));
                return Err(match other {
                    Token::Name(name) => fault.help(format!(
                        "a port's name stands in quotes: `\"{name}\"`; sets are `${name}`, port groups `@{name}`"
                    )),
                    Token::BraceClose => fault.help("a set has at least one value"),
                    _ => fault,
                });
            }
        };
        self.take()?;
        Ok(constant)
    }
}
