//! `${NAME}` and `${NAME:-default}` in a YAML file: replaced before it is read, so that lines stay where they are.

use std::fmt::Write;

/// Keys whose values are numbers or truth values: what stands for them is not quoted.
const PLAIN: [&str; 13] = [
    "port",
    "metrics_port",
    "enabled",
    "cluster_mode",
    "pool_size",
    "max_open_connections",
    "max_idle_connections",
    "max_connections",
    "max_retries",
    "batch_size",
    "max_concurrent",
    "heartbeat_interval",
    "node_timeout",
];

/// A variable that is not set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unset {
    pub(super) name: String,
    /// From 1.
    pub(super) line: usize,
    pub(super) column: usize,
}

/// How the text around a variable is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Around {
    Plain,
    Single,
    Double,
}

/// The text with every variable replaced, or all those that are not set.
pub(super) fn expand(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<String, Vec<Unset>> {
    let (mut out, mut unset) = (String::with_capacity(text.len()), Vec::new());
    for (number, line) in text.split_inclusive('\n').enumerate() {
        expand_line(line, number + 1, lookup, &mut out, &mut unset);
    }
    if unset.is_empty() { Ok(out) } else { Err(unset) }
}

fn expand_line(
    line: &str,
    number: usize,
    lookup: &dyn Fn(&str) -> Option<String>,
    out: &mut String,
    unset: &mut Vec<Unset>,
) {
    let mut at = 0;
    while let Some((begin, name, default, end)) = next_variable(line, at) {
        out.push_str(&line[at..begin]);
        let around = around(&line[..begin]);
        at = end;
        if around == Around::Plain && line[..begin].trim_start().starts_with('#') {
            out.push_str(&line[begin..end]);
            continue;
        }
        let found = lookup(name).filter(|value| !value.is_empty());
        match found.or_else(|| default.map(str::to_owned)) {
            Some(value) => write_value(&value, around, (&line[..begin], &line[end..]), out),
            None => unset.push(Unset {
                name: name.to_owned(),
                line: number,
                column: line[..begin].chars().count() + 1,
            }),
        }
    }
    out.push_str(&line[at..]);
}

/// Where the next `${...}` from `at` on begins, its name and default, and where it ends.
fn next_variable(line: &str, at: usize) -> Option<(usize, &str, Option<&str>, usize)> {
    let mut from = at;
    loop {
        let begin = from + line[from..].find("${")?;
        let end = begin + line[begin..].find('}')?;
        let inner = &line[begin + 2..end];
        let (name, default) = match inner.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inner, None),
        };
        let is_name = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|octet| octet.is_ascii_alphanumeric() || octet == b'_')
        };
        if is_name(name) {
            return Some((begin, name, default, end + 1));
        }
        from = begin + 2;
    }
}

fn around(before: &str) -> Around {
    let mut around = Around::Plain;
    let mut escaped = false;
    for c in before.chars() {
        around = match (around, c) {
            (Around::Double, '\\') if !escaped => {
                escaped = true;
                continue;
            }
            (Around::Plain, '"') => Around::Double,
            (Around::Plain, '\'') => Around::Single,
            (Around::Double, '"') if !escaped => Around::Plain,
            (Around::Single, '\'') => Around::Plain,
            (same, _) => same,
        };
        escaped = false;
    }
    around
}

fn write_value(value: &str, around: Around, (before, behind): (&str, &str), out: &mut String) {
    match around {
        Around::Single => out.push_str(&value.replace('\'', "''")),
        Around::Double => {
            let quoted = serde_json::Value::from(value).to_string();
            out.push_str(&quoted[1..quoted.len() - 1]);
        }
        Around::Plain if is_whole(before, behind) && !is_plain(before) => {
            // A string of JSON is one of YAML too.
            let _ = write!(out, "{}", serde_json::Value::from(value));
        }
        Around::Plain => out.push_str(value),
    }
}

/// Whether the variable is all of its value.
fn is_whole(before: &str, behind: &str) -> bool {
    let begins = matches!(
        before.trim_end().chars().next_back(),
        Some(':' | '-' | '[' | ',' | '{') | None
    ) && !before.ends_with(|c: char| !c.is_whitespace() && c != '[' && c != ',');
    let behind = behind.trim();
    begins && (behind.is_empty() || behind.starts_with(['#', ',', ']', '}']))
}

fn is_plain(before: &str) -> bool {
    let key = before.trim().trim_end_matches(':').trim_start_matches("- ");
    PLAIN.contains(&key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> Result<String, Vec<Unset>> {
        let lookup = |name: &str| match name {
            "NODE_ID" => Some("node-1".to_owned()),
            "PORT" => Some("8080".to_owned()),
            "PW" => Some("p#: \"'x".to_owned()),
            _ => None,
        };
        expand(text, &lookup)
    }

    #[test]
    fn a_value_stays_one_value_whatever_is_in_it() {
        let cases = [
            ("node_id: ${NODE_ID}\n", "node_id: \"node-1\"\n"),
            ("port: ${PORT} # mine\n", "port: 8080 # mine\n"),
            ("password: ${PW}\n", "password: \"p#: \\\"'x\"\n"),
            ("password: \"a${PW}\"\n", "password: \"ap#: \\\"'x\"\n"),
            ("password: '${PW}'\n", "password: 'p#: \"''x'\n"),
            ("url: http://${NODE_ID}:${PORT}/\n", "url: http://node-1:8080/\n"),
            ("- ${NODE_ID}\n", "- \"node-1\"\n"),
            ("a: ${GONE:-7}\n", "a: \"7\"\n"),
            ("# ${GONE}\n", "# ${GONE}\n"),
            ("a: $5 ${a b}\n", "a: $5 ${a b}\n"),
        ];
        for (text, wanted) in cases {
            assert_eq!(expanded(text).as_deref(), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn what_is_not_set_is_named_with_its_place() {
        let unset = expanded("a: 1\ncluster:\n  node_ip: ${NODE_IP}\n").expect_err("not set");
        assert_eq!(
            unset,
            [Unset {
                name: "NODE_IP".to_owned(),
                line: 3,
                column: 12
            }]
        );
    }
}
