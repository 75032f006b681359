//! Lua scripts: what must be decided and done in one step.
//!
//! Each touches the keys of one slot only, so that it runs on a single server and in a Cluster alike. A server that
//! does not know a script yet is given its text; it then knows it by its hash until it restarts.

use redis::Cmd;
use std::sync::OnceLock;

/// A script and the hash that a server knows it by.
#[derive(Debug)]
pub(crate) struct Script {
    code: &'static str,
    hash: OnceLock<String>,
}

macro_rules! scripts {
    ($($name:ident = $file:literal),* $(,)?) => {
        $(pub(crate) static $name: Script = Script::new(include_str!(concat!("scripts/", $file, ".lua")));)*
        #[cfg(test)]
        const ALL: &[(&str, &Script)] = &[$(($file, &$name)),*];
    };
}

scripts! {
    BEAT = "beat",
    BEATS = "beats",
    HUSH = "hush",
    PUT_SESSION = "put_session",
    SESSION = "session",
    SESSIONS = "sessions",
    MOVE_SESSION = "move_session",
    END_SESSION = "end_session",
    LOCK = "lock",
    EXTEND = "extend",
    UNLOCK = "unlock",
    LOCKS = "locks",
}

impl Script {
    const fn new(code: &'static str) -> Self {
        Self {
            code,
            hash: OnceLock::new(),
        }
    }

    /// The call by hash, which fails with `NOSCRIPT` where it is not known.
    pub(crate) fn by_hash(&self, keys: &[&str], arguments: &[&str]) -> Cmd {
        let hash = self
            .hash
            .get_or_init(|| redis::Script::new(self.code).get_hash().to_owned());
        call("EVALSHA", hash, keys, arguments)
    }

    /// The call with the whole text.
    pub(crate) fn by_text(&self, keys: &[&str], arguments: &[&str]) -> Cmd {
        call("EVAL", self.code, keys, arguments)
    }
}

fn call(verb: &str, script: &str, keys: &[&str], arguments: &[&str]) -> Cmd {
    let mut call = redis::cmd(verb);
    call.arg(script).arg(keys.len()).arg(keys).arg(arguments);
    call
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_says_what_its_keys_are() {
        for (name, script) in ALL {
            assert!(script.code.starts_with("-- "), "{name}");
            assert!(script.code.contains("KEYS: "), "{name}");
        }
    }
}
