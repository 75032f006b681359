//! Conditions of a request (RFC 9110, section 13): what the client knows of the file, against the file as it is.

use axum::http::{HeaderMap, HeaderName, header};
use std::time::{SystemTime, UNIX_EPOCH};

/// The conditions of one request.
#[derive(Debug, Clone, Default)]
pub(super) struct Conditions {
    if_match: Option<String>,
    if_none_match: Option<String>,
    /// Seconds since the Unix epoch.
    if_modified_since: Option<u64>,
    if_unmodified_since: Option<u64>,
}

/// What the conditions leave of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Serve,
    /// 304: the client has it.
    NotModified,
    /// 412: it is not what the client took it for.
    Failed,
}

impl Conditions {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        Self {
            if_match: list(headers, header::IF_MATCH),
            if_none_match: list(headers, header::IF_NONE_MATCH),
            if_modified_since: date(headers, header::IF_MODIFIED_SINCE),
            if_unmodified_since: date(headers, header::IF_UNMODIFIED_SINCE),
        }
    }

    /// The order is that of section 13.2.2: tags say more than dates, so a date beside a tag is not looked at.
    /// `modified` is in milliseconds since the Unix epoch; dates of HTTP have seconds.
    pub(super) fn weigh(&self, tag: &str, modified: u64) -> Verdict {
        let modified = modified / 1000;
        let meant = match (&self.if_match, self.if_unmodified_since) {
            (Some(tags), _) => names_strongly(tags, tag),
            (None, Some(since)) => modified <= since,
            (None, None) => true,
        };
        if !meant {
            return Verdict::Failed;
        }
        let known = match (&self.if_none_match, self.if_modified_since) {
            (Some(tags), _) => names(tags, tag),
            (None, Some(since)) => modified <= since,
            (None, None) => false,
        };
        if known {
            Verdict::NotModified
        } else {
            Verdict::Serve
        }
    }
}

/// All lines of a list as one (section 5.3).
fn list(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.map(str::to_owned).reduce(|all, line| all + "," + &line)
}

/// One date in any of HTTP's three forms; two, or what is none, are as good as nothing (sections 13.1.3 and 13.1.4).
fn date(headers: &HeaderMap, name: HeaderName) -> Option<u64> {
    let mut lines = headers.get_all(name).iter();
    let (line, None) = (lines.next()?, lines.next()) else {
        return None;
    };
    let at: SystemTime = httpdate::parse_http_date(line.to_str().ok()?).ok()?;
    at.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
}

/// Whether a list of tags names this one; weak comparison, as section 13.1.2 has it.
fn names(list: &str, tag: &str) -> bool {
    list.split(',')
        .map(|item| item.trim().trim_start_matches("W/"))
        .any(|item| item == "*" || item == tag)
}

/// The same with strong comparison (section 13.1.1): a weak tag is never the same.
fn names_strongly(list: &str, tag: &str) -> bool {
    list.split(',')
        .map(str::trim)
        .any(|item| item == "*" || item == tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    /// 1994-11-06 08:49:37.5, of which HTTP sees whole seconds.
    const MODIFIED: u64 = 784_111_777_500;
    const THEN: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";

    fn verdict(lines: &[(&'static str, &'static str)]) -> Verdict {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_static(value));
        }
        Conditions::of(&headers).weigh("\"b\"", MODIFIED)
    }

    #[test]
    fn tags_are_found_in_lists() {
        assert!(names("\"a\", W/\"b\"", "\"b\"") && names("*", "\"b\""));
        assert!(!names("\"a\"", "\"b\""));
        assert!(!names_strongly("W/\"b\"", "\"b\"") && names_strongly("\"a\",\"b\"", "\"b\""));
    }

    #[test]
    fn several_lines_are_one_list() {
        let lines = [("if-none-match", "\"a\""), ("if-none-match", "\"b\"")];
        assert_eq!(verdict(&lines), Verdict::NotModified);
        assert_eq!(verdict(&lines[..1]), Verdict::Serve);
    }

    #[test]
    fn dates_are_weighed_by_the_second_in_each_of_their_forms() {
        for then in [THEN, "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(
                verdict(&[("if-modified-since", then)]),
                Verdict::NotModified,
                "{then}"
            );
            assert_eq!(
                verdict(&[("if-unmodified-since", then)]),
                Verdict::Serve,
                "{then}"
            );
        }
        assert_eq!(verdict(&[("if-modified-since", BEFORE)]), Verdict::Serve);
        assert_eq!(verdict(&[("if-unmodified-since", BEFORE)]), Verdict::Failed);
        for none in ["yesterday", "784111777"] {
            assert_eq!(verdict(&[("if-modified-since", none)]), Verdict::Serve, "{none}");
            assert_eq!(
                verdict(&[("if-unmodified-since", none)]),
                Verdict::Serve,
                "{none}"
            );
        }
        let twice = [("if-modified-since", THEN), ("if-modified-since", THEN)];
        assert_eq!(verdict(&twice), Verdict::Serve);
    }

    #[test]
    fn tags_go_before_dates_and_meant_before_known() {
        for (lines, expected) in [
            (
                [("if-none-match", "\"a\""), ("if-modified-since", THEN)],
                Verdict::Serve,
            ),
            (
                [("if-none-match", "\"b\""), ("if-modified-since", BEFORE)],
                Verdict::NotModified,
            ),
            (
                [("if-match", "\"b\""), ("if-unmodified-since", BEFORE)],
                Verdict::Serve,
            ),
            (
                [("if-match", "\"a\""), ("if-unmodified-since", THEN)],
                Verdict::Failed,
            ),
            (
                [("if-match", "\"a\""), ("if-none-match", "\"b\"")],
                Verdict::Failed,
            ),
            ([("if-match", "*"), ("if-none-match", "*")], Verdict::NotModified),
            (
                [("if-unmodified-since", BEFORE), ("if-none-match", "\"b\"")],
                Verdict::Failed,
            ),
        ] {
            assert_eq!(verdict(&lines), expected, "{lines:?}");
        }
    }
}
