use super::*;

#[test]
fn a_log_that_cannot_be_written_anew_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nb.db");
    let schema: Value = serde_json::from_str(purlin_ovsdb::schemas::NB).unwrap();
    let parsed = Arc::new(DatabaseSchema::parse(&schema).unwrap());
    let contents = Contents::new(Arc::clone(&parsed));
    let record = |comment: &str| Record {
        schema: &parsed,
        changes: &[],
        comment: comment.to_owned(),
        date_ms: 0,
    };
    let (mut log, _) = Log::open(&path, &schema).unwrap();
    log.append(&record("first")).unwrap();
    // In the way of the new one.
    let beside = path.with_extension("new");
    std::fs::create_dir(&beside).unwrap();
    log.rewrite(&contents, &schema).unwrap();
    log.append(&record("second")).unwrap();
    log.sync().unwrap();
    let comments = |path: &Path| -> Vec<String> {
        let (records, _) = read(path, &std::fs::read(path).unwrap()).unwrap();
        let comment = |record: &Value| record["_comment"].as_str().map(str::to_owned);
        records.iter().filter_map(comment).collect()
    };
    assert_eq!(comments(&path), ["first", "second"]);
    std::fs::remove_dir(&beside).unwrap();
    log.rewrite(&contents, &schema).unwrap();
    log.append(&record("third")).unwrap();
    log.sync().unwrap();
    assert_eq!(
        comments(&path),
        ["third"],
        "what is there now is nothing, and is kept whole"
    );
    assert!(!beside.exists());
}
