//! Options and what is inside them: `option[…]`, `relay4[…]`, `vendor[…]`, `vendor-class[…]`.

use super::{Parser, Term};
use crate::expr::check::Kind;
use crate::expr::error::{ExprError, Span};
use crate::expr::node::{Access, Node, Source};
use crate::expr::token::Token;

const ENDINGS: &str = "`.hex`, `.text` or `.exists`";

impl Parser<'_> {
    /// A source whose first word has been taken.
    pub(super) fn source(&mut self, word: &str, span: Span) -> Result<Term, ExprError> {
        match word {
            "option" => self.option(span),
            "relay4" => {
                let code =
                    self.bracketed("the sub-option's number", |parser| parser.octet("a sub-option"))?;
                self.ending(Source::Relay(code), span)
            }
            "vendor" => self.vendor(span),
            _ => self.vendor_class(span),
        }
    }

    fn option(&mut self, span: Span) -> Result<Term, ExprError> {
        let code = self.bracketed("the option's number or name", Self::option_code)?;
        if !self.nested("option") {
            return self.ending(Source::Option(code), span);
        }
        let sub = self.bracketed("the sub-option's number", |parser| parser.octet("a sub-option"))?;
        self.ending(
            if code == 82 {
                Source::Relay(sub)
            } else {
                Source::Sub(code, sub)
            },
            span,
        )
    }

    fn vendor(&mut self, span: Span) -> Result<Term, ExprError> {
        if self.nested("enterprise") {
            return self.term(
                Node::Read(Source::VendorEnterprise, Access::Hex),
                Kind::Octets,
                span.to(self.before()),
            );
        }
        let enterprise = self.bracketed("an enterprise number or `*`", Self::enterprise)?;
        if self.nested("option") {
            let code = self.bracketed("the sub-option's number", |parser| parser.octet("a sub-option"))?;
            return self.ending(Source::VendorSub(enterprise, code), span);
        }
        self.ending(Source::Vendor(enterprise), span)
    }

    fn vendor_class(&mut self, span: Span) -> Result<Term, ExprError> {
        if self.nested("enterprise") {
            let node = Node::Read(Source::VendorClassEnterprise, Access::Hex);
            return self.term(node, Kind::Octets, span.to(self.before()));
        }
        let enterprise = if self.is_sign("[") {
            self.bracketed("an enterprise number or `*`", Self::enterprise)?
        } else {
            None
        };
        if self.nested("data") {
            let at = if self.is_sign("[") {
                self.bracketed("a position from 0", |p| p.octet("a position"))?
            } else {
                0
            };
            let node = Node::Read(Source::VendorClassData(enterprise, at), Access::Hex);
            return self.term(node, Kind::Octets, span.to(self.before()));
        }
        self.ending(Source::VendorClass(enterprise), span)
    }

    /// Takes `.word` when it is next.
    fn nested(&mut self, word: &str) -> bool {
        let follows = self.is_sign(".")
            && matches!(self.tokens.get(self.next + 1).map(|t| &t.token), Some(Token::Word(w)) if **w == *word);
        self.next += if follows { 2 } else { 0 };
        follows
    }

    fn ending(&mut self, source: Source, span: Span) -> Result<Term, ExprError> {
        self.expect_sign(".", ENDINGS)?;
        let place = self.span();
        let Token::Word(word) = self.token() else {
            return Err(self.unexpected(ENDINGS));
        };
        let (node, kind) = match &**word {
            "hex" => (Node::Read(source, Access::Hex), Kind::Octets),
            "text" => (Node::Read(source, Access::Text), Kind::Text),
            "exists" => (Node::Exists(source), Kind::Test),
            other => return Err(place.error(format!("expected {ENDINGS}, but `{other}` was found"))),
        };
        self.next += 1;
        self.term(node, kind, span.to(place))
    }

    fn bracketed<T>(
        &mut self,
        what: &str,
        read: impl FnOnce(&mut Self) -> Result<T, ExprError>,
    ) -> Result<T, ExprError> {
        self.expect_sign("[", &format!("`[` and {what}"))?;
        let value = read(self)?;
        self.expect_sign("]", "`]`")?;
        Ok(value)
    }

    fn option_code(&mut self) -> Result<u8, ExprError> {
        let place = self.span();
        let code = match self.token() {
            Token::Word(name) => self.names.code(name).ok_or_else(|| {
                let error = place.error(format!("there is no option named `{name}`"));
                match self.names.nearest(name) {
                    Some(near) => error.help(format!("did you mean `{near}`?")),
                    None => error.help("write its number, or define it under [[dhcp.option_defs]]"),
                }
            })?,
            Token::Number(number @ 1..=254) => u8::try_from(*number).expect("the pattern says so"),
            Token::Number(number) => {
                return Err(place
                    .error(format!("{number} is no option"))
                    .help("options are numbered 1 to 254"));
            }
            _ => return Err(self.unexpected("the option's number or name")),
        };
        self.next += 1;
        Ok(code)
    }

    fn octet(&mut self, what: &str) -> Result<u8, ExprError> {
        let Token::Number(number) = *self.token() else {
            return Err(self.unexpected(&format!("the number of {what}")));
        };
        let Ok(value) = u8::try_from(number) else {
            return Err(self
                .span()
                .error(format!("{number} is too large for {what}"))
                .help("it goes up to 255"));
        };
        self.next += 1;
        Ok(value)
    }

    fn enterprise(&mut self) -> Result<Option<u32>, ExprError> {
        if self.take_sign("*") {
            return Ok(None);
        }
        let Token::Number(number) = *self.token() else {
            return Err(self.unexpected("an enterprise number or `*`"));
        };
        self.next += 1;
        Ok(Some(number))
    }
}
