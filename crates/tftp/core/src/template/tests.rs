//! What templates promise about their text and their names.

use super::*;
use proptest::prelude::*;
use purlin_types::Mac;

fn filled(text: &str) -> Result<String, Unfilled> {
    let mut values = Values::default();
    values.add("ip", Some("10.0.0.1"));
    values.add("mac", Some("02:00:00:00:00:01"));
    values.fill(text)
}

#[test]
fn marks_are_filled_and_defaults_stand_for_what_is_unknown() {
    assert_eq!(
        filled("#!ipxe\necho {{ip}} {{ mac }}"),
        Ok("#!ipxe\necho 10.0.0.1 02:00:00:00:00:01".into())
    );
    assert_eq!(filled("{{hostname|no name}}!"), Ok("no name!".into()));
    assert_eq!(filled("{{hostname|}}!"), Ok("!".into()));
    assert_eq!(
        filled("${net0/mac} \\{{x}} }}"),
        Ok("${net0/mac} {{x}} }}".into())
    );
    assert_eq!(
        filled("{{hostname}}"),
        Err(Unfilled::NoValue(MarkName::of("hostname")))
    );
}

#[test]
fn a_mark_that_is_none_is_shown_where_it_stands() {
    assert_eq!(Text::parse("ab {{ip").unwrap_err().at, Some((3, 2)));
    assert_eq!(Text::parse("ab {{i p}} c").unwrap_err().at, Some((3, 7)));
    assert_eq!(Text::parse("{{}}").unwrap_err().at, Some((0, 4)));
}

#[test]
fn words_from_clients_cannot_add_lines_to_a_script() {
    let mut values = Values::default();
    for bad in ["a\nchain http://evil/", "a b", "", "a;b", "$(x)", "ä"] {
        values.add_word("hostname", Some(bad));
    }
    assert_eq!(values.get("hostname"), None);
    values.add_word("hostname", Some("node-1.example.com"));
    assert_eq!(values.get("hostname"), Some("node-1.example.com"));
}

fn fits(pattern: &str, name: &str) -> bool {
    NamePattern::parse(pattern)
        .expect("a good pattern")
        .fits(name)
        .is_some()
}

#[test]
fn names_are_exact_or_patterns() {
    for (pattern, name) in [
        ("/boot.ipxe", "boot.ipxe"),
        ("pxelinux.cfg/*", "pxelinux.cfg/default"),
        ("*", ""),
        ("**", "a/b/c"),
        ("**/x", "a/b/x"),
        ("a*b*c", "abbbc"),
        ("*.cfg", ".cfg"),
        ("grub.cfg-01-{mac}", "grub.cfg-01-02-00-00-00-00-01"),
        ("{ip_hex}", "0A000001"),
    ] {
        assert!(fits(pattern, name), "{pattern} {name}");
    }
    for (pattern, name) in [
        ("boot.ipxe", "boot.ipxe2"),
        ("pxelinux.cfg/*", "pxelinux.cfg/a/b"),
        ("*.cfg", "a/b.cfg"),
        ("pxelinux.cfg/01-{mac}", "pxelinux.cfg/01-02-00-00-00-00-0g"),
        ("pxelinux.cfg/01-{mac}", "pxelinux.cfg/01-02-00:00-00-00-01"),
        ("{ip_hex}", "0A00000"),
        ("{uuid}", "00112233-4455-6677-8899-aabbccddeefg"),
    ] {
        assert!(!fits(pattern, name), "{pattern} {name}");
    }
}

#[test]
fn a_name_tells_the_machine_it_is_for() {
    let pattern = NamePattern::parse("pxelinux.cfg/01-{mac}").unwrap();
    let seen = pattern.fits("pxelinux.cfg/01-02-00-00-00-AB-01").unwrap();
    assert_eq!(seen.mac, Some(Mac([2, 0, 0, 0, 0xab, 1])));
    let seen = NamePattern::parse("*/{ip_hex}.cfg")
        .unwrap()
        .fits("a/C00002A9.cfg")
        .unwrap();
    assert_eq!(seen.ip, Some("192.0.2.169".parse().unwrap()));
    let seen = NamePattern::parse("{uuid}")
        .unwrap()
        .fits("00112233-4455-6677-8899-aabbccddeeff")
        .unwrap();
    assert_eq!(seen.uuid.map(|uuid| uuid[15]), Some(0xff));
}

#[test]
fn a_pattern_that_fits_nothing_is_refused() {
    for text in ["", "a/../b", "a\\b", "{foo}", "/", "a*b*c*d*e*f*g*h*i*j"] {
        assert!(NamePattern::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_hostile_name_costs_little() {
    let pattern = NamePattern::parse("**a**a**a**a**a**a**b").unwrap();
    assert!(pattern.fits(&"a".repeat(1024)).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_or_name_panics(text in "\\PC{0,30}|[{}|a \\\\]{0,20}", name in "\\PC{0,30}|[a-c*{}/]{0,20}") {
        let _ = filled(&text);
        if let Ok(pattern) = NamePattern::parse(&name) {
            let _ = pattern.fits(&text);
            prop_assert!(pattern.exact().is_none_or(|exact| pattern.fits(exact).is_some()));
        }
    }
}
