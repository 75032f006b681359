//! The smallest piece of a value's text.

/// A piece of text, and what comes after it.
#[derive(Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// The piece, with its quotes but without the backslashes outside of them.
    pub text: String,
    /// What comes after it.
    pub rest: &'a str,
}

/// Takes text up to a delimiter that is neither quoted nor escaped.
///
/// # Errors
/// A quote that is not closed, or a backslash at the end.
pub fn token(all: &str) -> Result<Token<'_>, String> {
    let mut text = String::new();
    let mut quoted = false;
    let mut letters = all.char_indices();
    let mut rest = "";
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => {
                if quoted {
                    text.push('\\');
                }
                let Some((_, next)) = letters.next() else {
                    return Err(format!("{all}: backslash at end of argument"));
                };
                text.push(next);
            }
            letter if !quoted && is_delimiter(letter) => {
                rest = &all[at..];
                break;
            }
            letter => {
                text.push(letter);
                quoted ^= letter == '"';
            }
        }
    }
    if quoted {
        return Err(format!("{all}: quoted string extends past end of argument"));
    }
    Ok(Token { text, rest })
}

pub(super) fn is_delimiter(letter: char) -> bool {
    ":=, []{}!<>".contains(letter)
}
