//! What a program says besides its output: lines that go to its log, and from a certain weight on to standard error.

/// How much it weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing is said.
    Off,
    /// Emergency.
    Emer,
    /// Something went wrong.
    Err,
    /// Something may be wrong.
    Warn,
    /// What happens.
    Info,
    /// Everything.
    Dbg,
}

impl Level {
    /// By its name in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let all = [
            ("off", Self::Off),
            ("emer", Self::Emer),
            ("err", Self::Err),
            ("warn", Self::Warn),
            ("info", Self::Info),
            ("dbg", Self::Dbg),
        ];
        let known = all.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        known.map(|(_, level)| level)
    }

    /// As log lines write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "OFF",
            Self::Emer => "EMER",
            Self::Err => "ERR",
            Self::Warn => "WARN",
            Self::Info => "INFO",
            Self::Dbg => "DBG",
        }
    }
}

/// Something to say besides the output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The part of the program that says it.
    pub module: &'static str,
    /// How much it weighs.
    pub level: Level,
    /// What it says.
    pub text: String,
}

impl Warning {
    /// Something may be wrong.
    #[must_use]
    pub fn warn(module: &'static str, text: impl Into<String>) -> Self {
        Self {
            module,
            level: Level::Warn,
            text: text.into(),
        }
    }

    /// Something is wrong.
    #[must_use]
    pub fn error(module: &'static str, text: impl Into<String>) -> Self {
        Self {
            level: Level::Err,
            ..Self::warn(module, text)
        }
    }
}
