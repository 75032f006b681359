//! No document makes the reader panic.

use super::checked;
use proptest::prelude::*;

const KEYS: &[&str] = &[
    "listen",
    "root",
    "links",
    "ports",
    "affinity",
    "threads",
    "remap",
    "rules",
    "templates",
    "classes",
    "uploads",
    "cache",
    "http",
    "io",
    "timing",
    "limits",
    "batch",
    "datacenter",
    "enabled",
    "mtu",
];
const VALUES: &[&str] = &[
    "\"10.0.0.1:69\"",
    "[\"10.0.0.1:0\"]",
    "\"/\"",
    "\"\"",
    "\"..\"",
    "0",
    "-1",
    "[]",
    "{}",
    "[{}]",
    "[[]]",
    "true",
    "0.5",
    "\"1-0\"",
    "\"r (\"",
    "\"rg a aa\\nr \\\\\"",
    "[{ pattern = \"(\", replace = \"\\\\9\" }]",
    "[{ name = \"{\", text = \"{{\" }]",
    "[{ name = \"*\", text = \"{{|}}\" }]",
    "[{ name = \"a\", file = \"[\" }]",
    "{ allow = [\"**\", \"{mac}\", \"\"] }",
    "{ size_max = \"99999999999Ti\" }",
    "{ performance = { memory = { buffer_size = 1024 } }, limits = 1 }",
    "{ first = \"1s\", longest = 0.01 }",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_mix_of_keys_and_values_panics(
        lines in proptest::collection::btree_map(prop::sample::select(KEYS), prop::sample::select(VALUES), 0..8),
    ) {
        let body: String = lines.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
        let _ = checked("a.toml", &format!("[tftp]\n{body}"));
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,40}", odd in "[(){}|\\\\*?a-c0-9{}/\\n ]{0,24}") {
        for text in [text.replace('\'', ""), odd] {
            let _ = checked("a.toml", &format!(
                "[tftp]\nremap = '''{text}'''\nports = '''{text}'''\n[[tftp.rules]]\npattern = '''{text}'''\nreplace = '''{text}'''\n\
                 [[tftp.templates]]\nname = '''{text}'''\ntext = '''{text}'''\n[[boot.profiles]]\nname = '''{text}'''\nfile = '''{text}'''\n"));
        }
    }
}
