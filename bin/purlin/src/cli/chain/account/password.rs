//! Where a password comes from: a file, the environment, or a person at a terminal who does not see it.

use crate::exit::Failure;
use clap::Args;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

const VARIABLE: &str = "PURLIN_CHAIN_PASSWORD";

#[derive(Debug, Args)]
pub(crate) struct Password {
    /// File whose first line is the password [else: PURLIN_CHAIN_PASSWORD, else it is asked for].
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl Password {
    /// The password of something that has one.
    pub(crate) fn ask(&self, question: &str) -> Result<String, Failure> {
        match self.given()? {
            Some(password) => Ok(password),
            None => prompt(&terminal()?, question),
        }
    }

    /// A new password, asked for twice; never an empty one.
    pub(crate) fn choose(&self) -> Result<String, Failure> {
        let password = match self.given()? {
            Some(password) => password,
            None => choose(&terminal()?)?,
        };
        if password.is_empty() {
            return Err(Failure::usage(
                "an empty password protects nothing",
                "choose another one",
            ));
        }
        Ok(password)
    }

    /// What was said without asking anybody.
    pub(crate) fn given(&self) -> Result<Option<String>, Failure> {
        match &self.password_file {
            Some(file) => read(file).map(Some),
            None => Ok(std::env::var(VARIABLE).ok()),
        }
    }
}

fn read(file: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(file).map_err(|cause| {
        let what = format!("cannot read the password in {}: {cause}", file.display());
        Failure::failed(what, "check --password-file and the file's permissions")
    })?;
    // Without the end of its line, which editors add.
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// The terminal of whoever runs the command, even where standard input is a file.
fn terminal() -> Result<File, Failure> {
    let opened = File::options().read(true).write(true).open("/dev/tty");
    opened.map_err(|_| {
        Failure::usage(
            "there is no password, and no terminal to ask for one",
            format!("give --password-file FILE, or set {VARIABLE}"),
        )
    })
}

fn choose(terminal: &File) -> Result<String, Failure> {
    let first = prompt(terminal, "New password")?;
    if prompt(terminal, "The same again")? == first {
        return Ok(first);
    }
    Err(Failure::failed("the two passwords differ", "try again"))
}

/// Asks; what is typed is not shown.
fn prompt(mut terminal: &File, question: &str) -> Result<String, Failure> {
    let quiet = Quiet::begin(terminal)?;
    write!(terminal, "{question}: ")?;
    let typed = typed(&mut terminal);
    drop(quiet);
    writeln!(terminal)?;
    let octets = typed?.ok_or_else(|| Failure::failed("no password was typed", ""))?;
    String::from_utf8(octets).map_err(|_| Failure::failed("the password is not UTF-8 text", "try again"))
}

/// A terminal that shows nothing and hands over every key, until this is dropped. Ctrl-C comes as an octet too, so that
/// it cannot end the process while nothing is shown.
struct Quiet<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Quiet<'a> {
    fn begin(terminal: &'a File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut quiet = before.clone();
        quiet
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
        quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(terminal, OptionalActions::Flush, &quiet)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        // A terminal that has gone away needs no repair.
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
}

/// A line as it is typed, with the keys that correct it; `None` when it was given up.
fn typed(keys: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    const CTRL_C: u8 = 3;
    const CTRL_D: u8 = 4;
    const CTRL_U: u8 = 21;
    const BACKSPACE: u8 = 8;
    const DELETE: u8 = 127;
    let mut line = Vec::new();
    loop {
        let mut key = [0];
        if keys.read(&mut key)? == 0 {
            return Ok(None);
        }
        match key[0] {
            b'\r' | b'\n' => return Ok(Some(line)),
            CTRL_C => return Ok(None),
            CTRL_D => return Ok((!line.is_empty()).then_some(line)),
            CTRL_U => line.clear(),
            BACKSPACE | DELETE => {
                // A character of UTF-8 may be several octets.
                while line.pop().is_some_and(|octet| octet & 0xc0 == 0x80) {}
            }
            octet => line.push(octet),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    fn line(keys: &str) -> Option<String> {
        let typed = typed(&mut keys.as_bytes()).unwrap()?;
        Some(String::from_utf8(typed).unwrap())
    }

    #[test]
    fn a_line_is_corrected_as_it_is_typed() {
        assert_eq!(line("geheim\nrest").as_deref(), Some("geheim"));
        assert_eq!(line("ab\u{7f}c\r").as_deref(), Some("ac"));
        assert_eq!(line("aü\u{7f}b\r").as_deref(), Some("ab"));
        assert_eq!(line("\u{7f}a\r").as_deref(), Some("a"));
        assert_eq!(line("wrong\u{15}right\n").as_deref(), Some("right"));
        assert_eq!(line("\n").as_deref(), Some(""));
        for given_up in ["secret\u{3}", "\u{4}", "cut off"] {
            assert_eq!(line(given_up), None, "{given_up:?}");
        }
    }

    /// Both ends of a terminal: what a person sees and types, and what the program has.
    fn pair() -> (File, File) {
        let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&person).unwrap();
        unlockpt(&person).unwrap();
        let name = ptsname(&person, Vec::new()).unwrap();
        let program = File::options()
            .read(true)
            .write(true)
            .open(name.to_str().unwrap())
            .unwrap();
        (person.into(), program)
    }

    /// Waits for a question and answers it; all that was shown until then.
    fn answer(mut person: &File, question: &str, password: &str) -> String {
        let mut shown = String::new();
        while !shown.contains(question) {
            let mut octets = [0; 64];
            let count = person.read(&mut octets).unwrap();
            shown.push_str(std::str::from_utf8(&octets[..count]).unwrap());
        }
        writeln!(person, "{password}").unwrap();
        shown
    }

    #[test]
    fn a_password_is_typed_twice_and_never_shown() {
        let (mut person, program) = pair();
        let before = tcgetattr(&program).unwrap().local_modes;
        assert!(before.contains(LocalModes::ECHO));
        let asked = std::thread::spawn(move || {
            let chosen = choose(&program);
            let after = tcgetattr(&program).unwrap().local_modes;
            let mut out = &program;
            writeln!(out, "end of it").unwrap();
            (chosen, after, program)
        });
        let mut shown = answer(&person, "New password: ", "geheim");
        shown += &answer(&person, "The same again: ", "geheim");
        let (chosen, after, _program) = asked.join().unwrap();
        assert_eq!(chosen.unwrap(), "geheim");
        assert_eq!(after, before, "the terminal shows what is typed again");
        let mut octets = [0; 256];
        let count = person.read(&mut octets).unwrap();
        shown += std::str::from_utf8(&octets[..count]).unwrap();
        assert!(!shown.contains("geheim"), "{shown}");
    }

    #[test]
    fn two_passwords_that_differ_are_none() {
        let (person, program) = pair();
        let asked = std::thread::spawn(move || choose(&program));
        answer(&person, "New password: ", "a");
        answer(&person, "The same again: ", "b");
        let failure = asked.join().unwrap().unwrap_err();
        assert!(failure.what.contains("differ"), "{failure}");
    }

    #[test]
    fn the_first_line_of_a_file_is_the_password() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("password");
        std::fs::write(&file, "a b \r\nsecond\n").unwrap();
        let password = Password {
            password_file: Some(file.clone()),
        };
        assert_eq!(password.choose().unwrap(), "a b ");
        std::fs::write(&file, "\n").unwrap();
        assert!(password.choose().is_err());
    }
}
