use super::parts::Part;
use super::*;
use futures_util::FutureExt;

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

#[tokio::test]
async fn readers_of_one_tenant_share_what_it_is_told() {
    let stream = Arc::new(Stream::new());
    stream.begin("t0");
    let eyes = |tenant: &str| {
        Some(Eyes {
            tenant: tenant.to_owned(),
            external: false,
        })
    };
    let mut readers = ["acme", "acme", "bolt"].map(|tenant| stream.follow(None, eyes(tenant)).0);
    for id in ["t1", "t2"] {
        let parts = [
            Part::entering("acme", "{\"a\":1}"),
            Part::entering("bolt", "{\"b\":2}"),
        ];
        let what = What::Words(json!({}));
        stream.push(Message::told_to(id, "changes", what, Arc::new(parts)));
        let mut told = Vec::new();
        for reader in &mut readers {
            told.extend(reader.next().await);
        }
        assert_eq!(ids(&told), [id; 3]);
        assert!(told[0].text().contains("\"a\":1") && !told[0].text().contains("\"b\""));
        let octets = |at: usize| told[at].text().as_bytes().as_ptr();
        assert_eq!(octets(0), octets(1));
        assert!(told[2].text().contains("\"b\":2"));
    }
}

#[tokio::test]
async fn a_transaction_that_is_still_on_its_way_here_is_waited_for() {
    const LATE: &str = "01234567-0000-4000-8000-000000000000";
    const FIRST: &str = "01234567-0000-4000-8000-000000000001";
    const NEXT: &str = "01234567-0000-4000-8000-000000000002";
    let stream = Arc::new(Stream::new());
    stream.begin(FIRST);
    let mut arrived = Box::pin(stream.arrived(LATE));
    assert!(arrived.as_mut().now_or_never().is_none());
    stream.push(message(NEXT));
    assert!(arrived.as_mut().now_or_never().is_none());
    stream.push(message(LATE));
    assert!(arrived.as_mut().now_or_never().is_some());
    // What is there, and what no cluster has named.
    for seen in [LATE, "born.17"] {
        assert!(stream.arrived(seen).now_or_never().is_some(), "{seen}");
    }
    // A standalone database gives no names: nothing comes to it from elsewhere.
    let alone = Arc::new(Stream::new());
    alone.begin("born.1");
    assert!(alone.arrived(LATE).now_or_never().is_some());
}

#[test]
fn what_is_said_about_a_stream_is_no_place_in_it() {
    let over = Message::about("over", json!({ "status": 401 }));
    let text = r#"{"event":"over","over":{"status":401}}"#;
    assert_eq!(over.text().as_str(), text);
    assert_eq!(over.frame(), format!("event: over\ndata: {text}\n\n").as_bytes());
    let here = introduced("t7");
    assert!(here.frame().starts_with(b"id: t7\nevent: here\n"));
}
