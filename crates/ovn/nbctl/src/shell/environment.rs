//! What the environment says, read once.

use std::path::PathBuf;

/// What the environment says.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// `OVN_NB_DB`: the database.
    pub database: Option<String>,
    /// `OVN_NB_DAEMON`: the socket of a daemon.
    pub daemon: Option<String>,
    /// `OVN_NBCTL_OPTIONS`: options before all others.
    pub options: Option<String>,
    /// `OVN_RUNDIR`: where OVN's sockets and process files are.
    pub run: Option<PathBuf>,
    /// `OVS_RUNDIR`: where those of Open vSwitch are.
    pub ovs_run: Option<PathBuf>,
    /// `OVN_LOGDIR`, else `OVS_LOGDIR`: where logs go.
    pub log: Option<PathBuf>,
}

impl Environment {
    /// Reads it.
    #[must_use]
    pub fn read() -> Self {
        let text = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
        let path = |name: &str| text(name).map(PathBuf::from);
        Self {
            database: text("OVN_NB_DB"),
            daemon: text("OVN_NB_DAEMON"),
            options: text("OVN_NBCTL_OPTIONS"),
            run: path("OVN_RUNDIR"),
            ovs_run: path("OVS_RUNDIR"),
            log: path("OVN_LOGDIR").or_else(|| path("OVS_LOGDIR")),
        }
    }

    pub(super) fn run_dir(&self) -> PathBuf {
        self.run.clone().unwrap_or_else(|| "/var/run/ovn".into())
    }

    pub(super) fn log_dir(&self) -> PathBuf {
        self.log.clone().unwrap_or_else(|| "/var/log/ovn".into())
    }

    /// The database where none is named.
    pub(super) fn default_database(&self) -> String {
        let local = || format!("unix:{}/ovnnb_db.sock", self.run_dir().display());
        self.database.clone().unwrap_or_else(local)
    }

    /// The path of a daemon's socket; a name alone is one of Open vSwitch's folder.
    pub(super) fn socket_path(&self, named: &str) -> PathBuf {
        let folder = self
            .ovs_run
            .clone()
            .unwrap_or_else(|| "/var/run/openvswitch".into());
        folder.join(named)
    }

    /// The words of `OVN_NBCTL_OPTIONS`; quotes and backslashes as in a shell.
    #[must_use]
    pub fn option_words(&self) -> Vec<String> {
        let mut words = Vec::new();
        let mut word: Option<String> = None;
        let mut quote = None;
        let mut letters = self.options.as_deref().unwrap_or_default().chars();
        while let Some(letter) = letters.next() {
            match (letter, quote) {
                (letter, Some(open)) if letter == open => quote = None,
                ('\'' | '"', None) => {
                    quote = Some(letter);
                    word.get_or_insert_default();
                }
                ('\\', None | Some('"')) => word.get_or_insert_default().extend(letters.next()),
                (letter, None) if letter.is_ascii_whitespace() => words.extend(word.take()),
                (letter, _) => word.get_or_insert_default().push(letter),
            }
        }
        words.extend(word);
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_the_environment_are_split_as_a_shell_does() {
        let environment = Environment {
            options: Some("--db=unix:x  '--columns=a b' \"c\\\"d\" e\\ f ''".to_owned()),
            ..Environment::default()
        };
        assert_eq!(
            environment.option_words(),
            ["--db=unix:x", "--columns=a b", "c\"d", "e f", ""]
        );
    }
}
