//! The user's guide says nothing that is not so.

use super::*;

const GUIDE: &str = include_str!("../../../../../../docs/howto/client-classes.md");

/// The lines of all code blocks of one sort.
fn lines(sort: &str) -> Vec<&'static str> {
    let mut inside = false;
    let wanted = |line: &&str| {
        match line.strip_prefix("```") {
            Some(mark) => inside = mark == sort,
            None if inside => return true,
            None => {}
        }
        false
    };
    GUIDE.lines().filter(wanted).collect()
}

#[test]
fn every_test_of_the_guide_holds_for_its_packet() {
    let tests = lines("expr");
    assert!(tests.len() > 30, "only {} were found", tests.len());
    for text in tests {
        check(text, true);
    }
}

#[test]
fn every_identifier_of_the_guide_has_a_value() {
    let values = lines("flex");
    assert_eq!(values.len(), 3);
    for text in values {
        let expr = Expr::parse_value(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert!(expr.test(&Packet::pxe(), &mut Scratch::default()), "{text}");
    }
}

#[test]
fn every_expression_in_a_configuration_of_the_guide_is_correct() {
    for line in lines("toml") {
        let parsed = match line.split_once(" = ") {
            Some(("test", text)) => Expr::parse(text.trim_matches('"')),
            Some(("flex_id", text)) => Expr::parse_value(text.trim_matches('"')),
            _ => continue,
        };
        parsed.unwrap_or_else(|e| panic!("{line}: {e}"));
    }
}

#[test]
fn every_function_and_field_is_in_the_guide() {
    let conversions = node::Conversion::ALL.iter().map(|c| c.as_str());
    for word in conversions.filter(|word| !word.starts_with("uint")) {
        assert!(GUIDE.contains(word), "{word}");
    }
    for field in Field::ALL {
        assert!(GUIDE.contains(field.as_str()), "{}", field.as_str());
    }
}
