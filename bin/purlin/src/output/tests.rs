use super::*;
use serde_json::json;

const KIND: Kind = Kind {
    plural: "things",
    name: "name",
    columns: &[
        Column::new("NAME", "name", Show::Text),
        Column::new("STATE", "state", Show::Text),
        Column::wide("NOTE", "deep.note", Show::Text),
    ],
};

fn shown(view: View, rows: &[Value]) -> String {
    let mut out = Vec::new();
    let mut listing = Listing::new(&mut out, view, KIND, Paint::off()).expect("columns exist");
    listing.page(rows).expect("a vector takes everything");
    listing.finish().expect("a vector takes everything");
    String::from_utf8(out).expect("output is text")
}

fn rows() -> Vec<Value> {
    vec![
        json!({"name": "a", "state": "bound", "deep": {"note": "x, \"y\""}}),
        json!({"name": "longer", "state": "free", "deep": {"note": "two\nlines"}}),
    ]
}

#[test]
fn a_table_is_aligned_and_has_no_trailing_blanks() {
    assert_eq!(
        shown(View::new(Form::Table), &rows()),
        "NAME     STATE\na        bound\nlonger   free\n"
    );
}

#[test]
fn wide_shows_every_column_and_keeps_one_row_per_line() {
    let text = shown(View::new(Form::Wide), &rows());
    assert_eq!(text.lines().count(), 3);
    assert!(text.contains("two\\nlines"));
}

#[test]
fn csv_quotes_what_rfc_4180_says() {
    assert_eq!(
        shown(View::new(Form::Csv), &rows()),
        "name,state,note\r\na,bound,\"x, \"\"y\"\"\"\r\nlonger,free,\"two\nlines\"\r\n"
    );
}

#[test]
fn json_pages_make_one_array() {
    let mut out = Vec::new();
    let mut listing = Listing::new(&mut out, View::new(Form::Json), KIND, Paint::off()).unwrap();
    for row in rows() {
        listing.page(&[row]).unwrap();
    }
    assert_eq!(listing.finish().unwrap(), 2);
    assert_eq!(serde_json::from_slice::<Vec<Value>>(&out).unwrap(), rows());
    assert_eq!(shown(View::new(Form::Json), &[]), "[]\n");
}

#[test]
fn names_are_one_per_line() {
    assert_eq!(shown(View::new(Form::Name), &rows()), "a\nlonger\n");
}

#[test]
fn columns_are_chosen_by_path_or_header() {
    let view = View {
        columns: vec!["deep.note".into(), "NAME".into()],
        ..View::new(Form::Table)
    };
    assert!(shown(view, &rows()).starts_with("NOTE"));
}

#[test]
fn filters_hold_all_together() {
    let filters = vec!["state=bound".parse().unwrap(), "a".parse().unwrap()];
    let view = View {
        filters,
        ..View::new(Form::Name)
    };
    assert_eq!(shown(view, &rows()), "a\n");
}

#[test]
fn no_form_hands_a_stranger_the_terminal() {
    let rows = [json!({"name": "\x1b[31mRED\x07\u{9b}2J", "state": "\u{202e}x", "deep": {"note": "\u{7f}"}})];
    for form in [
        Form::Table,
        Form::Wide,
        Form::Json,
        Form::Yaml,
        Form::Name,
        Form::Csv,
    ] {
        let text = shown(View::new(form), &rows);
        let bad = |c: char| c.is_control() && !matches!(c, '\n' | '\r') || c == '\u{202e}';
        assert!(!text.contains(bad) && text.contains("RED"), "{form:?}: {text:?}");
    }
}

fn refused(view: View) -> Option<Failure> {
    let mut listing = Listing::new(Vec::new(), view, KIND, Paint::off()).expect("columns exist");
    let shown = listing.page(&rows()).and_then(|()| listing.finish());
    shown.err()
}

#[test]
fn names_that_no_row_has_are_refused_with_those_that_some_have() {
    let filtered = |text: &str| View {
        filters: vec![text.parse().unwrap()],
        ..View::new(Form::Table)
    };
    let columns = |name: &str| View {
        columns: vec![name.into()],
        ..View::new(Form::Csv)
    };
    for view in [
        filtered("bogus=1"),
        filtered("bogus!=1"),
        columns("nope"),
        columns("deep.nope"),
    ] {
        let failure = refused(view).expect("it is no key");
        assert_eq!(failure.exit, crate::exit::Exit::Usage);
        assert!(failure.fix.contains("name, state"), "{failure}");
    }
    for view in [
        filtered("state=nothing"),
        filtered("deep.note~=x"),
        columns("deep"),
        columns("note"),
    ] {
        assert_eq!(refused(view), None);
    }
    assert_eq!(
        shown(filtered("bogus=1"), &[]),
        "",
        "without rows nothing is known of them"
    );
}

#[test]
fn an_object_without_columns_is_one_row_of_what_is_no_list() {
    let object = json!({"name": "purlin", "n": 1, "list": [1], "deep": {"a": 1}});
    let mut names = scalars(&object);
    names.sort();
    assert_eq!(names, ["n", "name"]);
    assert!(not_in_rows(Form::Csv).is_err() && not_in_rows(Form::Yaml).is_ok());
}
