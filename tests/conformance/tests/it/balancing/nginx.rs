//! nginx with `deploy/nginx/nginx.conf` and `stream.conf` as they are shipped.

use super::{HTTP, HTTPS, all_are_served, audited_source, until_it_serves};
use purlin_conformance::{Process, Report, Trio, purlin};

const STREAM: &str = "/usr/lib/nginx/modules/ngx_stream_module.so";

fn file() -> String {
    Trio::shipped("nginx/nginx.conf")
}

fn site() -> Option<(Trio, Process)> {
    let site = Trio::new(&["nginx"])?;
    let mut front = site.front("nginx", &["-g", "daemon off;", "-c", &file()]);
    until_it_serves(&site, &mut front);
    Some((site, front))
}

#[test]
fn s4_35_the_shipped_nginx_files_are_valid() {
    let Some(site) = Trio::new(&["nginx", STREAM]) else {
        return;
    };
    for name in ["nginx/nginx.conf", "nginx/stream.conf"] {
        let (good, said) = site.checked("nginx", &["-t", "-c", &Trio::shipped(name)]);
        assert!(good && !said.contains("[warn]"), "{said}");
    }
}

#[test]
fn s4_98_a_dead_node_costs_no_request_through_nginx() {
    let Some((mut site, _front)) = site() else { return };
    all_are_served(&site, 30);
    let url = format!("{HTTPS}/api/v1/status");
    let statuses = std::thread::scope(|scope| {
        let site_ref = &site;
        let requests = scope.spawn(|| site_ref.statuses(&url, 400));
        site_ref.stop(2);
        requests.join().expect("no panic")
    });
    assert_eq!(statuses, [("200".to_owned(), 400)]);
    site.crash(3);
    all_are_served(&site, 60);
}

#[test]
fn s4_99_tls_ends_at_nginx_and_plain_http_is_sent_there() {
    let Some((site, _front)) = site() else { return };
    let redirected = site.curl(&[
        "-o",
        "/dev/null",
        "-w",
        "%{http_code} %{redirect_url}",
        &format!("{HTTP}/api/v1/status"),
    ]);
    assert_eq!(redirected, format!("301 {HTTPS}/api/v1/status"));
    all_are_served(&site, 3);
    let spoken = site.curl(&[
        "--http2",
        "-o",
        "/dev/null",
        "-w",
        "%{http_version}",
        &format!("{HTTPS}/health"),
    ]);
    assert_eq!(spoken, "2");
}

#[test]
fn s4_100_health_answers_through_nginx() {
    let Some((site, _front)) = site() else { return };
    for front in [HTTP, HTTPS] {
        for path in ["/health", "/health/live", "/health/ready"] {
            assert_eq!(site.status(&[&format!("{front}{path}")]), "200", "{front}{path}");
        }
    }
}

#[test]
fn s4_101_a_websocket_passes_nginx_and_is_kept_open_by_pings() {
    let Some((site, _front)) = site() else { return };
    let mut socket = site.websocket("ws.log", &format!("{HTTPS}/ws"), 60);
    socket.until("switch of protocols", |said| {
        said.starts_with("HTTP/1.1 101").then_some(())
    });
    // An empty ping (RFC 6455, section 5.5.2) is the octets 89 00; the first is no text.
    socket.until("ping", |said| {
        said.split_once("\r\n\r\n")
            .filter(|(_, rest)| rest.contains("\u{fffd}\0"))
            .map(drop)
    });
}

#[test]
fn s4_102_the_audit_knows_the_client_behind_nginx() {
    let Some((site, _front)) = site() else { return };
    let sources = audited_source(&site);
    assert!(sources.contains(&"10.77.0.9".to_owned()), "{sources:?}");
    assert!(!sources.contains(&"198.51.100.66".to_owned()), "{sources:?}");
    // Who is no proxy is not believed.
    let body = r#"{"name": "direct", "role": "viewer"}"#;
    let direct = site.status(&[
        "--interface",
        "10.77.0.9",
        "-H",
        "Content-Type: application/json",
        "-H",
        "X-Forwarded-For: 198.51.100.67",
        "-d",
        body,
        "http://10.77.1.1:8080/api/v1/tokens",
    ]);
    assert_eq!(direct, "201");
    let audit = site.curl(&["http://10.77.1.1:8080/api/v1/audit"]);
    assert!(!audit.contains("198.51.100.67"), "{audit}");
}

#[test]
fn a_dead_node_costs_a_boot_client_retries_through_nginx() {
    let Some(mut site) = Trio::new(&["nginx", STREAM, "atftp"]) else {
        return;
    };
    std::fs::write(site.lab.path("tree").join("file"), "boot").expect("the folder is ours");
    let conf = Trio::shipped("nginx/stream.conf");
    let mut front = site.front("nginx", &["-g", "daemon off;", "-c", &conf]);
    let got = site.lab.path("got").display().to_string();
    let words = [
        "--option",
        "timeout 1",
        "--get",
        "-r",
        "file",
        "-l",
        &got,
        "10.77.0.1",
        "69",
    ];
    let mut come = |site: &Trio, what: &str| {
        purlin_conformance::until(what, || {
            assert!(front.is_running(), "{}", front.said());
            site.lab.server.run("atftp", &words).status.success()
        });
    };
    come(&site, "a file came through nginx");
    // Whichever of them the client's address belongs to, one of two that die has it or the third had it anyway.
    for dead in [1, 2] {
        site.crash(dead);
        come(&site, "a file came from a node that lives");
    }
}

#[test]
fn dhcp_and_tftp_pass_nginx() {
    let Some(site) = Trio::new(&["nginx", STREAM, "atftp"]) else {
        return;
    };
    let content = "boot ".repeat(20_000);
    std::fs::write(site.lab.path("tree").join("file"), &content).expect("the folder is ours");
    let mut front = site.front(
        "nginx",
        &["-g", "daemon off;", "-c", &Trio::shipped("nginx/stream.conf")],
    );
    let got = site.lab.path("got");
    let got_text = got.display().to_string();
    purlin_conformance::until("a file came through nginx", || {
        assert!(front.is_running(), "{}", front.said());
        let words = ["--get", "-r", "file", "-l", &got_text, "10.77.0.1", "69"];
        site.lab.server.run("atftp", &words).status.success()
    });
    assert_eq!(std::fs::read_to_string(&got).expect("it came"), content);
    let binary = purlin().expect("checked before").display().to_string();
    let words = [
        "bench",
        "dhcp",
        "10.77.0.1:67",
        "--relay",
        "10.77.0.5",
        "--clients",
        "500",
        "--operations",
        "1000",
        "-q",
        "-o",
        "json",
    ];
    let output = site.lab.server.run(&binary, &words);
    let said = [output.stdout, output.stderr].map(|octets| String::from_utf8_lossy(&octets).into_owned());
    let report = Report::read(&said.concat());
    report.kept_every_promise();
    assert_eq!(report.done("load"), 1000, "{:#}", report.0);
}
