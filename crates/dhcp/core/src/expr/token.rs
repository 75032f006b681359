//! The text of an expression as a row of tokens.

use super::error::{ExprError, Span};
use super::node::Item;
use purlin_types::{Ipv4Range, Prefix4};
use std::net::Ipv4Addr;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// A keyword, function or option name; may contain `-` and `_`.
    Word(Box<str>),
    Text(Box<str>),
    Hex(Box<[u8]>),
    Number(u32),
    Address(Ipv4Addr),
    /// A prefix or range, only for the right side of `in`.
    Net(Item),
    /// Punctuation or an operator.
    Sign(&'static str),
    End,
}

#[derive(Debug, Clone)]
pub(crate) struct Placed {
    pub(crate) token: Token,
    pub(crate) span: Span,
}

/// Longest first, so that `<=` is not read as `<`.
const SIGNS: [&str; 15] = [
    "==", "!=", "<=", ">=", "<", ">", "(", ")", "[", "]", ",", ".", "+", "-", "*",
];

/// What people write who come from other languages, and what it is called here.
const FOREIGN: [(&str, &str); 4] = [("&&", "and"), ("||", "or"), ("=", "=="), ("!", "not")];

/// Splits the text; the last token is [`Token::End`].
pub(crate) fn tokens(text: &str) -> Result<Vec<Placed>, ExprError> {
    let mut found = Vec::new();
    let mut at = 0;
    loop {
        at += text[at..].len() - text[at..].trim_start().len();
        let (token, len) = next(text, at)?;
        let end = token == Token::End;
        found.push(Placed {
            token,
            span: Span { at, len },
        });
        if end {
            return Ok(found);
        }
        at += len;
    }
}

fn next(text: &str, at: usize) -> Result<(Token, usize), ExprError> {
    let rest = &text[at..];
    let Some(first) = rest.chars().next() else {
        return Ok((Token::End, 0));
    };
    if matches!(first, '\'' | '"') {
        return quoted(rest, first, at);
    }
    if let Some(found) = hardware_address(rest) {
        return Ok(found);
    }
    if first.is_ascii_digit() {
        return number(rest, at);
    }
    if first.is_ascii_alphabetic() {
        let len = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
        return Ok((Token::Word(rest[..len].into()), len));
    }
    if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
        return Ok((Token::Sign(sign), sign.len()));
    }
    let span = Span {
        at,
        len: first.len_utf8(),
    };
    if let Some((theirs, ours)) = FOREIGN.iter().find(|(theirs, _)| rest.starts_with(theirs)) {
        let span = Span {
            at,
            len: theirs.len(),
        };
        return Err(span
            .error(format!("`{theirs}` is not an operator here"))
            .help(format!("write `{ours}`")));
    }
    Err(span.error(format!("`{}` has no meaning here", first.escape_default())))
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

fn quoted(rest: &str, quote: char, at: usize) -> Result<(Token, usize), ExprError> {
    match rest[1..].find(quote) {
        Some(len) => Ok((Token::Text(rest[1..=len].into()), len + 2)),
        None => Err(Span { at, len: rest.len() }
            .error("the text is not closed")
            .help(format!("end it with another {quote}"))),
    }
}

/// `00:53:00:aa:bb:cc`: pairs of hexadecimal digits joined by colons.
fn hardware_address(rest: &str) -> Option<(Token, usize)> {
    let bytes = rest.as_bytes();
    let pair = |at: usize| {
        let high = char::from(*bytes.get(at)?).to_digit(16)?;
        let low = char::from(*bytes.get(at + 1)?).to_digit(16)?;
        u8::try_from(high << 4 | low).ok()
    };
    let mut octets = vec![pair(0)?];
    let mut at = 2;
    while bytes.get(at) == Some(&b':') {
        octets.push(pair(at + 1)?);
        at += 3;
    }
    let ends = !rest[at..].starts_with(is_word);
    (octets.len() > 1 && ends).then(|| (Token::Hex(octets.into()), at))
}

fn number(rest: &str, at: usize) -> Result<(Token, usize), ExprError> {
    if let Some(digits) = rest.strip_prefix("0x").or_else(|| rest.strip_prefix("0X")) {
        return hexadecimal(digits, at);
    }
    let len = rest
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(rest.len());
    let word = &rest[..len];
    let span = Span { at, len };
    if word.contains('.') {
        let address = word.parse::<Ipv4Addr>().map_err(|_| {
            span.error(format!("`{word}` is not an IPv4 address"))
                .help("an address looks like 10.0.0.1")
        })?;
        return net(rest, address, len, at);
    }
    match word.parse::<u32>() {
        Ok(value) => Ok((Token::Number(value), len)),
        Err(_) => Err(span
            .error(format!("{word} is too large"))
            .help(format!("numbers go up to {}", u32::MAX))),
    }
}

fn hexadecimal(digits: &str, at: usize) -> Result<(Token, usize), ExprError> {
    let len = digits
        .find(|c: char| !c.is_ascii_alphanumeric())
        .unwrap_or(digits.len());
    let span = Span { at, len: len + 2 };
    let values: Option<Vec<u8>> = digits[..len]
        .chars()
        .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()))
        .collect();
    let Some(mut values) = values.filter(|values| !values.is_empty()) else {
        return Err(span
            .error("hexadecimal digits are expected after 0x")
            .help("for example 0x0a1b"));
    };
    if values.len() % 2 == 1 {
        values.insert(0, 0);
    }
    let octets: Vec<u8> = values.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    Ok((Token::Hex(octets.into()), len + 2))
}

/// An address, or the prefix or range that starts with it.
fn net(rest: &str, address: Ipv4Addr, len: usize, at: usize) -> Result<(Token, usize), ExprError> {
    if let Some(tail) = rest[len..].strip_prefix('/') {
        let digits = tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len());
        let whole = len + 1 + digits;
        let prefix = rest[..whole]
            .parse::<Prefix4>()
            .map_err(|e| Span { at, len: whole }.error(format!("`{}` is no network: {e}", &rest[..whole])))?;
        return Ok((Token::Net(Item::Prefix(prefix)), whole));
    }
    let tail = rest[len..].trim_start();
    let Some(tail) = tail.strip_prefix('-').map(str::trim_start) else {
        return Ok((Token::Address(address), len));
    };
    let start = rest.len() - tail.len();
    let digits = tail
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(tail.len());
    let whole = start + digits;
    let span = Span { at, len: whole };
    let last = tail[..digits]
        .parse::<Ipv4Addr>()
        .map_err(|_| span.error("the range has no last address"))?;
    let range = Ipv4Range::try_new(address, last).map_err(|e| span.error(e.to_string()))?;
    Ok((Token::Net(Item::Range(range)), whole))
}
