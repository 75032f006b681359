use super::*;

fn manner() -> Manner {
    Manner {
        dry_run: false,
        wait: None,
        timeout: 10,
        owner: None,
        force: false,
    }
}

#[test]
fn the_manner_of_a_write_is_in_its_question() {
    let plain = manner();
    assert_eq!(plain.path("/a".into()), "/a");
    assert_eq!(plain.path("/a?parent=x".into()), "/a?parent=x");
    let waiting = Manner {
        wait: Some(Until::Hv),
        timeout: 60,
        owner: Some("ops".into()),
        force: true,
        ..manner()
    };
    assert_eq!(
        waiting.path("/a?parent=x".into()),
        "/a?wait=hv&timeout=60&owner=ops&force=true&parent=x"
    );
    let dry = Manner {
        dry_run: true,
        ..manner()
    };
    assert_eq!(dry.path("/a".into()), "/a?dryRun=true");
}

#[test]
fn what_was_done_is_told_below_the_difference() {
    let answer = json!({
        "diff": [{ "table": "T", "label": "x", "change": "added", "why": "asked", "columns": {} }],
        "warnings": [{ "severity": "warning", "place": "ACL x", "message": "is shadowed" }],
        "affected": ["p1", "p2"],
        "realised": { "wait": "hv", "done": true, "milliseconds": 41.4, "chassis_applied": 2, "chassis": 2 },
    });
    assert_eq!(
        manner().said(&answer, Paint::off()),
        [
            "warning: ACL x: is shadowed",
            "1 row added",
            "traffic may change of p1, p2",
            "the hypervisors have it after 41 ms; 2 of 2 hypervisors have it",
        ]
    );
    let dry = Manner {
        dry_run: true,
        ..manner()
    };
    assert_eq!(
        dry.said(&json!({ "diff": answer["diff"], "realised": null }), Paint::off()),
        ["would be: 1 row added"]
    );
    let late = json!({ "done": false, "reason": "ovn-northd has not caught up", "milliseconds": 10_000.0 });
    assert_eq!(
        realised(&late, Paint::off()).expect("a sentence"),
        "written, and not done after 10000 ms: ovn-northd has not caught up"
    );
}

#[test]
fn a_parent_is_named_as_tables_are() {
    assert_eq!(parent("switch/web").expect("a parent"), "Logical_Switch/web");
    assert_eq!(
        parent("lr/edge/nat").expect("a parent"),
        "Logical_Router/edge/nat"
    );
    assert!(parent("web").is_err());
}

#[test]
fn a_file_is_read_in_every_form() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in [
        ("a.yaml", "changes:\n  - op: delete\n    table: ACL\n    row: x\n"),
        (
            "a.json",
            r#"{"changes": [{"op": "delete", "table": "ACL", "row": "x"}]}"#,
        ),
        ("b.json", r#"[{"op": "delete", "table": "ACL", "row": "x"}]"#),
        (
            "a.toml",
            "[[changes]]\nop = \"delete\"\ntable = \"ACL\"\nrow = \"x\"\n",
        ),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("there is room");
        let read = read(&path).expect(name);
        assert_eq!(read["changes"][0]["row"], "x", "{name}");
    }
    let wrong = folder.path().join("wrong.yaml");
    std::fs::write(&wrong, "changes: [\n").expect("there is room");
    let failure = read(&wrong).expect_err("it is no YAML");
    assert!(!failure.details.is_empty(), "{failure}");
}
