//! Reading: every octet arrives, whatever is negotiated.

use crate::bench::{Bench, read, refused};
use crate::targets::value;
use purlin_tftp_client::proxy::{Proxy, ProxyOptions};
use purlin_tftp_client::{Faults, Mode, TransferOptions};
use purlin_tftp_core::settings::Ports;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

#[test]
fn s2_19_every_negotiation_brings_the_same_octets() {
    let bench = Bench::new();
    for size in [0, 1, 511, 512, 513, 1468 * 16, 3_000_000] {
        // A name for each size: a file that is written over is noticed a moment later only.
        let name = format!("a/file-{size}.bin");
        let content = bench.file(&name, size);
        for (blksize, windowsize) in [
            (None, None),
            (Some(8), None),
            (Some(1468), Some(1)),
            (Some(1468), Some(16)),
            (Some(1468), Some(64)),
            (Some(65_464), Some(16)),
        ] {
            if size / usize::from(blksize.unwrap_or(512)) > 60_000 {
                continue;
            }
            let options = TransferOptions {
                blksize,
                windowsize,
                ..bench.options()
            };
            let (octets, report) = read(&options, &name);
            let report = report.unwrap();
            assert!(
                octets == content,
                "{size} octets with {blksize:?} x {windowsize:?}: {report:?}"
            );
        }
        bench.settle();
    }
    assert!(bench.records().iter().all(|told| told.slug == "file_sent"));
}

#[test]
fn netascii_is_converted_and_undone() {
    let bench = Bench::new();
    std::fs::write(
        bench.folder.path().join("text"),
        "one\ntwo\r\nthree\n".repeat(500),
    )
    .unwrap();
    let options = TransferOptions {
        mode: Mode::Netascii,
        tsize: false,
        ..bench.options()
    };
    let (octets, report) = read(&options, "text");
    report.unwrap();
    assert_eq!(
        String::from_utf8(octets).unwrap(),
        "one\ntwo\r\nthree\n".repeat(500)
    );
}

#[test]
fn a_thousand_clients_at_once_are_all_served() {
    let bench = Bench::new();
    let content = bench.file("kernel", 40_000);
    let options = bench.options();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..50)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let (octets, report) = read(&options, "kernel");
                        report.unwrap();
                        assert!(octets == content);
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
    });
    bench.settle();
    let status = bench.handle.status();
    assert_eq!(status.failed, None);
    assert!(
        status.cache.disk_reads <= 2,
        "one file is read once: {:?}",
        status.cache
    );
}

#[test]
fn a_lossy_path_costs_time_but_no_octet() {
    let bench = Bench::new();
    let content = bench.file("kernel", 500_000);
    let faults = Faults {
        loss: 0.05,
        duplicate: 0.03,
        reorder: 0.03,
        ..Faults::default()
    };
    let proxy = Proxy::start(ProxyOptions {
        to_server: faults,
        to_client: faults,
        seed: 7,
        ..ProxyOptions::new(bench.address())
    })
    .unwrap();
    for windowsize in [None, Some(16)] {
        let options = TransferOptions {
            server: proxy.address(),
            windowsize,
            wait: Duration::from_millis(500),
            ..bench.options()
        };
        let (octets, report) = read(&options, "kernel");
        report.unwrap();
        assert!(octets == content);
    }
}

#[test]
fn ipv6_clients_are_served() {
    let bench = Bench::with(|settings| settings.listen = vec!["[::1]:0".parse().unwrap()]);
    let content = bench.file("six", 10_000);
    let (octets, report) = read(&bench.options(), "six");
    report.unwrap();
    assert_eq!(octets, content);
}

#[test]
fn answers_come_from_the_address_that_was_asked() {
    let bench = Bench::with(|settings| settings.listen = vec!["0.0.0.0:0".parse().unwrap()]);
    bench.file("f", 100);
    let port = bench.address().port();
    for host in ["127.0.0.1", "127.7.7.7"] {
        let socket = UdpSocket::bind("127.0.0.9:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let asked: SocketAddr = format!("{host}:{port}").parse().unwrap();
        socket.send_to(b"\0\x01f\0octet\0", asked).unwrap();
        let (_, from) = socket.recv_from(&mut [0; 600]).unwrap();
        assert_eq!(from, asked);
    }
}

#[test]
fn a_transfer_has_a_port_of_its_own_where_that_is_wanted() {
    let bench = Bench::with(|settings| {
        settings.ports = Ports::Range {
            first: 42_000,
            last: 42_099,
        }
    });
    let content = bench.file("kernel", 300_000);
    for _ in 0..3 {
        let (octets, report) = read(&bench.options(), "kernel");
        let report = report.unwrap();
        assert!(octets == content);
        assert!((42_000..=42_099).contains(&report.server.port()), "{report:?}");
    }
}

/// A transfer that has begun holds its port; the next one is served all the same, and told of.
#[test]
fn a_range_that_is_taken_is_counted_and_keeps_nobody_from_booting() {
    let bench = Bench::with(|settings| {
        settings.ports = Ports::Range {
            first: 42_100,
            last: 42_100,
        }
    });
    let content = bench.file("kernel", 100_000);
    let first = UdpSocket::bind("127.0.0.1:0").unwrap();
    first.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    first.send_to(b"\0\x01kernel\0octet\0", bench.address()).unwrap();
    let (_, from) = first.recv_from(&mut [0; 600]).unwrap();
    assert_eq!(from.port(), 42_100);
    let (octets, report) = read(&bench.options(), "kernel");
    assert!(octets == content);
    assert_eq!(report.unwrap().server.port(), bench.address().port());
    // A thread tells its counts a little later.
    let counted = || value(&bench, "purlin_tftp_own_port_failures_total");
    for _ in 0..200 {
        if counted() > 0.0 {
            break;
        }
        std::thread::park_timeout(Duration::from_millis(50));
    }
    assert_eq!(counted(), 1.0);
}

#[test]
fn a_miss_is_refused_without_a_word_about_the_server() {
    let bench = Bench::new();
    std::fs::create_dir(bench.folder.path().join("folder")).unwrap();
    for name in [
        "nothing",
        "../etc/passwd",
        "/../../etc/passwd",
        "a\\..\\..\\b",
        "folder",
        "folder/",
    ] {
        let (octets, result) = read(&bench.options(), name);
        let (code, text) = refused(result);
        assert!(octets.is_empty() && (code == 1 || code == 2), "{name}: {code}");
        assert!(!text.contains('/') && !text.contains("etc"), "{text}");
    }
}

#[test]
fn a_file_that_changes_is_served_as_it_is_now() {
    let bench = Bench::with(|settings| settings.cache.ttl = Duration::from_secs(1));
    let old = bench.file("config", 5000);
    assert_eq!(read(&bench.options(), "config").0, old);
    let fresh = bench.folder.path().join("fresh");
    std::fs::write(&fresh, vec![9u8; 7000]).unwrap();
    std::fs::rename(fresh, bench.folder.path().join("config")).unwrap();
    let until = std::time::Instant::now() + Duration::from_secs(10);
    while read(&bench.options(), "config").0 != vec![9u8; 7000] {
        assert!(
            std::time::Instant::now() < until,
            "the old content is still served"
        );
    }
}

#[test]
fn an_edk2_size_probe_ends_in_an_ordinary_record() {
    let bench = Bench::new();
    bench.file("snponly.efi", 5000);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let request = b"\0\x01snponly.efi\0octet\0tsize\x000\0blksize\x001468\0windowsize\x004\0";
    socket.send_to(request, bench.address()).unwrap();
    let mut buffer = [0; 600];
    let (length, from) = socket.recv_from(&mut buffer).unwrap();
    let answer = buffer[..length].escape_ascii().to_string();
    for option in [
        "tsize\\x005000\\x00",
        "blksize\\x001468\\x00",
        "windowsize\\x004\\x00",
    ] {
        assert!(
            answer.starts_with("\\x00\\x06") && answer.contains(option),
            "{answer}"
        );
    }
    socket
        .send_to(b"\0\x05\0\x08User aborted the transfer\0", from)
        .unwrap();
    bench.settle();
    let records = bench.records();
    assert_eq!(
        records.last().map(|told| told.slug),
        Some("size_probe"),
        "{records:?}"
    );
}

/// The client is told nothing of it; the operator reads which mark it was, whether the text stands in the configuration
/// or in a file.
#[test]
fn a_template_without_a_value_names_its_mark() {
    use purlin_tftp_core::plan::RelativePath;
    use purlin_tftp_core::settings::{Body, Template, Who};
    use purlin_tftp_core::template::{NamePattern, Text};
    let template = |name: &str, body: Body| Template {
        name: NamePattern::parse(name).unwrap(),
        who: Who::default(),
        body,
    };
    let bench = Bench::with(|settings| {
        settings.files.templates = vec![
            template(
                "boot.ipxe",
                Body::Text(Text::parse("#!ipxe\necho {{hostname}}\n").unwrap()),
            ),
            template("menu.ipxe", Body::File(RelativePath::parse("menu.in").unwrap())),
        ];
    });
    std::fs::write(bench.folder.path().join("menu.in"), "#!ipxe\necho {{subnet}}\n").unwrap();
    for (name, mark) in [("boot.ipxe", "{{hostname}}"), ("menu.ipxe", "{{subnet}}")] {
        assert_eq!(
            refused(read(&bench.options(), name).1),
            (2, "access denied".to_owned())
        );
        bench.settle();
        let records = bench.records();
        let told = records.last().unwrap();
        assert_eq!(
            (told.record.name().as_str(), told.slug),
            (name, "template_value_missing")
        );
        assert!(told.text.ends_with(mark), "{}", told.text);
    }
}
