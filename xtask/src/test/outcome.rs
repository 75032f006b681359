//! What test binaries print, line by line.

use super::Tally;
use std::process::ExitStatus;

/// What came of a program.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) tally: Tally,
    /// The tests that it had passed when it was ended because it hung: the others are not judged yet.
    pub(super) hung_after: Option<Vec<String>>,
}

/// Counts results; remembers which tests failed.
#[derive(Debug, Default)]
pub(super) struct Watcher {
    tally: Tally,
    /// Those of which no sum has told yet.
    passed: Vec<String>,
    /// Those that run for long.
    slow: Vec<String>,
}

impl Watcher {
    /// Takes a line; `false` when it says nothing that a reader needs (a test that passed, an empty line).
    pub(super) fn line(&mut self, line: &str) -> bool {
        if let Some(name) = line
            .strip_prefix("test ")
            .and_then(|rest| rest.strip_suffix(" ... FAILED"))
        {
            self.tally.faults.push(name.to_owned());
            return true;
        }
        if let Some(name) = passed(line) {
            self.passed.push(name.to_owned());
            return false;
        }
        if let Some(name) = slow(line) {
            self.slow.push(name.to_owned());
            return true;
        }
        if let Some(result) = line.strip_prefix("test result: ") {
            self.passed.clear();
            self.tally.passed += count(result, " passed");
            self.tally.failed += count(result, " failed");
            self.tally.skipped += count(result, " ignored");
            return true;
        }
        !(line.is_empty() || line.starts_with("running "))
    }

    /// The program has ended by itself.
    pub(super) fn ended(mut self, name: &str, status: ExitStatus) -> Outcome {
        if !status.success() && self.tally.failed == 0 {
            self.tally.failed = 1;
            self.tally.faults.push(format!("{name} ended with {status}"));
        }
        Outcome {
            tally: self.tally,
            hung_after: None,
        }
    }

    /// The program hung, and was ended: that is one failure, besides those that it told.
    pub(super) fn hung(mut self, name: &str) -> Outcome {
        let over = |name: &String| self.passed.contains(name) || self.tally.faults.contains(name);
        let slow: Vec<&str> = self
            .slow
            .iter()
            .filter(|name| !over(name))
            .map(String::as_str)
            .collect();
        let within = if slow.is_empty() {
            String::new()
        } else {
            format!(" in {}", slow.join(", "))
        };
        let fault = format!("{name} hangs{within}");
        self.tally.passed += self.passed.len() as u64;
        self.tally.faults.push(fault);
        // No sum has told of them.
        self.tally.failed = self.tally.faults.len() as u64;
        Outcome {
            tally: self.tally,
            hung_after: Some(self.passed),
        }
    }
}

fn passed(line: &str) -> Option<&str> {
    line.strip_prefix("test ")?.strip_suffix(" ... ok")
}

fn slow(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("test ")?;
    Some(rest.split_once(" has been running for over ")?.0)
}

/// The number before `word` in `ok. 3 passed; 0 failed; ...`.
fn count(result: &str, word: &str) -> u64 {
    let part = result
        .split([';', '.'])
        .find_map(|part| part.trim_end().strip_suffix(word));
    part.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_all_binaries_are_summed() {
        let mut watcher = Watcher::default();
        for line in [
            "running 2 tests",
            "test a::b ... ok",
            "test a::c ... FAILED",
            "test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "test result: ok. 7 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.01s",
        ] {
            watcher.line(line);
        }
        let expected = Tally {
            passed: 8,
            failed: 1,
            skipped: 2,
            faults: vec!["a::c".to_owned()],
        };
        assert_eq!(watcher.ended("it", ExitStatus::default()).tally, expected);
    }

    #[test]
    fn a_program_that_hangs_names_the_test_and_what_it_had_passed() {
        let mut watcher = Watcher::default();
        for line in [
            "running 4 tests",
            "test quick ... ok",
            "test slow has been running for over 60 seconds",
            "test stuck has been running for over 60 seconds",
            "test wrong ... FAILED",
            "test slow ... ok",
        ] {
            watcher.line(line);
        }
        let expected = Outcome {
            tally: Tally {
                passed: 2,
                failed: 2,
                skipped: 0,
                faults: vec!["wrong".to_owned(), "it hangs in stuck".to_owned()],
            },
            hung_after: Some(vec!["quick".to_owned(), "slow".to_owned()]),
        };
        assert_eq!(watcher.hung("it"), expected);
    }

    #[test]
    fn passing_tests_are_quiet_and_failures_are_not() {
        let mut watcher = Watcher::default();
        assert!(!watcher.line("test a::b ... ok"));
        assert!(watcher.line("test a::c ... FAILED"));
        assert!(watcher.line("thread 'a::c' panicked at src/a.rs:3:5:"));
    }
}
