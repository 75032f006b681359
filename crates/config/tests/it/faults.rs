//! Each fault as a person sees it.

use crate::{ZOO, parse, zoo, zoo_faults};
use purlin_config::Fault;

#[test]
fn an_unknown_key_names_the_nearest() {
    let expected = "\
error[PUR-9103]: zoo.cuont: there is no key `cuont` here
 --> a.toml:2:1
  |
2 | cuont = 1
  | ^^^^^ did you mean `count`?

1 error
";
    assert_eq!(zoo_faults("a.toml", "[zoo]\ncuont = 1\n"), expected);
}

#[test]
fn an_unknown_section_names_the_nearest() {
    let expected = "\
error[PUR-9103]: zo: there is no section `zo`
 --> a.yaml:1:1
  |
1 | zo: {}
  | ^^ did you mean `zoo`?

1 error
";
    assert_eq!(zoo_faults("a.yaml", "zo: {}\n"), expected);
}

#[test]
fn a_wrong_type_says_found_and_expected() {
    let expected = "\
error[PUR-9105]: zoo.count: expected a whole number from 1 to 10, found a string
 --> a.json:1:19
  |
1 | {\"zoo\": {\"count\": \"eighty\"}}
  |                   ^^^^^^^^

1 error
";
    assert_eq!(
        zoo_faults("a.json", "{\"zoo\": {\"count\": \"eighty\"}}"),
        expected
    );
}

#[test]
fn a_value_out_of_range_shows_the_range() {
    let expected = "\
error[PUR-9106]: zoo.wait: 2h is not from 1s to 1h
  --> a.toml:10:8
   |
10 | wait = \"2h\"
   |        ^^^^

1 error
";
    assert_eq!(
        zoo_faults("a.toml", &format!("[zoo]{}wait = \"2h\"", "\n".repeat(9))),
        expected
    );
}

#[test]
fn a_duplicate_key_shows_both_places() {
    let expected = "\
error[PUR-9102]: count: the key `count` is set twice
 --> a.json:3:2
  |
3 |  \"count\": 2}}
  |  ^^^^^^^
 ::: a.json:2:2
  |
2 |  \"count\": 1,
  |  ------- first set here
  = help: remove one of the two

1 error
";
    assert_eq!(
        zoo_faults("a.json", "{\"zoo\": {\n \"count\": 1,\n \"count\": 2}}"),
        expected
    );
    assert!(zoo_faults("a.yaml", "zoo:\n  count: 1\n  count: 2\n").contains("set twice"));
    assert!(zoo_faults("a.toml", "[zoo]\ncount = 1\ncount = 2\n").contains("duplicate key"));
}

#[test]
fn a_missing_key_shows_how_to_write_it() {
    let text = zoo_faults("a.toml", "[[zoo.items]]\nnetwork = \"10.0.0.5/8\"\n");
    assert!(
        text.contains("zoo.items[0].name: the key `name` is missing"),
        "{text}"
    );
    assert!(text.contains("help: for example: name = \"a\""), "{text}");
    assert!(
        text.contains("host bits are set; the network is 10.0.0.0/8"),
        "{text}"
    );
}

#[test]
fn one_value_instead_of_a_list_is_told_how() {
    let text = zoo_faults("a.toml", "[zoo]\nlisten = \"10.0.0.1:67\"\n");
    assert!(
        text.contains("expected a list, found a string") && text.contains("[ ... ]"),
        "{text}"
    );
}

#[test]
fn a_misspelt_word_of_a_choice_is_corrected() {
    let text = zoo_faults("a.toml", "[zoo]\nmode = \"durabel\"\n");
    assert!(
        text.contains("expected one of \"durable\", \"lead\", found \"durabel\""),
        "{text}"
    );
    assert!(text.contains("did you mean \"durable\"?"), "{text}");
}

#[test]
fn a_section_of_a_later_version_is_refused_in_plain_words() {
    let text = zoo_faults("a.toml", "[infra]\nlisten = [\"10.0.0.1:8545\"]\n");
    assert!(
        text.contains("error[PUR-9110]: infra: the section `infra` is not in this version yet"),
        "{text}"
    );
}

#[test]
fn ten_mistakes_are_found_in_one_pass() {
    let text = "[zoo]\nflag = 1\ncount = 99\nwait = \"soon\"\nsize = \"12Q\"\nmode = \"fast\"\nlisten = [\"10.0.0.1\"]\n\
        pools = [\"10.0.0.9-10.0.0.1\"]\nmac = \"02:00\"\nid = \"0g\"\nzebra = 1\n";
    let report = zoo_faults("a.toml", text);
    assert!(report.ends_with("10 errors\n"), "{report}");
    let lines: Vec<&str> = report
        .lines()
        .filter(|line| line.starts_with(" --> ") || line.starts_with("  --> "))
        .collect();
    assert_eq!(lines.len(), 10);
    assert!(lines[0].contains(":2:") && lines[9].contains(":11:"), "{lines:?}");
}

#[test]
fn a_syntax_error_of_one_file_leaves_the_others_checked() {
    use purlin_config::{Document, Faults, Input};
    let mut faults = Faults::new();
    let inputs = [
        Input::file("bad.toml", "[zoo\n"),
        Input::file("good.toml", "[zoo]\ncount = 99\n"),
    ];
    let document = Document::parse(inputs, &mut faults);
    purlin_config::check_section(&document, &ZOO, &mut faults);
    let text = faults.to_text(&document, false);
    assert!(
        text.contains("bad.toml:1:") && text.contains("not valid TOML"),
        "{text}"
    );
    assert!(text.contains("99 is not from 1 to 10"), "{text}");
}

#[test]
fn syntax_errors_point_at_their_place() {
    for (name, text, place) in [
        ("a.json", "{\"zoo\": {\"count\": 1,}}", "a.json:1:21"),
        ("a.yaml", "zoo:\n\tcount: 1\n", "a.yaml:2:"),
        ("a.toml", "[zoo]\ncount = \n", "a.toml:2:"),
        ("b.yaml", "a: 1\n---\nb: 2\n", "b.yaml:2:1"),
    ] {
        let report = zoo_faults(name, text);
        assert!(
            report.contains(place) && report.contains("error[PUR-9101]"),
            "{report}"
        );
    }
}

#[test]
fn faults_are_given_to_programs_as_json() {
    let (document, mut faults) = parse("a.toml", "[zoo]\ncount = 99\n");
    purlin_config::check_section(&document, &ZOO, &mut faults);
    let expected = serde_json::json!([{
        "code": "PUR-9106", "severity": "error", "path": "zoo.count", "message": "99 is not from 1 to 10",
        "note": "", "help": "", "related": [],
        "at": { "source": "a.toml", "line": 2, "column": 9, "end_line": 2, "end_column": 11 },
    }]);
    assert_eq!(faults.to_json(&document), expected);
}

#[test]
fn long_lines_are_shown_around_the_caret() {
    let text = format!(
        "{{\"zoo\": {{\"label\": \"{}\", \"count\": 99}}}}",
        "x".repeat(300)
    );
    let report = zoo_faults("a.json", &text);
    let widest = report.lines().map(|line| line.chars().count()).max();
    assert!(widest < Some(130), "{report}");
    assert!(report.contains("\"count\": 99"), "{report}");
}

/// The same with secrets hidden; `faults` is asked for after the document was checked.
fn veiled(name: &str, text: &str) -> String {
    let (mut document, mut faults) = parse(name, text);
    document.hide_secrets(&zoo());
    purlin_config::check_section(&document, &ZOO, &mut faults);
    let node = document.get("zoo.password").cloned();
    if let Some(node) = node {
        let fault = Fault::error(
            purlin_config::codes::BAD_VALUE,
            "zoo.password",
            node.span,
            "too short",
        );
        faults.push(fault.note("here"));
    }
    faults.to_text(&document, false)
}

#[test]
fn a_secret_is_not_shown_and_the_caret_stands_at_its_place() {
    let expected = "\
error[PUR-9108]: zoo.password: too short
 --> a.toml:2:12
  |
2 | password = *** # weekly
  |            ^^^ here

1 error
";
    let code = purlin_config::codes::BAD_VALUE.to_string();
    let text = veiled("a.toml", "[zoo]\npassword = \"SHORT\" # weekly\n");
    assert_eq!(text, expected.replace("PUR-9108", &code));
}

#[test]
fn a_fault_beside_a_secret_points_at_itself() {
    let text = veiled(
        "a.json",
        r#"{"zoo": {"items": [{"token": "hunter2 and more", "name": 1}], "count": 99}}"#,
    );
    let lines: Vec<&str> = text.lines().collect();
    let caret = |number: &str| {
        let at = lines.iter().position(|line| line.contains("1 |")).unwrap();
        let shown = lines[at..]
            .iter()
            .step_by(1)
            .find(|line| line.contains(number))
            .unwrap();
        (
            shown.find(number),
            lines[at + 1..]
                .iter()
                .any(|line| line.find('^') == shown.find(number)),
        )
    };
    assert!(
        !text.contains("hunter2") && text.contains(r#""token": ***, "name""#),
        "{text}"
    );
    assert!(caret("99").1, "{text}");
}

#[test]
fn secrets_stay_hidden_where_the_text_cannot_be_read() {
    for (name, text) in [
        ("a.toml", "[zoo]\npassword = \"hunter2\ncount = 1\n"),
        ("a.toml", "zoo.password = hunter2\n"),
        ("a.json", "{\"zoo\": {\"password\": \"hunter2\" \"count\": 1}}"),
        ("a.yaml", "zoo:\n  password: [hunter2\n"),
        ("a.toml", "[zoo]\npasword = \"hunter2\"\n"),
    ] {
        let told = veiled(name, text);
        assert!(told.contains("error[") && !told.contains("hunter2"), "{told}");
    }
}
