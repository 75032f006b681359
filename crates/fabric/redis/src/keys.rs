//! Names of keys and channels. All start with the prefix.
//!
//! ```text
//!   {prefix}{beat}            set of nodes          {prefix}{beat}:NODE    hash: inc, body
//!   {prefix}{sess}            sorted set of ids     {prefix}{sess}:ID      hash: node, user, gen, cursor
//!   {prefix}{lock}            sorted set of names   {prefix}{lock}:NAME    string: token
//!   {prefix}kept:KEY          string                {prefix}channel:NAME   (pub/sub)
//! ```
//!
//! The braces around beat, sess and lock are written as they stand: in a Cluster they put an index and all its rows
//! into one slot, so that one script sees both. Those are small and rarely written; kept values, which are many,
//! spread over all slots.

/// Names under one prefix.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    prefix: String,
}

impl Keys {
    pub(crate) fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
        }
    }

    pub(crate) fn beats(&self) -> String {
        format!("{}{{beat}}", self.prefix)
    }

    pub(crate) fn sessions(&self) -> String {
        format!("{}{{sess}}", self.prefix)
    }

    pub(crate) fn locks(&self) -> String {
        format!("{}{{lock}}", self.prefix)
    }

    pub(crate) fn kept(&self, key: &str) -> String {
        format!("{}kept:{key}", self.prefix)
    }

    /// The pattern that finds kept keys: the prefix is text, only the caller's part is a pattern.
    pub(crate) fn kept_pattern(&self, pattern: &str) -> String {
        let mut whole = String::with_capacity(self.prefix.len() + pattern.len() + 8);
        for c in self.prefix.chars() {
            if matches!(c, '*' | '?' | '[' | ']' | '\\' | '^' | '-') {
                whole.push('\\');
            }
            whole.push(c);
        }
        whole + "kept:" + pattern
    }

    pub(crate) fn channel(&self, name: &str) -> String {
        format!("{}channel:{name}", self.prefix)
    }

    /// The caller's name of a channel that came with a message.
    pub(crate) fn channel_name<'a>(&self, full: &'a str) -> Option<&'a str> {
        full.strip_prefix(self.prefix.as_str())?.strip_prefix("channel:")
    }
}

/// The row of an index.
pub(crate) fn row(index: &str, id: &str) -> String {
    format!("{index}:{id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_and_its_rows_share_a_slot() {
        let keys = Keys::new("ovncp:node1:");
        for index in [keys.beats(), keys.sessions(), keys.locks()] {
            for id in ["a", "b{c}d", "}{", ""] {
                let slots = [&index, &row(&index, id)].map(redis::cluster_routing::Slot::for_key);
                assert_eq!(slots[0], slots[1], "{index} {id}");
            }
        }
    }

    #[test]
    fn a_prefix_is_text_also_in_patterns() {
        let keys = Keys::new("a*[b]:");
        assert_eq!(keys.kept("switch:1"), "a*[b]:kept:switch:1");
        assert_eq!(keys.kept_pattern("switch:*"), "a\\*\\[b\\]:kept:switch:*");
    }

    #[test]
    fn a_channel_is_known_by_its_own_name() {
        let keys = Keys::new("p:");
        assert_eq!(keys.channel_name(&keys.channel("x:y")), Some("x:y"));
        assert_eq!(keys.channel_name("other:channel:x"), None);
    }
}
