//! Asks everything of a text, whatever it is; the fuzz target does the same.

use purlin_ovn_core::expr::{NoNames, lower, parse, satisfiable, unknown};

/// Never panics; what is read prints as something that reads the same.
pub(crate) fn ask_everything(text: &str) {
    match parse(text) {
        Err(fault) => {
            assert!(fault.span.start <= fault.span.end.max(text.len()));
            fault.to_string();
        }
        Ok(parsed) => {
            let printed = parsed.syntax.to_string();
            let again = parse(&printed).unwrap_or_else(|fault| panic!("`{printed}` of `{text}`\n{fault}"));
            assert_eq!(again.syntax, parsed.syntax, "`{text}`");
            assert_eq!(unknown(&parsed, &NoNames).len(), parsed.uses.len());
            if let Ok(formula) = lower(&parsed, &NoNames) {
                formula.to_string();
                satisfiable(&formula);
            }
        }
    }
}
