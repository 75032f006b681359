//! Claims about writing messages.

use super::*;

fn discover() -> Vec<u8> {
    let mut buffer = [0; 576];
    let mut composer = Composer::new(&mut buffer, 548);
    composer
        .op(1)
        .hardware(1, &[2, 0, 0, 0, 0, 1])
        .hops(3)
        .xid(0x0102_0304)
        .secs(9)
        .flags(0x8000);
    composer.giaddr(Ipv4Addr::new(10, 0, 0, 1));
    composer.message_type(MessageType::Discover);
    let len = composer.finish().len;
    buffer[..len].to_vec()
}

#[test]
fn a_reply_echoes_what_table_3_says() {
    let payload = discover();
    let request = Message::parse(&payload).unwrap();
    let mut buffer = [0xaa; 1472];
    let mut composer = Composer::reply(&mut buffer, 548, &request);
    composer
        .yiaddr(Ipv4Addr::new(10, 0, 0, 9))
        .siaddr(Ipv4Addr::new(10, 0, 0, 2));
    assert!(composer.file(b"boot.efi") && composer.sname(b"srv"));
    composer.message_type(MessageType::Offer);
    let composed = composer.finish();
    assert_eq!(
        composed,
        Composed {
            len: 300,
            missed: CodeSet::new()
        }
    );
    let reply = Message::parse(&buffer[..300]).unwrap();
    assert_eq!(
        (reply.op(), reply.htype(), reply.hops(), reply.secs()),
        (2, 1, 0, 0)
    );
    assert_eq!(
        (reply.xid(), reply.flags(), reply.mac()),
        (0x0102_0304, 0x8000, request.mac())
    );
    assert_eq!(
        (reply.giaddr(), reply.yiaddr()),
        (request.giaddr(), Ipv4Addr::new(10, 0, 0, 9))
    );
    assert_eq!((reply.file(), reply.sname()), (&b"boot.efi"[..], &b"srv"[..]));
    assert_eq!(buffer[243], 255);
    assert!(buffer[244..300].iter().all(|&octet| octet == 0));
}

#[test]
fn the_relay_echo_is_last_and_has_its_room() {
    let relay = [1, 3, b'a', b'b', b'c'];
    let mut buffer = [0; 1472];
    let mut composer = Composer::new(&mut buffer, 300);
    composer.op(2).without_overload();
    assert!(composer.echo_relay_agent(&relay));
    composer.message_type(MessageType::Ack);
    assert!(!composer.option(67, &[b'x'; 60]));
    assert!(composer.option(12, b"pc"));
    let composed = composer.finish();
    assert_eq!(composed.missed.iter().collect::<Vec<_>>(), [67]);
    let reply = Message::parse(&buffer[..composed.len]).unwrap();
    assert_eq!(
        reply.options().map(|(code, _)| code).collect::<Vec<_>>(),
        [53, 12, 82]
    );
    assert_eq!(reply.relay_agent().unwrap().circuit_id(), Some(&b"abc"[..]));
}

#[test]
fn long_values_are_split_and_come_back_whole() {
    for len in [0, 1, 255, 256, 510, 511, 700] {
        let value: Vec<u8> = (0..len).map(|at| at as u8).collect();
        let mut buffer = [0; 1472];
        let mut composer = Composer::new(&mut buffer, 1472);
        composer.op(2);
        assert!(composer.echo_relay_agent(&value[..len.min(300)]));
        assert!(composer.option(121, &value), "{len}");
        let composed = composer.finish();
        let message = Message::parse(&buffer[..composed.len]).unwrap();
        assert_eq!(message.concat(121, &mut [0; 1024]), Some(&value[..]));
        assert_eq!(
            message.option(121).unwrap().parts().count(),
            len.div_ceil(255).max(1)
        );
        let echo = message.concat(82, &mut [0; 1024]).unwrap_or_default().to_vec();
        assert_eq!(echo, &value[..len.min(300)]);
    }
}

#[test]
fn what_does_not_fit_goes_to_file_then_sname_then_is_missed() {
    let mut buffer = [0; 1472];
    let mut composer = Composer::new(&mut buffer, 300);
    composer.op(2);
    assert!(composer.option(12, &[b'a'; 50]));
    assert!(composer.option(15, &[b'b'; 120]));
    assert!(composer.option(40, &[b'c'; 61]));
    assert!(!composer.option(17, &[b'd'; 10]));
    assert!(composer.option_u8(19, 1));
    assert!(!composer.file(b"late"));
    let composed = composer.finish();
    assert_eq!(composed.missed.iter().collect::<Vec<_>>(), [17]);
    assert!(composed.len <= 300);
    let message = Message::parse(&buffer[..composed.len]).unwrap();
    assert_eq!(message.u8(52), Some(3));
    assert_eq!(message.whole(15), Some(&[b'b'; 120][..]));
    assert_eq!(message.whole(40), Some(&[b'c'; 61][..]));
    assert_eq!(message.u8(19), Some(1));
}

#[test]
fn a_named_boot_file_keeps_options_out_of_its_field() {
    let mut buffer = [0; 1472];
    let mut composer = Composer::new(&mut buffer, 300);
    composer.op(2);
    assert!(composer.file(b"pxelinux.0"));
    assert!(!composer.file(&[b'x'; 128]));
    assert!(composer.option(15, &[b'b'; 54]));
    assert!(composer.option(40, &[b'c'; 20]));
    let composed = composer.finish();
    let message = Message::parse(&buffer[..composed.len]).unwrap();
    assert_eq!((message.file(), message.u8(52)), (&b"pxelinux.0"[..], Some(2)));
}

#[test]
fn a_block_is_copied_and_can_be_patched() {
    let block = [51, 4, 0, 0, 0, 0, 1, 4, 255, 255, 255, 0];
    let mut buffer = [0; 1472];
    let mut composer = Composer::new(&mut buffer, 548);
    composer.op(2).yiaddr(Ipv4Addr::new(10, 0, 0, 7));
    let at = composer.block(&block).unwrap();
    composer.patch(at + 2, &3600u32.to_be_bytes());
    let composed = composer.finish();
    let message = Message::parse(&buffer[..composed.len]).unwrap();
    assert_eq!(
        (message.lease_time(), message.ip(1)),
        (Some(3600), Some(Ipv4Addr::new(255, 255, 255, 0)))
    );
}

#[test]
fn a_block_that_does_not_fit_is_placed_piece_by_piece() {
    let mut block = vec![12, 40];
    block.extend([b'a'; 40]);
    block.extend([121, 255]);
    block.extend([7; 255]);
    block.extend([121, 1, 7]);
    block.extend([15, 30]);
    block.extend([b'b'; 30]);
    block.extend([23, 1, 64, 99, 9, 0]);
    let mut buffer = [0; 1472];
    let mut composer = Composer::new(&mut buffer, 300);
    composer.op(2);
    assert_eq!(composer.block(&block), None);
    let composed = composer.finish();
    assert_eq!(composed.missed.iter().collect::<Vec<_>>(), [121]);
    let message = Message::parse(&buffer[..composed.len]).unwrap();
    assert_eq!((message.u8(52), message.u8(23)), (Some(1), Some(64)));
    assert_eq!(message.whole(15), Some(&[b'b'; 30][..]));
}

#[test]
fn the_payload_limit_follows_option_57() {
    let limit = |size: Option<u16>| {
        let mut buffer = [0; 400];
        let mut composer = Composer::new(&mut buffer, 400);
        composer.op(1);
        if let Some(size) = size {
            composer.option_u16(code::MAX_MESSAGE_SIZE, size);
        }
        let len = composer.finish().len;
        payload_limit(&Message::parse(&buffer[..len]).unwrap(), 1472)
    };
    assert_eq!(limit(None), 548);
    assert_eq!(limit(Some(576)), 548);
    assert_eq!(limit(Some(100)), 548);
    assert_eq!(limit(Some(1400)), 1372);
    assert_eq!(limit(Some(9000)), 1472);
}

#[test]
fn an_overloaded_field_keeps_an_octet_for_its_end_option() {
    for (value_len, fits) in [(61, true), (62, false)] {
        let mut buffer = [0; 1472];
        let mut composer = Composer::new(&mut buffer, 300);
        composer.op(2);
        assert!(composer.option(12, &[b'a'; 54]));
        assert!(composer.option(15, &[b'b'; 125]));
        assert_eq!(composer.option(40, &vec![b'c'; value_len]), fits);
        let composed = composer.finish();
        assert_eq!(composed.missed.contains(40), !fits);
        let message = Message::parse(&buffer[..composed.len]).unwrap();
        assert_eq!(
            (message.whole(15), message.has(40)),
            (Some(&[b'b'; 125][..]), fits)
        );
    }
}

#[test]
fn the_relay_gets_its_octets_back_however_they_came() {
    let cases: [&[u8]; 4] = [
        &[53, 1, 1],
        &[82, 3, 1, 9, 7],
        &[82, 0],
        &[82, 3, 1, 4, 7, 53, 1, 1, 82, 3, 7, 7, 7],
    ];
    for options in cases {
        let mut payload = discover()[..240].to_vec();
        payload.extend_from_slice(options);
        let request = Message::parse(&payload).unwrap();
        let mut buffer = [0; 1472];
        let mut composer = Composer::reply(&mut buffer, 300, &request);
        assert!(composer.echo_relay_agent_of(&request));
        composer.message_type(MessageType::Offer);
        assert!(composer.option(15, &[b'b'; 100]), "goes to the file field");
        let composed = composer.finish();
        let reply = Message::parse(&buffer[..composed.len]).unwrap();
        let echo = |message: &Message<'_>| -> Vec<Vec<u8>> {
            message
                .option(82)
                .into_iter()
                .flat_map(|option| option.parts().map(<[u8]>::to_vec).collect::<Vec<_>>())
                .collect()
        };
        assert_eq!(echo(&reply), echo(&request));
        assert_eq!(reply.options().filter(|(code, _)| *code == 52).count(), 1);
    }
}
