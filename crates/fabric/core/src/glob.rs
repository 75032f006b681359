//! Glob patterns as Redis has them, over octets: `switch:*`.
//!
//! ```text
//!   *        any octets, also none          [abc] [a-z]   one of these
//!   ?        one octet                      [^a-z]        one of the others
//!   \x       x itself, outside and inside of brackets
//! ```
//!
//! As there, a bracket that is never closed ends with the pattern, and a range may be written backwards. Both sides of
//! a cluster must agree on what a pattern names, whether Redis or this function reads it.

/// Whether `pattern` names the whole of `text`. Takes at most the product of both lengths in steps.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.as_bytes(), text.as_bytes());
    // The last star: the pattern after it, and the text that it has not eaten yet.
    let mut star: Option<(&[u8], &[u8])> = None;
    loop {
        if let Some((b'*', rest)) = pattern.split_first() {
            star = Some((rest, text));
            pattern = rest;
            continue;
        }
        if pattern.is_empty() && text.is_empty() {
            return true;
        }
        let step = text
            .split_first()
            .and_then(|(&octet, left)| Some((one(pattern, octet)?, left)));
        if let Some(step) = step {
            (pattern, text) = step;
            continue;
        }
        // Not so: let the star eat one more.
        let Some((rest, [_, left @ ..])) = star else {
            return false;
        };
        star = Some((rest, left));
        (pattern, text) = (rest, left);
    }
}

/// The pattern that names `text` and nothing else.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

/// The pattern after its first element, if that matches `octet`.
fn one(pattern: &[u8], octet: u8) -> Option<&[u8]> {
    let (&first, rest) = pattern.split_first()?;
    match first {
        b'?' => Some(rest),
        b'[' => {
            let (within, rest) = class(rest, octet);
            within.then_some(rest)
        }
        b'\\' => match rest.split_first() {
            Some((&escaped, rest)) => (escaped == octet).then_some(rest),
            None => (octet == b'\\').then_some(rest),
        },
        literal => (literal == octet).then_some(rest),
    }
}

/// Whether the class, whose bracket has been opened, has `octet`; and the pattern after it.
fn class(mut pattern: &[u8], octet: u8) -> (bool, &[u8]) {
    let negated = pattern.first() == Some(&b'^');
    if negated {
        pattern = &pattern[1..];
    }
    let mut found = false;
    loop {
        pattern = match pattern {
            [] => break,
            [b']', rest @ ..] => {
                pattern = rest;
                break;
            }
            [b'\\', escaped, rest @ ..] => {
                found |= *escaped == octet;
                rest
            }
            [from, b'-', to, rest @ ..] => {
                found |= (*from.min(to)..=*from.max(to)).contains(&octet);
                rest
            }
            [single, rest @ ..] => {
                found |= *single == octet;
                rest
            }
        };
    }
    (found != negated, pattern)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition itself, without a thought for time.
    fn slowly(pattern: &[u8], text: &[u8]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((b'*', rest)) => (0..=text.len()).any(|n| slowly(rest, &text[n..])),
            Some(_) => text
                .split_first()
                .is_some_and(|(&octet, left)| one(pattern, octet).is_some_and(|rest| slowly(rest, left))),
        }
    }

    #[test]
    fn patterns_name_what_redis_says_they_do() {
        let yes = [
            ("*", ""),
            ("**", "abc"),
            ("switch:*", "switch:"),
            ("switch:*:port", "switch:a:port:b:port"),
            ("h?llo", "hxllo"),
            ("h[ae]llo", "hallo"),
            ("h[^e]llo", "hbllo"),
            ("h[a-b]llo", "hbllo"),
            ("h[b-a]llo", "hallo"),
            (r"h[\]]llo", "h]llo"),
            (r"\*", "*"),
            (r"a\", r"a\"),
            ("[abc", "b"),
            ("", ""),
        ];
        for (pattern, text) in yes {
            assert!(matches(pattern, text), "{pattern} names {text}");
        }
        let no = [
            ("", "a"),
            ("?", ""),
            ("switch:*", "switch"),
            ("switch", "switch:1"),
            ("h[^e]llo", "hello"),
            ("[]a", "a"),
            (r"\*", "x"),
            ("a*b", "abc"),
        ];
        for (pattern, text) in no {
            assert!(!matches(pattern, text), "{pattern} does not name {text}");
        }
    }

    #[test]
    fn many_stars_are_no_trap() {
        let pattern = "a*".repeat(200) + "b";
        assert!(!matches(&pattern, &"a".repeat(10_000)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn an_escaped_text_names_itself_alone(text in r"[ab*?\[\]\\^-]{0,8}", other in r"[ab*?\[\]\\^-]{0,8}") {
            prop_assert!(matches(&escape(&text), &text));
            prop_assert_eq!(matches(&escape(&text), &other), text == other);
        }

        #[test]
        fn it_agrees_with_its_definition(pattern in r"[ab*?\[\]\\^-]{0,8}", text in r"[ab\]\\^-]{0,8}") {
            prop_assert_eq!(matches(&pattern, &text), slowly(pattern.as_bytes(), text.as_bytes()));
        }
    }
}
