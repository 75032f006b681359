//! The configuration file, as `purlin config check` sees it.

use super::Finding;
use crate::settings::{self, Settings};
use purlin_config::Faults;
use std::path::Path;

const CHECK: &str = "config";

/// Checks the file; the settings come back when they are good.
pub(super) fn check(file: &Path) -> (Finding, Option<Settings>) {
    let shown = file.display();
    let mut faults = Faults::new();
    let mut document = match settings::parse_file(file, &mut faults) {
        Ok(document) => document,
        Err(failure) => return (Finding::fail(CHECK, failure.what, failure.fix), None),
    };
    settings::overlay_environment(&mut document, &mut faults);
    let checked = if faults.has_errors() {
        None
    } else {
        settings::check(&document, &mut faults)
    };
    let finding = match (&checked, faults.is_empty()) {
        (Some(_), true) => Finding::pass(CHECK, format!("{shown} has no faults")),
        (Some(_), false) => Finding::warn(
            CHECK,
            format!("{shown}: {}", faults.summary()),
            format!("purlin config check {shown}"),
        ),
        (None, _) => Finding::fail(
            CHECK,
            format!("{shown}: {}", faults.summary()),
            format!("purlin config check {shown}"),
        ),
    };
    (finding, checked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Grade;

    #[test]
    fn a_faulty_file_fails_and_names_the_command_that_tells_more() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("c.toml");
        std::fs::write(&file, "[dhpc]\n").unwrap();
        let (finding, checked) = check(&file);
        assert_eq!(finding.grade, Grade::Fail);
        assert!(finding.fix.starts_with("purlin config check"), "{}", finding.fix);
        assert!(checked.is_none());
    }
}
