//! Lines that are no output: to standard error from a certain weight on, and to a log file where one is wanted.

use crate::warning::{Level, Warning};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

/// What is said, and where.
#[derive(Debug, Clone)]
pub struct Verbosity {
    console: Level,
    file: Level,
    /// Other levels for parts of the program.
    modules: BTreeMap<String, Level>,
}

impl Default for Verbosity {
    fn default() -> Self {
        Self {
            console: Level::Warn,
            file: Level::Info,
            modules: BTreeMap::new(),
        }
    }
}

impl Verbosity {
    /// Reads a `-v` argument: words of a module, a destination, a level; none of them means everything.
    ///
    /// # Errors
    /// A word that is neither a destination nor a level, where a level is given.
    pub fn set(&mut self, text: Option<&str>) -> Result<(), String> {
        let (mut module, mut place, mut level) = (None, None, None);
        for word in text
            .unwrap_or("dbg")
            .split([' ', ',', ':'])
            .filter(|word| !word.is_empty())
        {
            match (Level::parse(word), word) {
                (Some(known), _) => level = Some(known),
                (None, "console" | "file" | "syslog") => place = Some(word),
                (None, "ANY" | "any") => {}
                (None, word) => module = Some(word.to_owned()),
            }
        }
        let level = level.unwrap_or(Level::Dbg);
        match (module, place) {
            (Some(module), _) => drop(self.modules.insert(module, level)),
            (None, Some("console")) => self.console = level,
            (None, Some("file")) => self.file = level,
            (None, Some(_)) => {}
            (None, None) => (self.console, self.file) = (level, level),
        }
        Ok(())
    }

    fn wants(&self, warning: &Warning, by_default: Level) -> bool {
        let level = self.modules.get(warning.module).copied().unwrap_or(by_default);
        warning.level <= level
    }
}

/// Where lines go.
#[derive(Debug)]
pub struct Log {
    verbosity: Verbosity,
    console: Option<String>,
    file: Option<File>,
    count: u32,
    name: String,
}

impl Log {
    /// For standard error: lines are kept until someone takes them.
    #[must_use]
    pub fn console(name: &str, verbosity: Verbosity) -> Self {
        Self {
            verbosity,
            console: Some(String::new()),
            file: None,
            count: 0,
            name: name.to_owned(),
        }
    }

    /// To a file too.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open(&mut self, path: &Path) -> std::io::Result<()> {
        self.file = Some(OpenOptions::new().create(true).append(true).open(path)?);
        self.say(&Warning {
            level: Level::Info,
            ..Warning::warn("vlog", format!("opened log file {}", path.display()))
        });
        Ok(())
    }

    /// To a file alone, or nowhere.
    #[must_use]
    pub fn quiet(name: &str, verbosity: Verbosity) -> Self {
        Self {
            console: None,
            ..Self::console(name, verbosity)
        }
    }

    /// With another verbosity.
    pub fn set(&mut self, verbosity: Verbosity) {
        self.verbosity = verbosity;
    }

    /// The lines for standard error.
    pub fn take(&mut self) -> String {
        self.console.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// By which name the program speaks of itself.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Says something, where it is wanted.
    pub fn say(&mut self, warning: &Warning) {
        let console = self.console.is_some() && self.verbosity.wants(warning, self.verbosity.console);
        let file = self.file.is_some() && self.verbosity.wants(warning, self.verbosity.file);
        if !console && !file {
            return;
        }
        self.count += 1;
        let now = jiff::Timestamp::now();
        let rest = format!(
            "|{:05}|{}|{}|{}",
            self.count,
            warning.module,
            warning.level.name(),
            warning.text
        );
        if let Some(lines) = self.console.as_mut().filter(|_| console) {
            let _ = writeln!(lines, "{}{rest}", now.strftime("%Y-%m-%dT%H:%M:%SZ"));
        }
        if let Some(log) = self.file.as_mut().filter(|_| file) {
            // A log that cannot be written is no reason to refuse the work.
            let _ = writeln!(log, "{}{rest}", now.strftime("%Y-%m-%dT%H:%M:%S.%3fZ"));
        }
    }
}
