//! From characters to words, as OVN cuts them.

use super::fault::{Fault, Span};
use super::number::{masked, unmasked};
use super::syntax::Relation;
use super::token::Token;

pub(super) struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// The next word and where it stands; `Token::End` for ever behind the last.
    pub(super) fn next(&mut self) -> Result<(Token, Span), Fault> {
        self.skip()?;
        let start = self.at;
        let Some(first) = self.peek() else {
            return Ok((Token::End, (start..start).into()));
        };
        let token = match first {
            b'"' => self.text()?,
            b'$' => Token::AddressSet(self.marked("$", "an address set, as in `$web_servers`")?),
            b'@' => Token::PortGroup(self.marked("@", "a port group, as in `@web_ports`")?),
            b'^' => Token::Template(self.marked("^", "a template variable")?),
            _ if self.rest().starts_with("..") => self.sign(2, Token::Ellipsis),
            _ if self.number_starts() => self.number()?,
            c if c.is_ascii_alphabetic() || c == b'_' => Token::Name(self.name()),
            _ => self.operator()?,
        };
        Ok((token, (start..self.at).into()))
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn fault(&self, start: usize, message: impl Into<String>) -> Fault {
        Fault::new(self.text, (start..self.at.max(start + 1)).into(), message)
    }

    /// White space and comments; `/* */` ends on its line.
    fn skip(&mut self) -> Result<(), Fault> {
        loop {
            let rest = self.rest();
            let white = rest.len()
                - rest
                    .trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c'])
                    .len();
            if white > 0 {
                self.at += white;
            } else if rest.starts_with("//") {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if rest.starts_with("/*") {
                let line = &rest[2..rest.find('\n').unwrap_or(rest.len())];
                let Some(end) = line.find("*/") else {
                    let start = self.at;
                    self.at = start + 2;
                    return Err(self.fault(start, "`/*` without `*/` on the same line"));
                };
                self.at += end + 4;
            } else {
                return Ok(());
            }
        }
    }

    /// A run that starts with a digit or a colon is a number, and so is one of letters that goes on as an address
    /// (`fe80::1`, `ab:cd:...`).
    fn number_starts(&self) -> bool {
        let rest = self.rest().as_bytes();
        match rest[0] {
            b'0'..=b'9' => true,
            b':' => rest.get(1) == Some(&b':'),
            c if c.is_ascii_hexdigit() => {
                let digits = rest.iter().take_while(|c| c.is_ascii_hexdigit()).count();
                digits <= 4 && rest.get(digits) == Some(&b':')
            }
            _ => false,
        }
    }

    fn number(&mut self) -> Result<Token, Fault> {
        let start = self.at;
        let value = unmasked(self.digits()).map_err(|why| self.fault(start, why))?;
        if self.peek() != Some(b'/') {
            return Ok(Token::Number(value));
        }
        self.at += 1;
        let at = self.at;
        let mask = unmasked(self.digits()).map_err(|why| self.fault(at, format!("behind `/`: {why}")))?;
        masked(value, mask).map(Token::Number).map_err(|why| {
            let help = "as in `10.0.0.0/8`, `10.0.0.0/255.0.0.0`, `0x10/0xf0`, `::/64`";
            self.fault(start, why).help(help)
        })
    }

    /// Letters, digits, colons and dots; a `..` ends it, and a colon behind a dot does (`1.2.3.4:80`).
    fn digits(&mut self) -> &'t str {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut dotted = false;
        while let Some(c) = self.peek() {
            match c {
                b'.' if bytes.get(self.at + 1) == Some(&b'.') => break,
                b'.' => dotted = true,
                b':' if dotted => break,
                b':' => {}
                c if c.is_ascii_alphanumeric() => {}
                _ => break,
            }
            self.at += 1;
        }
        &self.text[start..self.at]
    }

    fn name(&mut self) -> String {
        let start = self.at;
        let part = |c: &u8| c.is_ascii_alphanumeric() || *c == b'_' || *c == b'.';
        self.at += self.rest().bytes().take_while(part).count();
        self.text[start..self.at].to_owned()
    }

    fn marked(&mut self, mark: &str, what: &str) -> Result<String, Fault> {
        let start = self.at;
        self.at += mark.len();
        let first = self.peek().unwrap_or(b' ');
        if first.is_ascii_alphabetic() || first == b'_' || first == b'.' {
            return Ok(self.name());
        }
        Err(self.fault(start, format!("behind `{mark}` stands the name of {what}")))
    }

    /// Double quotes, with the escapes of JSON.
    fn text(&mut self) -> Result<Token, Fault> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        let mut chars = self.rest().char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.at += at + 1;
                    return Ok(Token::Text(text));
                }
                '\\' => match escape(&mut chars) {
                    Some(c) => text.push(c),
                    None => {
                        let at = self.at + at;
                        let escape = Fault::new(
                            self.text,
                            (at..at + 2).into(),
                            "an escape that strings do not know",
                        );
                        return Err(
                            escape.help(r#"known are \" \\ \/ \b \f \n \r \t and \u with four hex digits"#)
                        );
                    }
                },
                c => text.push(c),
            }
        }
        self.at = self.text.len();
        Err(self
            .fault(start, "the string does not end")
            .help("close it with `\"`"))
    }

    fn sign(&mut self, length: usize, token: Token) -> Token {
        self.at += length;
        token
    }

    fn operator(&mut self) -> Result<Token, Fault> {
        let rest = self.rest();
        for (sign, token) in SIGNS {
            if rest.starts_with(sign) {
                return Ok(self.sign(sign.len(), token.clone()));
            }
        }
        let start = self.at;
        let c = rest.chars().next().expect("there is a first character");
        self.at += c.len_utf8();
        let fault = self.fault(start, format!("`{}` means nothing here", c.escape_debug()));
        Err(match c {
            '&' => fault.help("and is `&&`"),
            '|' => fault.help("or is `||`"),
            '\'' => fault.help("names of ports stand in double quotes, as in `inport == \"vm1\"`"),
            '/' => fault.help("a mask follows its value without a space; comments are `//` and `/* */`"),
            _ => fault,
        })
    }
}

/// Longer signs first.
const SIGNS: &[(&str, Token)] = &[
    ("==", Token::Relation(Relation::Eq)),
    ("!=", Token::Relation(Relation::Ne)),
    ("<=", Token::Relation(Relation::Le)),
    (">=", Token::Relation(Relation::Ge)),
    ("<->", Token::Action("<->")),
    ("<", Token::Relation(Relation::Lt)),
    (">", Token::Relation(Relation::Gt)),
    ("&&", Token::And),
    ("||", Token::Or),
    ("!", Token::Not),
    ("(", Token::ParenOpen),
    (")", Token::ParenClose),
    ("{", Token::BraceOpen),
    ("}", Token::BraceClose),
    ("[", Token::BracketOpen),
    ("]", Token::BracketClose),
    (",", Token::Comma),
    ("=", Token::Action("=")),
    (";", Token::Action(";")),
    (":", Token::Action(":")),
    ("--", Token::Action("--")),
    ("-", Token::Action("-")),
];

fn escape(chars: &mut std::str::CharIndices<'_>) -> Option<char> {
    Some(match chars.next()?.1 {
        '"' => '"',
        '\\' => '\\',
        '/' => '/',
        'b' => '\x08',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => {
            let high = code_unit(chars)?;
            if !(0xd800..0xdc00).contains(&high) {
                return char::from_u32(high).filter(|c| *c != '\0');
            }
            // A character outside of the basic plane is two code units.
            (chars.next()?.1 == '\\' && chars.next()?.1 == 'u').then_some(())?;
            let low = code_unit(chars)?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
            return char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + low);
        }
        _ => return None,
    })
}

fn code_unit(chars: &mut std::str::CharIndices<'_>) -> Option<u32> {
    (0..4).try_fold(0, |unit, _| Some(unit << 4 | chars.next()?.1.to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> String {
        let mut lexer = Lexer::new(text);
        let mut words = Vec::new();
        loop {
            match lexer.next() {
                Ok((Token::End, _)) => return words.join(" "),
                Ok((token, _)) => words.push(token.to_string().replace('`', "")),
                Err(fault) => return fault.message,
            }
        }
    }

    #[test]
    fn words_are_cut_as_ovn_cuts_them() {
        for (text, expected) in [
            ("foo _abcd_ a.b.c.d a123_.456", "foo _abcd_ a.b.c.d a123_.456"),
            (r#""abc\u0020def""#, "\"abc def\""),
            (r#""\ud83d\ude00""#, "\"\u{1f600}\""),
            ("$foo @bar ^baz", "$foo @bar ^baz"),
            ("a/*b*/c", "a c"),
            ("a//b c\nd", "a d"),
            ("a/**/b", "a b"),
            ("192.168.0.2/30 ::1/128", "192.168.0.0/30 ::1/128"),
            ("1.2.3.4:5", "1.2.3.4 : 5"),
            ("1..2", "1 .. 2"),
            ("ff00::1234 fe:dc:ba:98:76:54", "ff00::1234 fe:dc:ba:98:76:54"),
            (
                "(){}[]==!=<<=>>=!&&||..,;=<->--:",
                "( ) { } [ ] == != < <= > >= ! && || .. , ; = <-> -- :",
            ),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    #[test]
    fn what_no_word_starts_with_is_refused_with_its_place() {
        for text in [
            "\"abc",
            "$1",
            "@",
            "^",
            "a/b",
            "a/*/b",
            "&",
            "|",
            "1/",
            "0x.",
            "\"\\x\"",
            "\"\\u12\"",
            "ü",
            "inport == 'a'",
        ] {
            let mut lexer = Lexer::new(text);
            let fault = loop {
                match lexer.next() {
                    Ok((Token::End, _)) => panic!("{text} is cut"),
                    Ok(_) => {}
                    Err(fault) => break fault,
                }
            };
            assert!(fault.span.end > fault.span.start, "{text}: {fault}");
        }
    }
}
