//! Faults, each at its place.

use super::{checked, refused, tftp};

#[test]
fn a_bad_pattern_is_shown_where_it_goes_wrong() {
    let report = refused(&tftp("[[tftp.rules]]\npattern = \"^boot/x(abc\"\nrefuse = true"));
    let expected = "
 --> a.toml:5:19
  |
5 | pattern = \"^boot/x(abc\"
  |                   ^^^^
";
    assert!(
        report.starts_with("error[PUR-9203]: tftp.rules[0].pattern: the pattern cannot be understood: "),
        "{report}"
    );
    assert!(report.contains(expected), "{report}");
    let report = refused(&tftp("[[tftp.classes]]\nname = \"x\"\nfile = \"*\""));
    assert!(
        report.contains("PUR-9203") && report.contains("a.toml:6:9"),
        "{report}"
    );
}

#[test]
fn ranges_are_checked() {
    for (keys, words) in [
        ("blksize = 7", "7 is not from 8 to 65464"),
        ("blksize = 65465", "65465 is not from 8 to 65464"),
        ("windowsize = 0", "0 is not from 1 to 65535"),
        ("mtu = 500", "500 is not 0 or from 576 to 65535"),
        ("rollover = 2", "2 is not from 0 to 1"),
        ("threads = 0", "0 is not from 1 to 256"),
        (
            "ports = \"20000-10000\"",
            "the range is reversed: 20000 is above 10000; write 10000-20000",
        ),
        ("http = { compression = { level = 10 } }", "10 is not from 0 to 9"),
        ("timing = { attempts = 0 }", "0 is not from 1 to 255"),
        ("timing = { first = \"1ms\" }", "1ms is not from 10ms to 10s"),
        ("affinity = \"some\"", "expected one of \"auto\", \"off\""),
        ("receive_buffer = \"12Q\"", "unknown unit \"Q\""),
        ("listen = [\"10.0.0.1\"]", "expected an address with a port"),
        (
            "uploads = { networks = [\"10.0.0.1/8\"] }",
            "10.0.0.1/8 has host bits; write 10.0.0.0/8",
        ),
    ] {
        let text = tftp(keys);
        let text = if keys.starts_with("listen") {
            text.replacen("listen = [\"127.0.0.1:0\"]\n", "", 1)
        } else {
            text
        };
        let report = refused(&text);
        assert!(report.contains(words), "{keys}: {report}");
    }
    assert!(refused(&tftp("blocksize = 512")).contains("did you mean `blksize`?"));
}

#[test]
fn names_that_are_there_twice_show_both_places() {
    let report = refused(&tftp(
        "[[tftp.classes]]\nname = \"a\"\n[[tftp.classes]]\nname = \"a\"\n\
         [[tftp.templates]]\nname = \"m\"\ntext = \"x\"\n[[tftp.templates]]\nname = \"m\"\ntext = \"y\"\n\
         [[boot.profiles]]\nname = \"p\"\narch = \"bios\"\nfile = \"f\"\n[[boot.profiles]]\nname = \"p\"\narch = \"uefi-x64\"\nfile = \"f\"",
    ));
    for words in [
        "the class \"a\" is there twice",
        "the template \"m\" is there twice",
        "the profile \"p\" is there twice",
    ] {
        assert!(report.contains(words), "{report}");
    }
    assert_eq!(report.matches("first used here").count(), 3, "{report}");
}

#[test]
fn a_template_with_a_mark_that_nothing_fills_is_refused() {
    let template = |text: &str| tftp(&format!("[[tftp.templates]]\nname = \"m\"\ntext = \"{text}\""));
    let report = refused(&template("a {{hostnam}}"));
    assert!(
        report.contains("PUR-9206") && report.contains("did you mean {{hostname}}?"),
        "{report}"
    );
    assert!(report.contains("a.toml:6:11"), "{report}");
    let (settings, report) = checked("a.toml", &template("a {{consol|x}}"));
    assert!(
        settings.is_some() && report.contains("warning[PUR-9206]"),
        "{report}"
    );
    assert!(refused(&template("a {{ip")).contains("the mark does not end"));
    assert!(refused(&tftp("[[tftp.templates]]\nname = \"m\"")).contains("the key `text` is missing"));
    assert!(refused(&tftp("[[tftp.templates]]\nname = \"../m\"\ntext = \"x\"")).contains("\"..\""));
    assert!(
        refused(&tftp(
            "[[tftp.templates]]\nname = \"m\"\ntext = \"x\"\nfile = \"y\""
        ))
        .contains("either `text` or `file`")
    );
}

#[test]
fn a_tree_is_an_absolute_path() {
    let report = refused("[tftp]\nlisten = [\"127.0.0.1:0\"]\nroot = \"boot\"");
    assert!(
        report.contains("PUR-9202") && report.contains("a.toml:3:8"),
        "{report}"
    );
    assert!(refused("[tftp]\nlisten = [\"127.0.0.1:0\"]\nroot = \"/a/../b\"").contains("PUR-9202"));
    for root in ["vm/\\\\m", "\\\\m/x", "/srv/../\\\\m"] {
        let report = refused(&tftp(&format!("[[tftp.rules]]\nroot = \"{root}\"")));
        assert!(report.contains("PUR-9202"), "{root}: {report}");
    }
}

#[test]
fn times_and_counts_are_in_order() {
    let report = refused(&tftp("timing = { shortest = \"2s\", longest = \"1s\" }"));
    assert!(
        report.contains("PUR-9208") && report.contains("`shortest` is above `longest`"),
        "{report}"
    );
    let report = refused(&tftp("timing = { first = \"10s\" }"));
    assert!(
        report.contains("`first` is above `longest`") && report.contains("`longest` has its default"),
        "{report}"
    );
    let report = refused(&tftp("limits = { total = 10, prepared = 20 }"));
    assert!(
        report.contains("20 transfers are prepared, but at most 10 may be open"),
        "{report}"
    );
}

#[test]
fn uploads_need_a_place_and_a_way() {
    let report = refused(
        "[tftp]\nlisten = [\"127.0.0.1:0\"]\nuploads = { allow = [\"*\"] }\n[[tftp.templates]]\nname = \"m\"\ntext = \"x\"",
    );
    assert!(report.contains("PUR-9207"), "{report}");
    let report = refused(&tftp("uploads = { allow = [\"*\"], create = false }"));
    assert!(
        report.contains("neither new files nor those that are there"),
        "{report}"
    );
    assert!(refused(&tftp("uploads = { allow = [\"a/../b\"] }")).contains("tftp.uploads.allow[0]"));
}

#[test]
fn a_rule_does_one_thing() {
    let rule = |keys: &str| refused(&tftp(&format!("[[tftp.rules]]\n{keys}")));
    assert!(
        rule("pattern = \"x\"\nreplace = \"y\"\nrefuse = true")
            .contains("both `replace` and `refuse` are set")
    );
    assert!(rule("pattern = \"x\"\nreplace = \"y\"\ninverse = true").contains("there is nothing to replace"));
    assert!(rule("pattern = \"x\"").contains("the rule does nothing"));
    assert!(
        rule("pattern = \"(x)\"\nreplace = '\\2'")
            .contains("\\2 names a group that the pattern does not have")
    );
}

#[test]
fn lines_of_a_map_are_shown_where_they_are_wrong() {
    let report = refused(&tftp("remap = '''\nr a b\nrz x y\nr (a b\n'''"));
    assert!(
        report.contains("line 2 of the map: there is no flag 'z'"),
        "{report}"
    );
    assert!(report.contains("a.toml:6:2"), "{report}");
    assert!(
        report.contains("line 3 of the map: the pattern cannot be understood")
            && report.contains("a.toml:7:3"),
        "{report}"
    );
}

#[test]
fn files_that_nobody_could_get_are_a_fault() {
    let report = refused("[tftp]\nroot = \"/srv/tftp\"");
    assert!(
        report.contains("PUR-9200") && report.contains("a.toml:2:8"),
        "{report}"
    );
    assert!(refused("[tftp]\nlisten = [\"127.0.0.1:69\"]").contains("PUR-9201"));
    assert!(refused("[tftp]\nenabled = true").contains("PUR-9200"));
    let (settings, _) = checked("a.toml", "[tftp]\nenabled = false\nroot = \"/srv/tftp\"");
    assert!(settings.is_some_and(|settings| !settings.enabled));
    let report = refused("[tftp]\nlisten = [\"127.0.0.1:69\", \"127.0.0.1:69\"]\nroot = \"/x\"");
    assert!(report.contains("127.0.0.1:69 is listed twice"), "{report}");
}

#[test]
fn profiles_are_checked() {
    let profile = |keys: &str| checked("a.toml", &format!("[[boot.profiles]]\nname = \"p\"\n{keys}"));
    let (settings, report) = profile("arch = \"uefi-x46\"\nfile = \"x\"");
    assert!(
        settings.is_none() && report.contains("PUR-9213") && report.contains("did you mean \"uefi-x64\"?"),
        "{report}"
    );
    assert!(profile("file = \"http:/x\"").1.contains("a URL has ://"));
    assert!(
        profile("file = \"x\"\nvalues = { mac = \"x\" }")
            .1
            .contains("a mark that every template has")
    );
    assert!(
        profile("file = \"x\"\nvalues = { \"a b\" = \"x\" }")
            .1
            .contains("no name for a value")
    );
    assert!(profile("arch = \"bios\"").1.contains("the key `file` is missing"));
    let (settings, report) =
        profile("file = \"x\"\n[[boot.profiles]]\nname = \"q\"\narch = \"bios\"\nfile = \"y\"");
    assert!(
        settings.is_some() && report.contains("warning[PUR-9212]"),
        "{report}"
    );
    // It names a user class, so it comes first for those who have it.
    let (_, report) =
        profile("file = \"x\"\n[[boot.profiles]]\nname = \"q\"\nuser_class = \"iPXE\"\nfile = \"y\"");
    assert!(!report.contains("PUR-9212"), "{report}");
}
