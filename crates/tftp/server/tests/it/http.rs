//! HTTP boot over the same tree.

use crate::bench::Bench;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use futures_util::StreamExt;
use purlin_api::serve::HandshakeFailure;
use purlin_telemetry::Outcome;
use purlin_tftp_core::settings::Compression;
use purlin_tftp_core::{HttpMethod, RecordQuery, Told};
use purlin_tftp_server::http::{Gzip, HttpRecords, Site, router};
use std::sync::Arc;
use tower::ServiceExt;

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

const fn gzip(level: u8) -> Compression {
    Compression {
        enabled: true,
        level,
        size_min: 1024,
    }
}

fn site(bench: &Bench) -> Site {
    Site {
        tree: bench.handle.tree().clone(),
        compression: Gzip::new(gzip(6)),
        records: Arc::new(HttpRecords::new(64)),
    }
}

fn ask(bench: &Bench, site: &Site, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    request = request.header("host", "boot.example");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    bench.runtime.block_on(async {
        let response = router(site.clone()).oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: to_bytes(body, usize::MAX).await.unwrap().to_vec(),
        }
    })
}

fn records(site: &Site) -> Vec<Told> {
    let query = RecordQuery {
        limit: 10,
        ..RecordQuery::default()
    };
    site.records.newest(&query)
}

#[test]
fn firmware_asks_for_the_length_and_then_the_file() {
    let bench = Bench::new();
    let content = bench.file("snponly.efi", 3_000_000);
    let site = site(&bench);
    let head = ask(
        &bench,
        &site,
        "HEAD",
        "/snponly.efi",
        &[("user-agent", "UefiHttpBoot/1.0")],
    );
    assert_eq!(
        (head.status, head.header("content-length")),
        (StatusCode::OK, "3000000")
    );
    assert_eq!(head.header("content-type"), "application/efi");
    assert!(head.body.is_empty());
    let get = ask(&bench, &site, "GET", "/snponly.efi", &[]);
    assert!(get.body == content && get.header("content-encoding").is_empty());
    let slugs: Vec<_> = records(&site).iter().map(|told| told.slug).collect();
    assert_eq!(slugs, ["size_probe", "file_sent"]);
}

#[test]
fn parts_and_conditions_are_answered_as_the_rfc_has_them() {
    let bench = Bench::new();
    let content = bench.file("disk.img", 1_000_000);
    let site = site(&bench);
    let part = ask(&bench, &site, "GET", "/disk.img", &[("range", "bytes=999990-")]);
    assert_eq!(part.status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.header("content-range"), "bytes 999990-999999/1000000");
    assert_eq!(part.body, content[999_990..]);
    let middle = ask(
        &bench,
        &site,
        "GET",
        "/disk.img",
        &[("range", "bytes=262000-524999")],
    );
    assert!(middle.body == content[262_000..525_000]);
    let behind = ask(&bench, &site, "GET", "/disk.img", &[("range", "bytes=1000000-")]);
    assert_eq!(behind.status, StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(behind.header("content-range"), "bytes */1000000");
    let tag = part.header("etag").to_owned();
    let same = ask(&bench, &site, "GET", "/disk.img", &[("if-none-match", &tag)]);
    assert_eq!((same.status, same.body.len()), (StatusCode::NOT_MODIFIED, 0));
    let other = ask(
        &bench,
        &site,
        "GET",
        "/disk.img",
        &[("range", "bytes=0-9"), ("if-range", "\"x\"")],
    );
    assert_eq!((other.status, other.body.len()), (StatusCode::OK, 1_000_000));
}

#[test]
fn names_that_no_file_can_have_are_not_there() {
    let bench = Bench::new();
    std::fs::create_dir(bench.folder.path().join("sub")).unwrap();
    let site = site(&bench);
    for path in ["/sub", "/sub/", "/", &format!("/{}", "n".repeat(256))] {
        assert_eq!(
            ask(&bench, &site, "GET", path, &[]).status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
}

#[test]
fn head_has_no_ranges_and_two_hosts_are_refused() {
    let bench = Bench::new();
    bench.file("disk.img", 1000);
    let site = site(&bench);
    let head = ask(&bench, &site, "HEAD", "/disk.img", &[("range", "bytes=0-9")]);
    assert_eq!(
        (head.status, head.header("content-length")),
        (StatusCode::OK, "1000")
    );
    let behind = ask(&bench, &site, "HEAD", "/disk.img", &[("range", "bytes=5000-")]);
    assert_eq!(behind.status, StatusCode::OK);
    let two = ask(&bench, &site, "GET", "/disk.img", &[("host", "other")]);
    assert_eq!(two.status, StatusCode::BAD_REQUEST);
}

#[test]
fn a_date_is_a_condition_too() {
    let bench = Bench::new();
    bench.file("disk.img", 1000);
    let site = site(&bench);
    let modified = ask(&bench, &site, "HEAD", "/disk.img", &[])
        .header("last-modified")
        .to_owned();
    let same = ask(
        &bench,
        &site,
        "GET",
        "/disk.img",
        &[("if-modified-since", &modified)],
    );
    assert_eq!((same.status, same.body.len()), (StatusCode::NOT_MODIFIED, 0));
    let old = "Sun, 06 Nov 1994 08:49:37 GMT";
    let newer = ask(&bench, &site, "GET", "/disk.img", &[("if-modified-since", old)]);
    assert_eq!((newer.status, newer.body.len()), (StatusCode::OK, 1000));
    let changed = ask(&bench, &site, "GET", "/disk.img", &[("if-unmodified-since", old)]);
    assert_eq!(changed.status, StatusCode::PRECONDITION_FAILED);
}

#[test]
fn a_made_text_has_a_media_type() {
    let bench = Bench::with(|settings| {
        settings.files.templates = vec![purlin_tftp_core::settings::Template {
            name: purlin_tftp_core::template::NamePattern::parse("boot.ipxe").unwrap(),
            who: purlin_tftp_core::settings::Who::default(),
            body: purlin_tftp_core::settings::Body::Text(
                purlin_tftp_core::template::Text::parse("#!ipxe\nexit\n").unwrap(),
            ),
        }];
    });
    let answer = ask(&bench, &site(&bench), "GET", "/boot.ipxe", &[]);
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
}

#[test]
fn records_tell_parts_from_files_and_methods_apart() {
    let bench = Bench::new();
    bench.file("disk.img", 3_000_000);
    let site = site(&bench);
    let part = |range| ask(&bench, &site, "GET", "/disk.img", &[("range", range)]).status;
    assert_eq!(part("bytes=0-9"), StatusCode::PARTIAL_CONTENT);
    assert_eq!(part("bytes=0-"), StatusCode::PARTIAL_CONTENT);
    ask(&bench, &site, "HEAD", "/disk.img", &[]);
    ask(&bench, &site, "POST", "/disk.img", &[]);
    let told: Vec<_> = records(&site)
        .iter()
        .map(|told| (told.slug, told.record.http, told.record.octets, told.record.size))
        .collect();
    let get = Some(HttpMethod::Get);
    let expected = [
        ("http_part_sent", get, 10, 3_000_000),
        ("file_sent", get, 3_000_000, 3_000_000),
        ("size_probe", Some(HttpMethod::Head), 0, 3_000_000),
        ("http_refused", Some(HttpMethod::Post), 0, 0),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_file_that_shrinks_while_it_is_sent_is_told_from_a_client_that_goes() {
    let bench = Bench::new();
    bench.file("disk.img", 40_000_000);
    let site = site(&bench);
    let whole = || {
        let request = Request::builder().uri("/disk.img").header("host", "boot.example");
        router(site.clone()).oneshot(request.body(Body::empty()).unwrap())
    };
    bench.runtime.block_on(async {
        let mut body = whole().await.unwrap().into_body().into_data_stream();
        body.next().await.unwrap().unwrap();
    });
    assert_eq!(records(&site).last().unwrap().slug, "http_cut_off");
    bench.runtime.block_on(async {
        let mut body = whole().await.unwrap().into_body().into_data_stream();
        body.next().await.unwrap().unwrap();
        bench.file("disk.img", 1_000_000);
        while let Some(Ok(_)) = body.next().await {}
    });
    let told = records(&site).pop().unwrap();
    assert_eq!((told.slug, told.record.outcome), ("file_changed", Outcome::Noted));
}

#[test]
fn what_is_not_there_or_not_asked_rightly_is_refused() {
    let bench = Bench::new();
    bench.file("a", 10);
    let site = site(&bench);
    let long = format!("/{}", "n".repeat(256));
    for (method, path, status) in [
        ("GET", "/nothing", 404),
        ("GET", "/..%2f..%2fetc/passwd", 404),
        ("GET", "/%ff", 400),
        ("GET", "/", 404),
        ("GET", long.as_str(), 404),
        ("POST", "/a", 405),
        ("PUT", "/a", 405),
    ] {
        let answer = ask(&bench, &site, method, path, &[]);
        let told = u16::from(answer.status);
        assert!(
            told == status || (status == 404 && told == 403),
            "{method} {path}: {told}"
        );
        assert!(!String::from_utf8_lossy(&answer.body).contains("etc"));
    }
}

#[test]
fn s2_55_s2_56_gzip_is_sent_to_who_asks_and_tftp_stays_plain() {
    let bench = Bench::new();
    let text = "#!ipxe\necho hello\n".repeat(1000);
    std::fs::write(bench.folder.path().join("boot.ipxe"), &text).unwrap();
    let site = site(&bench);
    let plain = ask(&bench, &site, "GET", "/boot.ipxe", &[]);
    assert!(plain.body == text.as_bytes() && plain.header("content-encoding").is_empty());
    let zipped = ask(&bench, &site, "GET", "/boot.ipxe", &[("accept-encoding", "gzip")]);
    assert_eq!(zipped.header("content-encoding"), "gzip");
    assert!(zipped.body.starts_with(&[0x1f, 0x8b]) && zipped.body.len() < text.len() / 5);
    assert_ne!(zipped.header("etag"), plain.header("etag"));
    assert_eq!(
        crate::bench::read(&bench.options(), "boot.ipxe").0,
        text.as_bytes()
    );
}

#[test]
fn s2_58_small_files_are_not_compressed() {
    let bench = Bench::new();
    for (size, encoding) in [(1023, ""), (1024, "gzip")] {
        std::fs::write(bench.folder.path().join("t.txt"), "a".repeat(size)).unwrap();
        let bench_site = site(&bench);
        bench_site.tree.drop_all();
        let answer = ask(
            &bench,
            &bench_site,
            "GET",
            "/t.txt",
            &[("accept-encoding", "gzip")],
        );
        assert_eq!(answer.header("content-encoding"), encoding, "{size}");
    }
}

#[test]
fn s2_57_a_higher_level_makes_fewer_octets() {
    let bench = Bench::new();
    let text: String = (0..9000)
        .map(|n| format!("line {} of {}\n", n * n, n % 91))
        .collect();
    std::fs::write(bench.folder.path().join("t.txt"), text).unwrap();
    let length = |level| {
        let site = site(&bench);
        site.compression.set(gzip(level));
        site.tree.drop_all();
        let answer = ask(&bench, &site, "GET", "/t.txt", &[("accept-encoding", "gzip")]);
        assert_eq!(answer.header("content-encoding"), "gzip", "{level}");
        answer.body.len()
    };
    assert!(length(1) > length(9));
}

#[test]
fn a_machine_that_cannot_speak_our_tls_is_told_of_and_a_probe_is_not() {
    let records = HttpRecords::new(8);
    let client = "10.0.0.5:1815".parse().unwrap();
    for why in [
        HandshakeFailure::Other,
        HandshakeFailure::NothingInCommon,
        HandshakeFailure::Alert(48),
    ] {
        records.without_tls(client, why);
    }
    let told = records.newest(&RecordQuery {
        limit: 10,
        ..RecordQuery::default()
    });
    let told: Vec<_> = told
        .iter()
        .map(|told| (told.slug, told.record.outcome, told.record.port))
        .collect();
    assert_eq!(
        told,
        [
            ("tls_nothing_in_common", Outcome::Refused, 1815),
            ("tls_client_alert", Outcome::Dropped, 1815)
        ]
    );
}
