//! What test binaries print, line by line.

use super::Tally;

/// Counts results; remembers which tests failed.
#[derive(Debug, Default)]
pub(super) struct Watcher {
    tally: Tally,
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
        if let Some(result) = line.strip_prefix("test result: ") {
            self.tally.passed += count(result, " passed");
            self.tally.failed += count(result, " failed");
            self.tally.skipped += count(result, " ignored");
            return true;
        }
        !(line.is_empty() || line.starts_with("running ") || passed(line))
    }

    pub(super) fn tally(self) -> Tally {
        self.tally
    }
}

fn passed(line: &str) -> bool {
    line.starts_with("test ") && line.ends_with(" ... ok")
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
        assert_eq!(watcher.tally(), expected);
    }

    #[test]
    fn passing_tests_are_quiet_and_failures_are_not() {
        let mut watcher = Watcher::default();
        assert!(!watcher.line("test a::b ... ok"));
        assert!(watcher.line("test a::c ... FAILED"));
        assert!(watcher.line("thread 'a::c' panicked at src/a.rs:3:5:"));
    }
}
