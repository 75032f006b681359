//! Functions.

use super::{Parser, Term};
use crate::expr::check::Kind;
use crate::expr::error::{ExprError, Span};
use crate::expr::node::{ClassRef, Conversion, Node};
use crate::expr::token::Token;

impl Parser<'_> {
    pub(super) fn member(&mut self, span: Span) -> Result<Term, ExprError> {
        self.expect_sign("(", "`(` after `member`")?;
        let name = self.text_literal("the class's name in quotes")?;
        self.close("member('CLASS')")?;
        let node = Node::Member(ClassRef { name, number: None });
        self.term(node, Kind::Test, span.to(self.before()))
    }

    /// A call whose name has been taken; the next token is the parenthesis.
    pub(super) fn call(&mut self, name: &str, span: Span) -> Result<Term, ExprError> {
        let conversion = Conversion::ALL
            .into_iter()
            .find(|conversion| conversion.as_str() == name);
        let known =
            conversion.is_some() || matches!(name, "substring" | "concat" | "ifelse" | "hexstring" | "split");
        if !known {
            return Err(super::atom::unknown(name, span));
        }
        self.next += 1;
        let term = self.deeper(span, |parser| match (conversion, name) {
            (Some(conversion), _) => parser.convert(conversion, span),
            (None, "substring") => parser.substring(span),
            (None, "concat") => parser.concatenation(span),
            (None, "ifelse") => parser.choice(span),
            (None, "hexstring") => parser.hexstring(span),
            _ => parser.split(span),
        })?;
        Ok(Term {
            span: span.to(self.before()),
            ..term
        })
    }

    fn convert(&mut self, conversion: Conversion, span: Span) -> Result<Term, ExprError> {
        let name = conversion.as_str();
        let value = self.argument(name)?;
        self.close(&format!("{name}(value)"))?;
        convertible(value, conversion)?;
        let kind = match conversion {
            Conversion::Lower | Conversion::Upper => value.kind.join(Kind::Text),
            _ => Kind::Text,
        };
        self.term(Node::Convert(value.id, conversion), kind, span)
    }

    fn substring(&mut self, span: Span) -> Result<Term, ExprError> {
        const SHAPE: &str = "substring(value, start, length or all)";
        let value = self.argument("substring")?;
        self.comma(SHAPE)?;
        let start = self.signed("the start as a number")?;
        self.comma(SHAPE)?;
        let length = if self.take_word("all") {
            None
        } else {
            Some(self.signed("the length as a number, or `all`")?)
        };
        self.close(SHAPE)?;
        let kind = if value.kind == Kind::Text {
            Kind::Text
        } else {
            Kind::Octets
        };
        self.term(Node::Substring(value.id, start, length), kind, span)
    }

    fn concatenation(&mut self, span: Span) -> Result<Term, ExprError> {
        let first = self.argument("concat")?;
        let mut parts = Vec::new();
        let mut kind = first.kind;
        self.part(first, &mut parts)?;
        self.comma("concat(a, b)")?;
        loop {
            let term = self.argument("concat")?;
            kind = kind.join(term.kind);
            self.part(term, &mut parts)?;
            if !self.take_sign(",") {
                break;
            }
        }
        self.close("concat(a, b)")?;
        self.concat(parts, kind, span)
    }

    fn choice(&mut self, span: Span) -> Result<Term, ExprError> {
        const SHAPE: &str = "ifelse(test, a, b)";
        let test = self.either()?;
        if test.kind != Kind::Test {
            let message = format!("ifelse chooses by a test, and this is {}", test.kind.article());
            return Err(test
                .span
                .error(message)
                .help("compare it first, or ask for presence with .exists"));
        }
        self.comma(SHAPE)?;
        let yes = self.argument("ifelse")?;
        self.comma(SHAPE)?;
        let no = self.argument("ifelse")?;
        self.close(SHAPE)?;
        self.term(Node::IfElse(test.id, yes.id, no.id), yes.kind.join(no.kind), span)
    }

    fn hexstring(&mut self, span: Span) -> Result<Term, ExprError> {
        const SHAPE: &str = "hexstring(value, ':')";
        let value = self.argument("hexstring")?;
        self.comma(SHAPE)?;
        let separator = self.text_literal("the separator in quotes")?;
        self.close(SHAPE)?;
        self.term(Node::HexString(value.id, separator), Kind::Text, span)
    }

    fn split(&mut self, span: Span) -> Result<Term, ExprError> {
        const SHAPE: &str = "split(value, delimiters, field)";
        let value = self.argument("split")?;
        self.comma(SHAPE)?;
        let delimiters = self.text_literal("the delimiters in quotes")?;
        self.comma(SHAPE)?;
        let place = self.span();
        let Token::Number(field) = *self.token() else {
            return Err(self.unexpected("the field's number"));
        };
        if field == 0 {
            return Err(place
                .error("fields are counted from 1")
                .help("the first field is 1"));
        }
        self.next += 1;
        self.close(SHAPE)?;
        let kind = if value.kind == Kind::Text {
            Kind::Text
        } else {
            Kind::Octets
        };
        self.term(Node::Split(value.id, delimiters, field), kind, span)
    }

    /// A value as an argument.
    fn argument(&mut self, name: &str) -> Result<Term, ExprError> {
        let term = self.either()?;
        self.value_wanted(term, &format!("an argument of {name}"))?;
        Ok(term)
    }

    fn text_literal(&mut self, wanted: &str) -> Result<Box<str>, ExprError> {
        let Token::Text(text) = self.token() else {
            return Err(self.unexpected(wanted));
        };
        let text = text.clone();
        self.next += 1;
        Ok(text)
    }

    fn signed(&mut self, wanted: &str) -> Result<i64, ExprError> {
        let negative = self.take_sign("-");
        let Token::Number(number) = *self.token() else {
            return Err(self.unexpected(wanted));
        };
        self.next += 1;
        Ok(if negative {
            -i64::from(number)
        } else {
            i64::from(number)
        })
    }

    fn comma(&mut self, shape: &str) -> Result<(), ExprError> {
        self.expect_sign(",", "`,`")
            .map_err(|error| error.help(format!("the form is {shape}")))
    }

    fn close(&mut self, shape: &str) -> Result<(), ExprError> {
        self.expect_sign(")", "`)`")
            .map_err(|error| error.help(format!("the form is {shape}")))
    }
}

/// Refuses conversions that could only ever yield nothing.
fn convertible(value: Term, conversion: Conversion) -> Result<(), ExprError> {
    let (name, found) = (conversion.as_str(), value.kind.article());
    let help = match (conversion, value.kind) {
        (Conversion::Lower | Conversion::Upper, Kind::Text | Kind::Octets) => return Ok(()),
        (Conversion::Lower | Conversion::Upper, _) => "only text has letters",
        (_, Kind::Text) => "take the option's octets with .hex",
        (Conversion::Int32ToText | Conversion::Uint32ToText, _) | (_, Kind::Octets) => return Ok(()),
        (Conversion::AddressToText, Kind::Address) => return Ok(()),
        (_, Kind::Number) => "numbers are 32 bits wide here: use uint32totext",
        (_, Kind::Address | Kind::Test) => "addresses are turned to text by addrtotext",
    };
    Err(value
        .span
        .error(format!("{name} does not take {found}"))
        .help(help))
}
