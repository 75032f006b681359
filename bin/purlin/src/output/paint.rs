//! Colour, only where a person looks at it and did not refuse it (`NO_COLOR`, `TERM=dumb`).

use std::io::IsTerminal;

/// What a word means, not how it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Warning,
    Bad,
    Strong,
    Faint,
}

/// Whether to colour.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint(bool);

impl Paint {
    pub(crate) fn stdout() -> Self {
        Self(std::io::stdout().is_terminal() && allowed())
    }

    pub(crate) fn stderr() -> Self {
        Self(std::io::stderr().is_terminal() && allowed())
    }

    #[cfg(test)]
    pub(crate) fn off() -> Self {
        Self(false)
    }

    /// Whether somebody looks, which also turns times into distances.
    pub(crate) fn is_on(self) -> bool {
        self.0
    }

    pub(crate) fn text(self, tone: Tone, text: &str) -> String {
        if !self.0 {
            return text.to_owned();
        }
        let code = match tone {
            Tone::Good => "32",
            Tone::Warning => "33",
            Tone::Bad => "31",
            Tone::Strong => "1",
            Tone::Faint => "2",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// See <https://no-color.org>: set and not empty means no colour.
fn allowed() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    !refused && !dumb
}
