//! The words about TLS in a connection URL, in both of its forms.

/// A connection URL in parts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Words {
    /// Everything else.
    pub(super) rest: String,
    pub(super) mode: Option<String>,
    pub(super) root: Option<String>,
    /// The first word about TLS that is not known.
    pub(super) unknown: Option<String>,
}

/// Takes `sslmode` and `sslrootcert` out of `postgresql://...?a=b` or of `host=... a=b`.
pub(super) fn taken_out(url: &str) -> Words {
    let mut words = Words {
        rest: String::new(),
        mode: None,
        root: None,
        unknown: None,
    };
    if is_url(url) {
        let (before, query) = url.split_once('?').unwrap_or((url, ""));
        let kept: Vec<&str> = query
            .split('&')
            .filter(|pair| {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                !words.take(key, || decoded(value))
            })
            .filter(|pair| !pair.is_empty())
            .collect();
        words.rest = if kept.is_empty() {
            before.to_owned()
        } else {
            format!("{before}?{}", kept.join("&"))
        };
    } else {
        let kept: Vec<&str> = pairs(url)
            .into_iter()
            .filter(|pair| {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                !words.take(key.trim_end(), || unquoted(value.trim_start()))
            })
            .collect();
        words.rest = kept.join(" ");
    }
    words
}

/// Puts a mode that the client library knows back in.
pub(super) fn with_mode(rest: &str, mode: &str) -> String {
    match (is_url(rest), rest.contains('?')) {
        (true, true) => format!("{rest}&sslmode={mode}"),
        (true, false) => format!("{rest}?sslmode={mode}"),
        (false, _) => format!("{rest} sslmode={mode}"),
    }
}

fn is_url(text: &str) -> bool {
    text.starts_with("postgresql://") || text.starts_with("postgres://")
}

impl Words {
    /// Whether the word was about certificates.
    fn take(&mut self, key: &str, value: impl FnOnce() -> String) -> bool {
        match key {
            "sslmode" => self.mode = Some(value()),
            "sslrootcert" => self.root = Some(value()),
            // That one the client library knows.
            "sslnegotiation" => return false,
            key if key.starts_with("ssl") => {
                self.unknown.get_or_insert_with(|| key.to_owned());
            }
            _ => return false,
        }
        true
    }
}

/// Percent-encoding undone (RFC 3986, section 2.1).
fn decoded(text: &str) -> String {
    let octets = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(octets.len()), 0);
    while at < octets.len() {
        let pair = (octets[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match pair.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(octet) => {
                out.push(octet);
                at += 3;
            }
            None => {
                out.push(octets[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The pairs of `key = 'value with spaces' key=value`, quotes and escapes left in.
fn pairs(text: &str) -> Vec<&str> {
    let (mut found, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    let mut push = |from: usize, to: usize| {
        let pair = text[from..to].trim();
        if !pair.is_empty() {
            found.push(pair);
        }
    };
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\'' => quoted = !quoted,
            c if c.is_whitespace() && !quoted && ends(&text[start..at], &text[at..]) => {
                push(start, at);
                start = at;
            }
            _ => {}
        }
    }
    push(start, text.len());
    found
}

/// Whether a pair is over at a blank, which may also stand around its sign of equality.
fn ends(pair: &str, rest: &str) -> bool {
    pair.split_once('=')
        .is_some_and(|(_, value)| !value.trim().is_empty())
        && !rest.trim_start().starts_with('=')
}

fn unquoted(value: &str) -> String {
    let inner = value
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''))
        .unwrap_or(value);
    let (mut out, mut escaped) = (String::with_capacity(inner.len()), false);
    for c in inner.chars() {
        if c == '\\' && !escaped {
            escaped = true;
        } else {
            out.push(c);
            escaped = false;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, rest: &str, mode: Option<&str>, root: Option<&str>) {
        let expected = Words {
            rest: rest.to_owned(),
            mode: mode.map(str::to_owned),
            root: root.map(str::to_owned),
            unknown: None,
        };
        assert_eq!(taken_out(url), expected, "{url}");
    }

    #[test]
    fn words_about_certificates_are_taken_out_of_both_forms() {
        let plain = "postgresql://u:p%40ss@a:1,b:2/db";
        check(plain, plain, None, None);
        check(
            &format!("{plain}?sslmode=verify-full"),
            plain,
            Some("verify-full"),
            None,
        );
        check(
            &format!(
                "{plain}?connect_timeout=3&sslmode=verify-ca&sslrootcert=%2Fetc%2Fmy%20ca.pem&options=x"
            ),
            &format!("{plain}?connect_timeout=3&options=x"),
            Some("verify-ca"),
            Some("/etc/my ca.pem"),
        );
        check(
            "host=db user = purlin password='a b\\'=c' sslmode=require sslrootcert = '/my ca.pem'",
            "host=db user = purlin password='a b\\'=c'",
            Some("require"),
            Some("/my ca.pem"),
        );
    }

    #[test]
    fn what_is_not_known_is_named() {
        let words = taken_out("postgresql://db/x?sslmode=require&sslkey=/k&sslcert=/c");
        assert_eq!(words.unknown.as_deref(), Some("sslkey"));
        assert_eq!(taken_out("host=db sslnegotiation=direct").unknown, None);
    }

    #[test]
    fn a_mode_is_put_back_in_either_form() {
        assert_eq!(
            with_mode("postgres://h/d", "prefer"),
            "postgres://h/d?sslmode=prefer"
        );
        assert_eq!(
            with_mode("postgres://h/d?a=b", "require"),
            "postgres://h/d?a=b&sslmode=require"
        );
        assert_eq!(with_mode("host=h", "disable"), "host=h sslmode=disable");
    }
}
