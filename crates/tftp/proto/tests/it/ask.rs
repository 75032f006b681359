//! One function for the laws, the corpus and the fuzz target.

use purlin_tftp_proto::{Composer, Mode, Packet, Rollover, Wishes, compose, netascii};

/// Asks a datagram everything there is to ask; none of it may panic, and what is composed reads back the same.
pub(crate) fn ask_everything(datagram: &[u8]) {
    let Ok(packet) = Packet::parse(datagram) else {
        return;
    };
    let _ = format!("{packet:?}");
    match packet {
        Packet::Read(request) | Packet::Write(request) => {
            assert!(!request.name().is_empty() && !request.name().contains(&0));
            if let (Some(mode), Ok(wishes)) = (request.mode(), Wishes::of(request.options())) {
                let write = matches!(packet, Packet::Write(_));
                compose_request(write, request.name(), mode, &wishes);
            }
        }
        Packet::OptionAck(options) => {
            if let Ok(wishes) = Wishes::of(options) {
                assert!(wishes.agree(&wishes).is_ok());
                let _ = Wishes::default().agree(&wishes);
            }
        }
        Packet::Ack { block } => {
            assert_eq!(compose::ack(block), datagram[..4]);
            for rollover in [Rollover::Zero, Rollover::One] {
                let _ = rollover.ahead(u64::from(block) << 7, block);
            }
        }
        Packet::Data { block, payload } => {
            assert_eq!(compose::data_header(block), datagram[..4]);
            assert_eq!(payload.len() + 4, datagram.len());
            text_survives(payload, usize::from(block) % 9 + 1);
        }
        Packet::Error { code, text } => {
            assert!(!text.contains(&0));
            assert_eq!(code.number().to_be_bytes(), datagram[2..4]);
        }
    }
}

fn compose_request(write: bool, name: &[u8], mode: Mode, wishes: &Wishes) {
    let mut buffer = vec![0; name.len() + 200];
    let begin = if write { Composer::write } else { Composer::read };
    let composed = wishes
        .values()
        .fold(begin(&mut buffer, name, mode), |composer, (name, value)| {
            composer.option(name, value)
        });
    let len = composed.finish().expect("the buffer has room for every option");
    let ((Ok(Packet::Read(again)), false) | (Ok(Packet::Write(again)), true)) =
        (Packet::parse(&buffer[..len]), write)
    else {
        panic!("a composed request is a request of its kind");
    };
    assert_eq!((again.name(), again.mode()), (name, Some(mode)));
    assert_eq!(Wishes::of(again.options()), Ok(*wishes));
}

/// Local text to netascii in pieces and back is the same text.
fn text_survives(text: &[u8], piece: usize) {
    let (mut encoder, mut decoder) = (netascii::Encoder::default(), netascii::Decoder::default());
    let (mut at, mut wire, mut back) = (0, 0, Vec::new());
    let mut block = vec![0; piece];
    while at < text.len() || !encoder.is_done() {
        let (read, written) = encoder.encode(&text[at..], &mut block);
        at += read;
        wire += written;
        decoder.decode(&block[..written], |octet| back.push(octet));
    }
    assert_eq!(decoder.finish(), None);
    assert_eq!(back, text);
    assert_eq!(wire, netascii::Encoder::encoded_len(text));
}
