use super::*;

fn message(id: &str) -> Message {
    Message::new(id, "changes", What::Words(json!({ "id": id })))
}

fn ids(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|message| &**message.id()).collect()
}

async fn taken(reader: &mut Reader) -> Vec<String> {
    let messages = reader.next().await;
    ids(&messages).into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_reader_goes_on_behind_what_it_has_seen() {
    let stream = Arc::new(Stream::new());
    stream.begin("t0");
    for id in ["t1", "t2", "t3"] {
        stream.push(message(id));
    }
    for (seen, rest) in [
        ("t0", &["t1", "t2", "t3"][..]),
        ("t1", &["t2", "t3"]),
        ("t2", &["t3"]),
    ] {
        let (mut reader, first) = stream.follow(Some(seen), None);
        assert!(first.is_none());
        assert_eq!(taken(&mut reader).await, rest, "after {seen}");
    }
    let (mut reader, first) = stream.follow(Some("t3"), None);
    stream.push(message("t4"));
    assert!(first.is_none());
    assert_eq!(taken(&mut reader).await, ["t4"]);
    let (mut reader, first) = stream.follow(None, None);
    assert_eq!(first.map(|first| first.id().to_string()).as_deref(), Some("t4"));
    stream.push(message("t5"));
    assert_eq!(taken(&mut reader).await, ["t5"]);
}

#[tokio::test]
async fn who_was_away_too_long_begins_anew() {
    let stream = Arc::new(Stream::new());
    stream.begin("t0");
    let (mut slow, _) = stream.follow(Some("t0"), None);
    for n in 1..=KEPT_MAX + 2 {
        stream.push(message(&format!("t{n}")));
    }
    let newest = format!("t{}", KEPT_MAX + 2);
    let (_, first) = stream.follow(Some("t1"), None);
    let first = first.expect("it is not kept");
    assert_eq!(
        (&**first.id(), first.text().contains("\"anew\"")),
        (&*newest, true)
    );
    assert!(
        stream.follow(Some("t2"), None).1.is_none(),
        "all after it are there"
    );
    let told = slow.next().await;
    assert!(
        told[0].text().contains("\"anew\"") && ids(&told) == [&*newest],
        "{told:?}"
    );
    stream.push(message("next"));
    assert_eq!(taken(&mut slow).await, ["next"]);
    stream.begin("another life");
    assert!(slow.next().await[0].text().contains("\"anew\""));
}

#[tokio::test]
async fn readers_share_the_octets() {
    let stream = Arc::new(Stream::new());
    stream.begin("t0");
    let readers = [stream.follow(None, None), stream.follow(None, None)];
    stream.push(message("t1"));
    let mut seen = Vec::new();
    for (mut reader, _) in readers {
        let messages = reader.next().await;
        seen.push((
            messages[0].frame().as_ptr(),
            messages[0].text().as_bytes().as_ptr(),
        ));
    }
    assert_eq!(seen[0], seen[1]);
}
