//! What patterns and replacements promise.

use super::*;
use proptest::prelude::*;
use purlin_types::Mac;

const MAC: Mac = Mac([2, 0, 0, 0, 0xab, 1]);

fn client() -> Client<'static> {
    Client {
        address: "192.0.2.169".parse().unwrap(),
        mac: Some(&MAC),
    }
}

fn replaced(pattern: &str, with: &str, name: &str, all: bool) -> Option<String> {
    let pattern = Pattern::parse(pattern, false).expect("the pattern of a test is good");
    pattern.replace(name, &Replacement::parse(with), &client(), all)
}

#[test]
fn marks_of_a_replacement_have_the_meaning_of_tftpd_hpa() {
    let cases = [
        ("^/", "", "/a/b", "a/b"),
        ("^[^/]", "/tftpboot/\\0", "x/y", "/tftpboot/x/y"),
        ("^(.*)/(.*)$", "\\2-\\1", "a/b", "b-a"),
        ("^", "\\i/", "f", "192.0.2.169/f"),
        ("^", "\\x.cfg/", "f", "C00002A9.cfg/f"),
        ("^", "\\m/", "f", "02-00-00-00-ab-01/f"),
        ("^", "\\U\\m\\E/", "f", "02-00-00-00-AB-01/f"),
        ("^(.)(.*)$", "\\U\\1\\E\\L\\2", "bOOT", "Boot"),
        ("a", "\\\\\\#\\ \\q", "a", "\\# q"),
        ("a(x)?", "<\\1>", "a", "<>"),
        ("b", "\\", "abc", "a\\c"),
    ];
    for (pattern, with, name, expected) in cases {
        assert_eq!(
            replaced(pattern, with, name, false).as_deref(),
            Some(expected),
            "{pattern} {with}"
        );
    }
    let v6 = Client {
        address: "2001:db8::1".parse().unwrap(),
        mac: None,
    };
    let pattern = Pattern::parse("^", false).unwrap();
    let made = pattern.replace("f", &Replacement::parse("\\x/\\m"), &v6, false);
    assert_eq!(made.as_deref(), Some("20010DB8000000000000000000000001/f"));
}

#[test]
fn one_match_or_all_are_replaced() {
    assert_eq!(replaced("\\\\", "/", "a\\b\\c", false).as_deref(), Some("a/b\\c"));
    assert_eq!(replaced("\\\\", "/", "a\\b\\c", true).as_deref(), Some("a/b/c"));
    assert_eq!(replaced("x", "y", "abc", true), None);
    assert_eq!(replaced("^abc$", "", "abc", false).as_deref(), Some(""));
    assert_eq!(replaced("q*", "", "abc", false).as_deref(), Some("abc"));
}

#[test]
fn a_bad_pattern_is_shown_where_it_goes_wrong() {
    let at = |text: &str| Pattern::parse(text, false).unwrap_err().at;
    assert_eq!(at("a(b)(c"), Some((4, 2)));
    assert_eq!(at("*a"), Some((0, 2)));
    assert_eq!(at("ok/[z-a]"), Some((3, 5)));
    assert_eq!(at("a)b"), Some((1, 2)));
    assert!(Pattern::parse(&"a".repeat(1025), false).is_err());
    assert!(Pattern::parse("(a{1000}){1000}", false).is_err());
}

#[test]
fn case_matters_only_when_it_shall() {
    assert!(Pattern::parse("^boot/", true).unwrap().fits("BOOT/BCD"));
    assert!(!Pattern::parse("^boot/", false).unwrap().fits("BOOT/BCD"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_pattern_panics(text in "\\PC{0,20}|[()\\[\\]{}*+?^$|\\\\a-c0-9,.-]{0,16}", name in "\\PC{0,20}") {
        if let Ok(pattern) = Pattern::parse(&text, true) {
            let _ = pattern.replace(&name, &Replacement::parse(&text), &client(), true);
        }
    }
}

#[test]
fn notations_of_egrep_are_understood() {
    for (pattern, name) in [
        ("^[[:digit:]]+$", "0123"),
        ("^[[:xdigit:]]{8}/", "0a1b2c3d/x"),
        ("^(a|b)+c?$", "abab"),
        ("^[^/]*\\.cfg$", "x.cfg"),
        ("[]x]", "]"),
        ("^[a-z]:", "c:"),
        ("\\bboot\\b", "x/boot/y"),
    ] {
        let read = Pattern::parse(pattern, false);
        assert!(read.is_ok_and(|pattern| pattern.fits(name)), "{pattern} {name}");
    }
    assert!(
        Pattern::parse("(a)\\1", false).is_err(),
        "references back take exponential time"
    );
}
