//! What holds for any text and any packet.

use super::*;
use proptest::prelude::*;

/// Pieces of the language, so that random rows of them get far into the parser.
const WORDS: [&str; 34] = [
    "option[60]",
    ".hex",
    ".text",
    ".exists",
    "relay4[1]",
    "pkt4.mac",
    "pkt4.giaddr",
    "pkt.len",
    "(",
    ")",
    "not",
    "and",
    "or",
    "==",
    "!=",
    "<",
    "in",
    "10.0.0.0/8",
    "10.0.0.1",
    "-",
    "'a'",
    "0x0a",
    "7",
    "+",
    ",",
    "substring(",
    "ifelse(",
    "hexstring(",
    "split(",
    "concat(",
    "member('A')",
    "vendor[*]",
    "contains",
    "lcase(",
];

fn valid() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        Just("option[60].hex".to_owned()),
        Just("pkt4.mac".to_owned()),
        Just("relay4[1].hex".to_owned()),
        Just("0x0102".to_owned()),
    ]
    .prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            (inner.clone(), -9_i64..9, -9_i64..9).prop_map(|(v, a, b)| format!("substring({v}, {a}, {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} + {b})")),
            inner.clone().prop_map(|v| format!("hexstring({v}, '::')")),
            (inner.clone(), 1_u32..5).prop_map(|(v, n)| format!("split({v}, ':C', {n})")),
            (inner.clone(), inner.clone())
                .prop_map(|(a, b)| format!("ifelse({a} contains {b}, {a}, ucase({b}))")),
        ]
    });
    let test = (value.clone(), value).prop_map(|(a, b)| format!("{a} == {b}"));
    test.prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|t| format!("not ({t})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) and {b}")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("{a} or ({b})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,60}") {
        let _ = Expr::parse(&text);
    }

    #[test]
    fn no_row_of_words_makes_anything_panic(words in prop::collection::vec(prop::sample::select(&WORDS[..]), 0..20)) {
        let text = words.join(" ").replace(" .", ".");
        match Expr::parse(&text) {
            Ok(expr) => {
                expr.test(&Packet::pxe(), &mut Scratch::default());
                let again = Expr::parse(&expr.to_string());
                prop_assert_eq!(again, Ok(expr));
            }
            Err(error) => prop_assert!(text.get(error.at..error.at + error.len).is_some()),
        }
    }

    #[test]
    fn the_canonical_text_parses_back(text in valid()) {
        let expr = Expr::parse(&text).expect("made to be correct");
        expr.test(&Packet::pxe(), &mut Scratch::default());
        let again = Expr::parse(&expr.to_string());
        prop_assert_eq!(again, Ok(expr));
    }
}
