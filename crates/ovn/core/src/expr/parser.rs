//! From words to a checked expression.

mod compare;

use super::fault::{Fault, Span};
use super::lexer::Lexer;
use super::names::{Kind, Use};
use super::syntax::Syntax;
use super::token::Token;

/// Parentheses within parentheses, as OVN limits them.
pub const DEPTH_MAX: usize = 100;

/// Octets of a text that is read.
pub const TEXT_MAX: usize = 1 << 20;

/// A read expression, with its text and the names it uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    pub text: String,
    pub syntax: Syntax,
    /// In the order of the text; a name used twice stands twice.
    pub uses: Vec<Use>,
}

/// Reads an expression and checks all that can be checked without knowing ports, sets and groups.
pub fn parse(text: &str) -> Result<Match, Fault> {
    if text.len() > TEXT_MAX {
        let message = format!("a match of {} octets is too long: at most {TEXT_MAX}", text.len());
        let help = "put addresses into address sets and ports into port groups";
        return Err(Fault::new("", Span::default(), message).help(help));
    }
    let mut parser = Parser::new(text)?;
    if parser.token == Token::End {
        return Err(parser
            .wrong("the match is empty")
            .help("`1` matches everything, `ip4 && tcp.dst == 80` is another one"));
    }
    let syntax = parser.expression()?;
    if parser.token != Token::End {
        let message = format!("{} does not go on from here", parser.token);
        return Err(parser.wrong(message).help("join expressions by `&&` or `||`"));
    }
    Ok(Match {
        text: text.to_owned(),
        syntax,
        uses: parser.uses,
    })
}

struct Parser<'t> {
    text: &'t str,
    lexer: Lexer<'t>,
    token: Token,
    span: Span,
    /// End of the word before.
    end: usize,
    depth: usize,
    negated: bool,
    uses: Vec<Use>,
}

/// An expression, and whether it may stand behind `!` as it is.
type Primary = (Syntax, bool);

impl<'t> Parser<'t> {
    fn new(text: &'t str) -> Result<Self, Fault> {
        let mut lexer = Lexer::new(text);
        let (token, span) = lexer.next()?;
        Ok(Self {
            text,
            lexer,
            token,
            span,
            end: 0,
            depth: 0,
            negated: false,
            uses: Vec::new(),
        })
    }

    /// Takes the current word.
    fn take(&mut self) -> Result<Token, Fault> {
        let (token, span) = self.lexer.next()?;
        self.end = self.span.end;
        self.span = span;
        Ok(std::mem::replace(&mut self.token, token))
    }

    fn takes(&mut self, token: &Token) -> Result<bool, Fault> {
        let is = self.token == *token;
        if is {
            self.take()?;
        }
        Ok(is)
    }

    fn demand(&mut self, token: &Token) -> Result<(), Fault> {
        match self.takes(token)? {
            true => Ok(()),
            false => Err(self.wrong(format!("{} stands where {token} is expected", self.token))),
        }
    }

    /// A fault at the current word.
    fn wrong(&self, message: impl Into<String>) -> Fault {
        Fault::new(self.text, self.span, message)
    }

    fn uses(&mut self, kind: Kind, name: &str) {
        self.uses.push(Use {
            kind,
            name: name.to_owned(),
            span: self.span,
        });
    }

    /// Operands of one sign; OVN has no precedence between the two and refuses to guess.
    fn expression(&mut self) -> Result<Syntax, Fault> {
        let first = self.operand()?;
        let sign = match self.token {
            Token::And | Token::Or => self.token.clone(),
            _ => return Ok(first),
        };
        let mut parts = vec![first];
        while self.takes(&sign)? {
            parts.push(self.operand()?);
        }
        if matches!(self.token, Token::And | Token::Or) {
            return Err(self
                .wrong("`&&` and `||` are mixed without parentheses")
                .help("say which belongs together, as in `a && (b || c)`"));
        }
        Ok(match sign {
            Token::And => Syntax::And(parts),
            _ => Syntax::Or(parts),
        })
    }

    fn operand(&mut self) -> Result<Syntax, Fault> {
        let start = self.span;
        if !self.takes(&Token::Not)? {
            return Ok(self.primary()?.0);
        }
        self.negated = !self.negated;
        let inner = self.primary();
        self.negated = !self.negated;
        match inner? {
            (inner, true) => Ok(Syntax::Not(Box::new(inner))),
            (_, false) => {
                let span = (start.start..self.end).into();
                let fault = Fault::new(self.text, span, "what `!` negates needs parentheses");
                Err(fault.help("as in `!(tcp.dst == 80)`"))
            }
        }
    }

    fn primary(&mut self) -> Result<Primary, Fault> {
        match &self.token {
            Token::ParenOpen => self.parenthesised(),
            Token::Name(_) => self.named(),
            Token::Template(_) => Err(self.template()),
            _ => self.constant_first(),
        }
    }

    fn template(&self) -> Fault {
        self.wrong(format!(
            "{} is a template variable: they are for load balancers only",
            self.token
        ))
    }

    fn parenthesised(&mut self) -> Result<Primary, Fault> {
        if self.depth == DEPTH_MAX {
            return Err(self.wrong(format!("more than {DEPTH_MAX} parentheses within each other")));
        }
        self.take()?;
        self.depth += 1;
        let inner = self.expression()?;
        self.depth -= 1;
        self.demand(&Token::ParenClose)?;
        Ok((inner, true))
    }
}
