use super::*;

/// Writes the frames, reads them back.
async fn through(frames: &[Frame]) -> Vec<Frame> {
    let mut wire = Vec::new();
    for frame in frames {
        let before = wire.len();
        frame.write(&mut wire).await.unwrap();
        assert_eq!((wire.len() - before) as u64, frame.octets());
    }
    let mut rest = &wire[..];
    let mut read = Vec::new();
    while !rest.is_empty() {
        read.push(Frame::read(&mut rest).await.unwrap());
    }
    read
}

async fn fault(mut wire: &[u8]) -> String {
    Frame::read(&mut wire).await.unwrap_err().to_string()
}

#[tokio::test]
async fn frames_are_read_as_they_were_written() {
    let frames = [
        Frame::Hello(Bytes::from_static(b"me")),
        Frame::Welcome,
        Frame::Farewell("so long".to_owned()),
        Frame::Ping(u64::MAX - 1),
        Frame::Pong(7),
        Frame::Whole(Bytes::from(vec![9; PIECE])),
        Frame::Begin(70_000),
        Frame::Part(Bytes::from_static(&[0])),
    ];
    assert_eq!(through(&frames).await, frames);
}

#[tokio::test]
async fn lengths_that_a_kind_does_not_have_are_refused_unread() {
    for (kind, length) in [
        (1, 0),
        (1, HELLO_MAX as u32 + 1),
        (2, 1),
        (3, WHY_MAX as u32 + 1),
        (4, 7),
        (5, 9),
        (6, 0),
        (6, PIECE as u32 + 1),
        (7, 5),
        (8, u32::MAX),
    ] {
        // Nothing follows the head: a reader that wanted the rest would speak of a closed connection.
        let mut head = vec![kind];
        head.extend(u32::to_be_bytes(length));
        let expected = format!("it sent a frame of kind {kind} with {length} octets");
        assert_eq!(fault(&head).await, expected);
    }
    assert_eq!(fault(&[0, 0, 0, 0, 0]).await, "it sent a frame of unknown kind 0");
    assert_eq!(
        fault(b"GET / HTTP/1.1").await,
        "it sent a frame of unknown kind 71"
    );
    assert_eq!(fault(&[6, 0, 0]).await, "it closed the connection without a word");
}

#[tokio::test]
async fn reasons_are_cut_and_show_no_control_characters() {
    let long = "x".repeat(WHY_MAX + 1);
    let said = through(&[
        Frame::Farewell(long),
        Frame::Farewell("a\n\u{1b}[31mb".to_owned()),
    ])
    .await;
    let expected = ["x".repeat(WHY_MAX), "a??[31mb".to_owned()];
    assert_eq!(said, expected.map(Frame::Farewell));
}

#[test]
fn a_long_message_is_put_together() {
    let mut joiner = Joiner::new(100_000);
    joiner.begin(70_000).unwrap();
    assert_eq!(joiner.part(&Bytes::from(vec![1; PIECE])), Ok(None));
    let whole = joiner
        .part(&Bytes::from(vec![2; 70_000 - PIECE]))
        .unwrap()
        .unwrap();
    assert_eq!((whole.len(), whole[PIECE - 1], whole[PIECE]), (70_000, 1, 2));
    // And another one after it.
    joiner.begin(100_000).unwrap();
}

#[test]
fn a_message_that_is_not_as_told_is_refused() {
    let mut joiner = Joiner::new(100_000);
    assert!(
        joiner.part(&Bytes::from_static(b"x")).is_err(),
        "a part of nothing"
    );
    assert!(joiner.begin(100_001).is_err(), "too long");
    assert!(joiner.begin(PIECE as u32).is_err(), "too short for parts");
    joiner.begin(PIECE as u32 + 1).unwrap();
    assert!(joiner.begin(PIECE as u32 + 1).is_err(), "one within another");
    joiner.part(&Bytes::from(vec![1; PIECE])).unwrap();
    assert!(joiner.part(&Bytes::from_static(b"xy")).is_err(), "more than told");
}
