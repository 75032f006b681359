//! What a command is: its name, its arguments, what of the database it looks at, and the function that runs it.

use crate::context::Context;
use crate::needs::Needs;
use std::collections::BTreeMap;

/// Whether a command may change something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It only looks.
    Reads,
    /// It may change something.
    Writes,
}

/// What of the database a command looks at.
#[derive(Debug, Clone, Copy)]
pub enum Looks {
    /// Always the same: `Table column column; Table column`.
    At(&'static str),
    /// The same; of a table with a number behind it (`Table#1`) only the row that this argument names.
    Named(&'static str),
    /// The same where this holds of the command; else all rows.
    NamedIf(&'static str, fn(&Command) -> bool),
    /// What its arguments say.
    AsTold(fn(&Command, &mut Needs) -> Result<(), String>),
}

/// A command that there is.
#[derive(Debug)]
pub struct Syntax {
    /// Its name.
    pub name: &'static str,
    /// Least number of arguments.
    pub min: usize,
    /// Greatest number of arguments.
    pub max: usize,
    /// Its arguments, for people.
    pub arguments: &'static str,
    /// Its options: `--flag,--key=,--maybe?`.
    pub options: &'static str,
    /// Whether it may change something.
    pub mode: Mode,
    /// What it looks at.
    pub looks: Looks,
    /// Runs it.
    pub run: fn(&mut Context<'_, '_>) -> Result<(), String>,
}

impl Syntax {
    /// A command that may write and has no options: what most of them begin with.
    #[must_use]
    pub const fn new(
        name: &'static str,
        arguments: &'static str,
        (min, max): (usize, usize),
        looks: Looks,
        run: fn(&mut Context<'_, '_>) -> Result<(), String>,
    ) -> Self {
        Self {
            name,
            min,
            max,
            arguments,
            options: "",
            mode: Mode::Writes,
            looks,
            run,
        }
    }
}

/// As many arguments as one likes.
pub const MANY: usize = usize::MAX;

/// A command as it was typed.
#[derive(Debug, Clone)]
pub struct Command {
    /// Which one.
    pub syntax: &'static Syntax,
    /// Its options with their values.
    pub options: BTreeMap<String, Option<String>>,
    /// Its name and arguments.
    pub argv: Vec<String>,
}

impl Command {
    /// Whether an option was given.
    #[must_use]
    pub fn has(&self, option: &str) -> bool {
        self.options.contains_key(option)
    }

    /// An option's value.
    #[must_use]
    pub fn option(&self, option: &str) -> Option<&str> {
        self.options.get(option)?.as_deref()
    }
}

/// Whether any of them may change something.
#[must_use]
pub fn may_write(commands: &[Command]) -> bool {
    commands.iter().any(|command| command.syntax.mode == Mode::Writes)
}

impl Syntax {
    /// What may follow an option of this name: `=` a value, `?` perhaps a value, a space nothing; `None` where there is
    /// no such option.
    #[must_use]
    pub fn takes(&self, option: &str) -> Option<char> {
        let known = self
            .options
            .split(',')
            .find_map(|known| known.strip_prefix(option));
        match known?.chars().next() {
            None => Some(' '),
            Some(end @ ('=' | '?')) => Some(end),
            Some(_) => None,
        }
    }
}
