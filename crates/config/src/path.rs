//! Key paths: `dhcp.subnets[0].lease_time`, and `dhcp.subnets[main]` where a list item is named.

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Key(String),
    Index(usize),
    /// `[main]`: the list item with that identity.
    Item(String),
}

/// Splits a path; `None` when brackets do not match or a key is empty. Quoted keys (`"a.b"`) may hold dots.
#[must_use]
pub fn steps(path: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = path.trim();
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (item, after) = inner.split_once(']')?;
            steps.push(
                item.parse()
                    .map_or_else(|_| Step::Item(item.to_owned()), Step::Index),
            );
            rest = after;
        } else if let Some(inner) = rest.strip_prefix('"') {
            let (key, after) = inner.split_once('"')?;
            steps.push(Step::Key(key.to_owned()));
            rest = after;
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            if end == 0 {
                return None;
            }
            steps.push(Step::Key(rest[..end].to_owned()));
            rest = &rest[end..];
        }
        match rest.strip_prefix('.') {
            Some(after) if !after.is_empty() => rest = after,
            Some(_) => return None,
            None => {}
        }
    }
    Some(steps)
}

/// `base.key`, quoted when the key itself has a dot.
#[must_use]
pub fn join(base: &str, key: &str) -> String {
    let quote = if key.contains(['.', '[', '"']) { "\"" } else { "" };
    let dot = if base.is_empty() { "" } else { "." };
    format!("{base}{dot}{quote}{key}{quote}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_keys_and_items() {
        let expected = vec![
            Step::Key("a".into()),
            Step::Index(3),
            Step::Key("b".into()),
            Step::Item("10.0.0.0/8".into()),
        ];
        assert_eq!(steps("a[3].b[10.0.0.0/8]"), Some(expected));
        assert_eq!(steps("a..b"), None);
        assert_eq!(steps("a["), None);
        assert_eq!(
            steps(&join("a", "x.y")),
            Some(vec![Step::Key("a".into()), Step::Key("x.y".into())])
        );
    }
}
