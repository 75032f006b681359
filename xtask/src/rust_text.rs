//! Rust source as the rules see it: code without the words of comments and texts, and functions with their lengths.

/// The source with comments and the insides of literals turned into blanks; lines stay where they are.
pub(crate) fn code_only(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = literal_end(bytes, at);
        if end > at {
            blank(&mut out[at..end]);
            at = end;
        } else {
            at += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Source up to its own tests at the bottom.
pub(crate) fn without_tests(code: &str) -> &str {
    let cut = code.match_indices("#[cfg(test)]").find(|(at, _)| {
        let rest = code[at + "#[cfg(test)]".len()..].trim_start();
        rest.starts_with("mod ")
            && rest
                .find('{')
                .is_some_and(|brace| rest.find(';').is_none_or(|semi| brace < semi))
    });
    cut.map_or(code, |(at, _)| &code[..at])
}

/// Whether `code` has `word` with nothing of a name around it.
pub(crate) fn has_word(code: &str, word: &str) -> bool {
    word_at(code, word).is_some()
}

/// Line, counted from 1, where `code` has `word`.
pub(crate) fn word_at(code: &str, word: &str) -> Option<usize> {
    let name = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let found = code.match_indices(word).find(|(at, _)| {
        let (before, after) = (
            code[..*at].chars().next_back(),
            code[at + word.len()..].chars().next(),
        );
        let open = |edge: Option<char>, outside: Option<char>| !(name(edge) && name(outside));
        open(word.chars().next(), before) && open(word.chars().next_back(), after)
    });
    found.map(|(at, _)| line_of(code, at))
}

/// Name, first line and number of lines of every function in code without comments and texts.
pub(crate) fn functions(code: &str) -> Vec<(String, usize, usize)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        let starts = at == 0 || code[..at].ends_with([' ', '\n', '(']);
        let name: String = code[at + 3..]
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        let Some(end) = body_end(code, at).filter(|_| starts && !name.is_empty()) else {
            continue;
        };
        found.push((name, line_of(code, at), code[at..end].lines().count()));
    }
    found
}

fn line_of(code: &str, at: usize) -> usize {
    code[..at].matches('\n').count() + 1
}

/// Where the body of the function at `at` ends; `None` for a declaration.
fn body_end(code: &str, at: usize) -> Option<usize> {
    let (mut round, mut curly) = (0_i32, 0_i32);
    for (offset, byte) in code.as_bytes()[at..].iter().enumerate() {
        match byte {
            b'(' | b'[' => round += 1,
            b')' | b']' => round -= 1,
            b';' if round == 0 && curly == 0 => return None,
            b'{' => curly += 1,
            b'}' => {
                curly -= 1;
                if curly == 0 {
                    return Some(at + offset + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// End of the comment or literal that starts at `at`; `at` itself when none does.
fn literal_end(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let in_name = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
    match rest {
        [b'/', b'/', ..] => at + rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len()),
        [b'/', b'*', ..] => at + block_comment(rest),
        [b'"', ..] => at + text(rest),
        [b'r', b'"' | b'#', ..] if !in_name => at + raw_text(rest),
        [b'b', b'r', b'"' | b'#', ..] if !in_name => at + 1 + raw_text(&rest[1..]),
        [b'\'', b'\\', ..] => {
            at + 2
                + rest[2..]
                    .iter()
                    .skip(1)
                    .position(|b| *b == b'\'')
                    .map_or(0, |p| p + 2)
        }
        // A character, not a lifetime: 'x' of one to four octets.
        [b'\'', ..] => (3..=6)
            .find(|n| rest.get(n - 1) == Some(&b'\'') && one_char(&rest[1..n - 1]))
            .map_or(at, |n| at + n),
        _ => at,
    }
}

fn one_char(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| text.chars().count() == 1)
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn text(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

fn raw_text(rest: &[u8]) -> usize {
    let hashes = rest[1..].iter().take_while(|b| **b == b'#').count();
    if rest.get(1 + hashes) != Some(&b'"') {
        return 0;
    }
    let mut close = vec![b'"'];
    close.resize(1 + hashes, b'#');
    let start = 2 + hashes;
    let end = rest[start..]
        .windows(close.len())
        .position(|window| window == close);
    end.map_or(rest.len(), |end| start + end + close.len())
}

fn blank(bytes: &mut [u8]) {
    for byte in bytes.iter_mut().filter(|byte| **byte != b'\n') {
        *byte = b' ';
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_comments_and_texts_do_not_count() {
        let source = "// unsafe\nlet a = \"unsafe \\\" unsafe\"; /* unsafe /* unsafe */ unsafe */ r#\"unsafe\"#; b'\\'';";
        let code = code_only(source);
        assert!(!has_word(&code, "unsafe"), "{code}");
        assert!(code.contains("let a ="));
        assert_eq!(code.lines().count(), source.lines().count());
    }

    #[test]
    fn lifetimes_are_not_characters() {
        let code = code_only("fn a<'a>(x: &'a str) -> &'a str { unsafe { x } } let c = '{';");
        assert!(has_word(&code, "unsafe"));
        assert!(!code.contains("'{'"));
    }

    #[test]
    fn a_word_inside_a_name_is_another_word() {
        assert!(!has_word("forbid(unsafe_code)", "unsafe"));
        assert_eq!(word_at("a\nb Instant::now()", "Instant::now"), Some(2));
    }

    #[test]
    fn own_tests_are_cut_off_and_test_files_named() {
        assert_eq!(without_tests("a\n#[cfg(test)]\nmod tests {\n std::fs }"), "a\n");
        let named = "a\n#[cfg(test)]\nmod tests;\nb";
        assert_eq!(without_tests(named), named);
    }

    #[test]
    fn functions_are_measured_from_signature_to_brace() {
        let code =
            "trait T { fn declared(&self); }\nfn short() { 1 }\nfn long(a: [u8; 3]) {\n  if a {\n  }\n}\n";
        assert_eq!(
            functions(code),
            [("short".to_owned(), 2, 1), ("long".to_owned(), 3, 4)]
        );
    }
}
