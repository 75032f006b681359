//! From tokens to checked nodes: truths, comparisons and sums. Atoms are read in `parse/atom`.
//!
//! ```text
//! either     := both ("or" both)*
//! both       := negation ("and" negation)*
//! negation   := "not" negation | relation
//! relation   := sum [ RELATION sum | "in" items ]
//! sum        := atom ("+" atom)*
//! items      := PREFIX | RANGE | ADDRESS | "(" item ("," item)* ")"
//! ```

mod atom;
mod call;
mod source;

use super::check::{self, Kind};
use super::error::{ExprError, Span};
use super::names::Names;
use super::node::{Id, Item, Literal, Node, Relation, last};
use super::token::{Placed, Token, tokens};
use super::{DEPTH_MAX, NODES_MAX, TEXT_MAX, Wanted};

/// Reads and checks a whole text.
pub(crate) fn parse(text: &str, wanted: Wanted, names: &Names<'_>) -> Result<Vec<Node>, ExprError> {
    let whole = Span {
        at: 0,
        len: text.len(),
    };
    if text.len() > TEXT_MAX {
        return Err(whole
            .error(format!("the expression is longer than {TEXT_MAX} octets"))
            .help("split it into classes and join them with member()"));
    }
    let mut parser = Parser {
        tokens: tokens(text)?,
        next: 0,
        depth: 0,
        nodes: Vec::new(),
        names,
    };
    let term = parser.either()?;
    parser.end()?;
    match (wanted, term.kind) {
        (Wanted::Test, Kind::Test) => Ok(parser.nodes),
        (Wanted::Test, kind) => Err(term
            .span
            .error(format!("a test is wanted, and this yields {}", kind.article()))
            .help("compare it, for example with == 'text', or ask whether an option is there with .exists")),
        (Wanted::Value, Kind::Test) => Err(term
            .span
            .error("a value is wanted, and this yields true or false")
            .help("choose values with ifelse(test, a, b)")),
        (Wanted::Value, _) => Ok(parser.nodes),
    }
}

/// A part that has been read.
#[derive(Debug, Clone, Copy)]
struct Term {
    id: Id,
    kind: Kind,
    span: Span,
}

#[derive(Debug)]
struct Parser<'a> {
    tokens: Vec<Placed>,
    next: usize,
    depth: usize,
    nodes: Vec<Node>,
    names: &'a Names<'a>,
}

impl Parser<'_> {
    fn either(&mut self) -> Result<Term, ExprError> {
        self.joined("or", Self::both)
    }

    fn both(&mut self) -> Result<Term, ExprError> {
        self.joined("and", Self::negation)
    }

    /// Operands joined by one word; a single operand is passed through.
    fn joined(
        &mut self,
        word: &str,
        operand: fn(&mut Self) -> Result<Term, ExprError>,
    ) -> Result<Term, ExprError> {
        let first = operand(self)?;
        if !self.is_word(word) {
            return Ok(first);
        }
        let mut span = first.span;
        let mut ids = Vec::new();
        self.operand(first, word, &mut ids)?;
        while self.take_word(word) {
            let term = operand(self)?;
            span = span.to(term.span);
            self.operand(term, word, &mut ids)?;
        }
        let ids = ids.into();
        self.term(
            if word == "or" {
                Node::Or(ids)
            } else {
                Node::And(ids)
            },
            Kind::Test,
            span,
        )
    }

    /// Adds an operand; one that is a row of the same word is opened up, so that rows never nest.
    fn operand(&mut self, term: Term, word: &str, ids: &mut Vec<Id>) -> Result<(), ExprError> {
        self.test_wanted(term, word)?;
        match self
            .nodes
            .pop_if(|node| matches!((node, word), (Node::And(_), "and") | (Node::Or(_), "or")))
        {
            Some(Node::And(inner) | Node::Or(inner)) => ids.extend(inner),
            _ => ids.push(term.id),
        }
        Ok(())
    }

    fn negation(&mut self) -> Result<Term, ExprError> {
        let start = self.span();
        if !self.take_word("not") {
            return self.relation();
        }
        let term = self.deeper(start, Self::negation)?;
        self.test_wanted(term, "not")?;
        self.term(Node::Not(term.id), Kind::Test, start.to(term.span))
    }

    fn relation(&mut self) -> Result<Term, ExprError> {
        let left = self.sum()?;
        if self.take_word("in") {
            return self.within(left);
        }
        let Some(relation) = self.take_relation() else {
            return Ok(left);
        };
        let right = self.sum()?;
        let span = left.span.to(right.span);
        check::comparison(
            (&self.nodes[usize::from(left.id)], left.kind),
            relation,
            (&self.nodes[usize::from(right.id)], right.kind),
            span,
        )?;
        self.term(Node::Compare(left.id, relation, right.id), Kind::Test, span)
    }

    fn take_relation(&mut self) -> Option<Relation> {
        let found = match self.token() {
            Token::Sign(sign) => Relation::ALL
                .into_iter()
                .find(|relation| relation.as_str() == *sign),
            Token::Word(word) => Relation::ALL
                .into_iter()
                .find(|relation| relation.as_str() == &**word),
            _ => None,
        };
        self.next += usize::from(found.is_some());
        found
    }

    fn within(&mut self, left: Term) -> Result<Term, ExprError> {
        let start = self.span();
        let mut items = Vec::new();
        if self.take_sign("(") {
            loop {
                items.push(self.item(left)?);
                if self.take_sign(")") {
                    break;
                }
                self.expect_sign(",", "`,` or `)` after an entry of `in`")?;
            }
        } else if matches!(self.token(), Token::Net(_) | Token::Address(_)) {
            items.push(self.item(left)?);
        } else {
            return Err(self.unexpected("a network, a range or a list in parentheses after `in`"));
        }
        let span = left.span.to(start).to(self.before());
        self.term(Node::Within(left.id, items.into()), Kind::Test, span)
    }

    fn item(&mut self, left: Term) -> Result<Item, ExprError> {
        if let Token::Net(item) = self.token() {
            let item = item.clone();
            if matches!(left.kind, Kind::Text | Kind::Number | Kind::Test) {
                let message = format!("a network holds addresses, and this is {}", left.kind.article());
                return Err(left
                    .span
                    .error(message)
                    .help("take the option's octets with .hex"));
            }
            self.next += 1;
            return Ok(item);
        }
        let term = self.sum()?;
        check::comparison(
            (&self.nodes[usize::from(left.id)], left.kind),
            Relation::Equal,
            (&self.nodes[usize::from(term.id)], term.kind),
            left.span.to(term.span),
        )?;
        Ok(Item::Value(term.id))
    }

    fn sum(&mut self) -> Result<Term, ExprError> {
        let first = self.atom()?;
        if !self.is_sign("+") {
            return Ok(first);
        }
        let mut parts = vec![];
        self.part(first, &mut parts)?;
        let (mut span, mut kind) = (first.span, first.kind);
        while self.take_sign("+") {
            let term = self.atom()?;
            self.part(term, &mut parts)?;
            span = span.to(term.span);
            kind = kind.join(term.kind);
        }
        self.concat(parts, kind, span)
    }

    /// Adds a part to a row of octets; rows never nest.
    fn part(&mut self, term: Term, parts: &mut Vec<Id>) -> Result<(), ExprError> {
        self.value_wanted(term, "a part of joined octets")?;
        match self.nodes.pop_if(|node| matches!(node, Node::Concat(_))) {
            Some(Node::Concat(inner)) => parts.extend(inner),
            _ => parts.push(term.id),
        }
        Ok(())
    }

    fn concat(&mut self, parts: Vec<Id>, kind: Kind, span: Span) -> Result<Term, ExprError> {
        let kind = if kind == Kind::Text {
            Kind::Text
        } else {
            Kind::Octets
        };
        self.term(Node::Concat(parts.into()), kind, span)
    }

    fn end(&mut self) -> Result<(), ExprError> {
        if *self.token() == Token::End {
            return Ok(());
        }
        let error = self.unexpected("`and`, `or` or the end");
        Err(match self.take_relation() {
            Some(_) => error.help("compare two values at a time and join the comparisons with `and`"),
            None => error,
        })
    }

    fn test_wanted(&self, term: Term, word: &str) -> Result<(), ExprError> {
        if term.kind == Kind::Test {
            return Ok(());
        }
        let literal = matches!(
            self.nodes[usize::from(term.id)],
            Node::Literal(Literal::Number(_) | Literal::Text(_))
        );
        let message = format!("`{word}` joins tests, and this is {}", term.kind.article());
        Err(term.span.error(message).help(if literal {
            "compare it with something first"
        } else {
            "compare it first, or ask for presence with .exists"
        }))
    }

    fn value_wanted(&self, term: Term, place: &str) -> Result<(), ExprError> {
        match term.kind {
            Kind::Test => Err(term
                .span
                .error(format!("{place} is a value, and this is true or false"))
                .help("choose between values with ifelse(test, a, b)")),
            _ => Ok(()),
        }
    }

    fn term(&mut self, node: Node, kind: Kind, span: Span) -> Result<Term, ExprError> {
        if self.nodes.len() == NODES_MAX {
            return Err(span
                .error(format!("the expression has more than {NODES_MAX} parts"))
                .help("split it into classes and join them with member()"));
        }
        self.nodes.push(node);
        Ok(Term {
            id: last(&self.nodes),
            kind,
            span,
        })
    }

    /// Runs `read` one level deeper.
    fn deeper(
        &mut self,
        start: Span,
        read: impl FnOnce(&mut Self) -> Result<Term, ExprError>,
    ) -> Result<Term, ExprError> {
        if self.depth == DEPTH_MAX {
            return Err(start
                .error(format!("the expression is nested more than {DEPTH_MAX} deep"))
                .help("split it into classes and join them with member()"));
        }
        self.depth += 1;
        let term = read(self)?;
        self.depth -= 1;
        Ok(term)
    }

    fn token(&self) -> &Token {
        &self.tokens[self.next].token
    }

    fn span(&self) -> Span {
        self.tokens[self.next].span
    }

    /// The place of the token just taken.
    fn before(&self) -> Span {
        self.tokens[self.next.saturating_sub(1)].span
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.token(), Token::Word(found) if **found == *word)
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.next += usize::from(found);
        found
    }

    fn is_sign(&self, sign: &str) -> bool {
        matches!(self.token(), Token::Sign(found) if *found == sign)
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let found = self.is_sign(sign);
        self.next += usize::from(found);
        found
    }

    fn expect_sign(&mut self, sign: &str, wanted: &str) -> Result<(), ExprError> {
        if self.take_sign(sign) {
            Ok(())
        } else {
            Err(self.unexpected(wanted))
        }
    }

    /// The error that the next token is not what is wanted.
    fn unexpected(&self, wanted: &str) -> ExprError {
        let found = match self.token() {
            Token::End => "the expression ends".to_owned(),
            Token::Word(word) => format!("`{word}` was found"),
            Token::Sign(sign) => format!("`{sign}` was found"),
            Token::Text(text) => format!("the text '{text}' was found"),
            Token::Number(number) => format!("the number {number} was found"),
            Token::Address(address) => format!("the address {address} was found"),
            Token::Net(Item::Prefix(prefix)) => format!("the network {prefix} was found"),
            Token::Net(Item::Range(range)) => format!("the range {range} was found"),
            Token::Net(Item::Value(_)) | Token::Hex(_) => "hexadecimal octets were found".to_owned(),
        };
        self.span().error(format!("expected {wanted}, but {found}"))
    }
}
