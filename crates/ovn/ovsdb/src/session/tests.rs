use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

const SECOND: Moment = Moment::from_secs(1);

fn session() -> Session {
    let limits = Limits {
        message_max: 1000,
        depth_max: 10,
    };
    Session::new(Moment::ZERO, SECOND * 5, limits)
}

fn sent(session: &mut Session) -> Vec<Value> {
    let out = session.poll_transmit().unwrap_or_default();
    let stream = serde_json::Deserializer::from_slice(&out).into_iter();
    stream.map(|value| value.unwrap()).collect()
}

#[test]
fn an_echo_is_answered_with_what_it_carried() {
    let mut session = session();
    session
        .receive(SECOND, br#"{"method":"echo","params":["x",1],"id":"echo"}"#)
        .unwrap();
    assert_eq!(
        sent(&mut session),
        [json!({"id": "echo", "result": ["x", 1], "error": null})]
    );
    assert_eq!(session.poll_event(), None);
}

#[test]
fn a_request_that_we_do_not_know_is_refused() {
    let mut session = session();
    session
        .receive(SECOND, br#"{"method":"format","params":["c:"],"id":7}"#)
        .unwrap();
    assert_eq!(sent(&mut session)[0]["error"], json!({"error": "unknown method"}));
}

#[test]
fn replies_find_their_requests_in_any_order() {
    let mut session = session();
    let first = session.call("list_dbs", &methods::NONE);
    let second = session.call("get_schema", &methods::get_schema("x"));
    assert_eq!(sent(&mut session)[1]["params"], json!(["x"]));
    let replies = br#"{"id":2,"result":null,"error":{"error":"unknown database"}} {"id":1,"result":["a"],"error":null}"#;
    session.receive(SECOND, replies).unwrap();
    let Some(Event::Reply(id, Err(error))) = session.poll_event() else {
        panic!("an error")
    };
    assert_eq!(
        (id, &*error),
        (second, br#"{"error":"unknown database"}"#.as_slice())
    );
    let Some(Event::Reply(id, Ok(result))) = session.poll_event() else {
        panic!("a result")
    };
    assert_eq!((id, &*result), (first, br#"["a"]"#.as_slice()));
    assert_eq!(session.in_flight(), 0);
}

#[test]
fn updates_of_all_three_kinds_come_as_events() {
    let mut session = session();
    let txn = "550e8400-e29b-41d4-a716-446655440000";
    let text = format!(
        r#"{{"method":"update","params":["a",{{"t":1}}],"id":null}}
           {{"method":"update2","params":["b",{{"t":2}}],"id":null}}
           {{"id":null,"method":"update3","params":["c","{txn}",{{"t":3}}]}}"#
    );
    session.receive(SECOND, text.as_bytes()).unwrap();
    let mut update = || match session.poll_event() {
        Some(Event::Update(update)) => update,
        other => panic!("an update, not {other:?}"),
    };
    assert_eq!((update().differences, update().differences), (false, true));
    let third = update();
    assert_eq!((third.monitor.as_str(), third.txn), ("c", Uuid::parse(txn)));
    assert_eq!(&*third.tables, br#"{"t":3}"#);
}

#[test]
fn locks_and_lost_monitors_come_as_events() {
    let mut session = session();
    let text = br#"{"method":"locked","params":["l"],"id":null}{"method":"stolen","params":["l"],"id":null}{"method":"monitor_canceled","params":["m"],"id":null}{"method":"of_tomorrow","params":[],"id":null}"#;
    session.receive(SECOND, text).unwrap();
    assert_eq!(session.poll_event(), Some(Event::Locked("l".to_owned())));
    assert_eq!(session.poll_event(), Some(Event::Stolen("l".to_owned())));
    assert_eq!(session.poll_event(), Some(Event::MonitorCanceled("m".to_owned())));
    assert_eq!(session.poll_event(), None);
}

#[test]
fn a_silent_peer_is_asked_and_then_given_up() {
    let mut session = session();
    session.handle_timeout(SECOND * 4).unwrap();
    assert!(sent(&mut session).is_empty());
    session.handle_timeout(SECOND * 5).unwrap();
    let probe = sent(&mut session);
    assert_eq!(probe[0]["method"], json!("echo"));
    let answer = format!(r#"{{"id":{},"result":[],"error":null}}"#, probe[0]["id"]);
    session.receive(SECOND * 9, answer.as_bytes()).unwrap();
    assert_eq!(session.poll_event(), None);
    assert_eq!(session.poll_timeout(), SECOND * 14);
    session.handle_timeout(SECOND * 14).unwrap();
    session.handle_timeout(SECOND * 18).unwrap();
    let silent = session.handle_timeout(SECOND * 19);
    assert_eq!(silent, Err(Violation::Silent(SECOND * 10)));
    assert_eq!(
        session.receive(SECOND * 20, b"{}"),
        silent,
        "what is over stays over"
    );
}

#[track_caller]
fn refused(octets: &[u8], expected: &Violation) {
    assert_eq!(&session().receive(SECOND, octets).unwrap_err(), expected);
}

#[test]
fn what_a_peer_must_not_send_ends_the_conversation() {
    refused(b"GET / HTTP/1.1", &Violation::Garbage(b'G'));
    refused(b"[1]", &Violation::Garbage(b'['));
    refused(&[0xff; 3], &Violation::Garbage(0xff));
    refused("{\"a\":[".repeat(6).as_bytes(), &Violation::TooDeep(10));
    let endless = format!("{{\"a\":\"{}", "x".repeat(1000));
    refused(endless.as_bytes(), &Violation::TooLong(1000));
    refused(
        br#"{"id":5,"result":1,"error":null}"#,
        &Violation::UnknownReply("5".to_owned()),
    );
    refused(
        br#"{"id":"x","result":1}"#,
        &Violation::UnknownReply("\"x\"".to_owned()),
    );
    refused(
        b"{}",
        &Violation::Malformed("neither a method nor an id".to_owned()),
    );
    for text in [
        r#"{"method":"update3","params":["m",{}],"id":null}"#,
        r#"{"method":"update2","params":7,"id":null}"#,
        r#"{"method":7,"id":null}"#,
        "{]",
    ] {
        let violation = session().receive(SECOND, text.as_bytes()).unwrap_err();
        assert!(
            matches!(violation, Violation::Malformed(_)),
            "{text}: {violation}"
        );
    }
}

#[test]
fn a_reply_counts_once() {
    let mut session = session();
    session.call("list_dbs", &methods::NONE);
    let reply = br#"{"id":1,"result":[],"error":null}"#;
    session.receive(SECOND, reply).unwrap();
    let again = session.receive(SECOND, reply);
    assert_eq!(again, Err(Violation::UnknownReply("1".to_owned())));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn messages_are_the_same_in_pieces(texts in prop::collection::vec(r#"[a-z{}\[\]"\\é]{0,12}"#, 1..5), cut in 1usize..9) {
        let message = |text: &String| json!({"method": "locked", "params": [text], "id": null}).to_string();
        let whole: String = texts.iter().map(message).collect::<Vec<_>>().join("\n ");
        let mut session = Session::new(Moment::ZERO, SECOND, Limits::default());
        for piece in whole.as_bytes().chunks(cut) {
            session.receive(SECOND, piece).unwrap();
        }
        for text in texts {
            prop_assert_eq!(session.poll_event(), Some(Event::Locked(text)));
        }
    }

    #[test]
    fn no_octets_bring_it_down(octets in prop::collection::vec(any::<u8>(), 0..200), json in r#"[{}\[\]":,a-z0-9\\ ]{0,80}"#) {
        let _ = session().receive(SECOND, &octets);
        let _ = session().receive(SECOND, format!("{{{json}").as_bytes());
    }
}
