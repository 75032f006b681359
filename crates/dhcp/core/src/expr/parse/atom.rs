//! Literals, packet fields, calls and parentheses.

use super::{Parser, Term};
use crate::expr::check::Kind;
use crate::expr::error::{ExprError, Span};
use crate::expr::node::{Field, Literal, Node};
use crate::expr::token::Token;

/// Everything an operand may start with.
const STARTS: [&str; 23] = [
    "option",
    "relay4",
    "pkt4",
    "pkt",
    "vendor",
    "vendor-class",
    "member",
    "substring",
    "concat",
    "ifelse",
    "hexstring",
    "split",
    "lcase",
    "ucase",
    "addrtotext",
    "int8totext",
    "int16totext",
    "int32totext",
    "uint8totext",
    "uint16totext",
    "uint32totext",
    "not",
    "in",
];

impl Parser<'_> {
    pub(super) fn atom(&mut self) -> Result<Term, ExprError> {
        let span = self.span();
        let literal = match self.token() {
            Token::Text(text) => (Literal::Text(text.clone()), Kind::Text),
            Token::Hex(octets) => (Literal::Hex(octets.clone()), Kind::Octets),
            Token::Number(number) => (Literal::Number(*number), Kind::Number),
            Token::Address(address) => (Literal::Address(*address), Kind::Address),
            Token::Sign("(") => return self.parentheses(),
            Token::Word(word) => {
                let word = word.clone();
                return self.word(&word, span);
            }
            Token::Net(_) => {
                return Err(self
                    .unexpected("a value")
                    .help("networks and ranges stand after `in`: pkt4.giaddr in 10.0.0.0/8"));
            }
            _ => return Err(self.unexpected("a value, for example option[60].text or 'text'")),
        };
        self.next += 1;
        self.term(Node::Literal(literal.0), literal.1, span)
    }

    fn parentheses(&mut self) -> Result<Term, ExprError> {
        let start = self.span();
        self.next += 1;
        let term = self.deeper(start, Self::either)?;
        self.expect_sign(")", "`)`")?;
        Ok(Term {
            span: start.to(self.before()),
            ..term
        })
    }

    fn word(&mut self, word: &str, span: Span) -> Result<Term, ExprError> {
        self.next += 1;
        match word {
            "option" | "relay4" | "vendor" | "vendor-class" => self.source(word, span),
            "pkt4" | "pkt" => self.field(word, span),
            "member" => self.member(span),
            _ if self.is_sign("(") => self.call(word, span),
            _ => Err(unknown(word, span)),
        }
    }

    fn field(&mut self, word: &str, span: Span) -> Result<Term, ExprError> {
        self.expect_sign(".", &format!("`.` and a field after `{word}`"))?;
        let place = self.span();
        let Token::Word(name) = self.token() else {
            return Err(self
                .unexpected(&format!("a field after `{word}.`"))
                .help(fields(word)));
        };
        let whole = format!("{word}.{name}");
        let Some(field) = Field::ALL.into_iter().find(|field| field.as_str() == whole) else {
            let near = purlin_config::nearest(&whole, Field::ALL.iter().map(|field| field.as_str()));
            let help = near.map_or_else(|| fields(word), |near| format!("did you mean `{near}`?"));
            return Err(place.error(format!("there is no field `{whole}`")).help(help));
        };
        self.next += 1;
        self.term(Node::Field(field), kind(field), span.to(place))
    }
}

fn kind(field: Field) -> Kind {
    match field {
        Field::Mac => Kind::Octets,
        Field::Interface => Kind::Text,
        Field::Htype | Field::Hlen | Field::MsgType | Field::TransId | Field::Length => Kind::Number,
        Field::Ciaddr
        | Field::Yiaddr
        | Field::Siaddr
        | Field::Giaddr
        | Field::Source
        | Field::Destination => Kind::Address,
    }
}

fn fields(word: &str) -> String {
    let prefix = format!("{word}.");
    let known: Vec<&str> = Field::ALL
        .iter()
        .filter_map(|field| field.as_str().strip_prefix(prefix.as_str()))
        .collect();
    format!("the fields of `{word}` are {}", known.join(", "))
}

/// The error that a word means nothing, with what was probably meant.
pub(super) fn unknown(word: &str, span: Span) -> ExprError {
    let error = span.error(format!("`{word}` is not known"));
    match word {
        "match" | "regex" => {
            error.help("there are no regular expressions; use contains, startswith, endswith or split()")
        }
        "pkt6" | "relay6" => error.help("this is DHCPv4: use pkt4 and relay4"),
        "known" | "unknown" => error.help("ask for the built-in class: member('KNOWN')"),
        _ => match purlin_config::nearest(word, STARTS) {
            Some(near) if near != word => error.help(format!("did you mean `{near}`?")),
            _ => error.help(format!("put text in quotes: '{word}'")),
        },
    }
}
