//! HAProxy with `deploy/haproxy/haproxy.cfg` as it is shipped.

use super::{HTTP, HTTPS, all_are_served, audited_source, until_it_serves};
use purlin_conformance::{Process, Trio, until};

fn file() -> String {
    Trio::shipped("haproxy/haproxy.cfg")
}

fn site() -> Option<(Trio, Process)> {
    let site = Trio::new(&["haproxy"])?;
    let mut front = site.front("haproxy", &["-db", "-f", &file()]);
    until_it_serves(&site, &mut front);
    Some((site, front))
}

/// A column of HAProxy's statistics for each server of a backend, by name.
fn column(site: &Trio, backend: &str, column: &str) -> Vec<(String, String)> {
    let csv = site.curl_at_front(&["http://127.0.0.1:8404/stats;csv"]);
    let mut lines = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let Some(head) = lines.next() else {
        return Vec::new();
    };
    let at = head
        .iter()
        .position(|name| *name == column)
        .expect("a column of that name");
    let servers = lines.filter(|line| {
        line.first() == Some(&backend) && line.get(1).is_some_and(|name| name.starts_with("node"))
    });
    servers
        .map(|line| (line[1].to_owned(), line[at].to_owned()))
        .collect()
}

/// Waits until HAProxy knows that so many nodes are gone.
fn until_down(site: &Trio, count: usize) {
    until(&format!("{count} nodes were out"), || {
        let states = column(site, "api_backend", "status");
        states
            .iter()
            .filter(|(_, state)| state.starts_with("DOWN"))
            .count()
            == count
    });
}

#[test]
fn s4_90_the_shipped_haproxy_file_is_valid() {
    let Some(site) = Trio::new(&["haproxy"]) else {
        return;
    };
    let (good, said) = site.checked("haproxy", &["-c", "-f", &file()]);
    assert!(good && !said.contains("WARNING"), "{said}");
    let text = std::fs::read_to_string(file()).expect("it is shipped");
    for line in [
        "maxconn 4096",
        "option httplog",
        "timeout connect 5000ms",
        "timeout client 50000ms",
        "timeout server 50000ms",
    ] {
        assert!(text.contains(line), "{line}");
    }
}

#[test]
fn s4_91_tls_ends_at_haproxy_and_plain_http_is_sent_there() {
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
    // The client is known behind it, and what it says of itself is not believed.
    let sources = audited_source(&site);
    assert!(sources.contains(&"10.77.0.9".to_owned()), "{sources:?}");
    assert!(!sources.contains(&"198.51.100.66".to_owned()), "{sources:?}");
}

#[test]
fn s4_92_health_itself_answers_through_haproxy() {
    let Some((site, _front)) = site() else { return };
    for path in ["/health", "/health/live", "/health/ready"] {
        assert_eq!(site.status(&[&format!("{HTTP}{path}")]), "200", "{path}");
    }
    assert!(site.curl(&[&format!("{HTTP}/health")]).contains("\"ready\":true"));
}

#[test]
fn s4_93_a_websocket_passes_haproxy() {
    let Some((site, _front)) = site() else { return };
    let mut socket = site.websocket("ws.log", &format!("{HTTPS}/ws"), 60);
    socket.until("switch of protocols", |said| {
        said.starts_with("HTTP/1.1 101").then_some(())
    });
}

#[test]
fn s4_94_a_probe_of_old_http_without_a_host_is_answered() {
    let Some((site, _front)) = site() else { return };
    let live = site.status(&["-0", "-H", "Host:", "http://10.77.1.1:8080/health/live"]);
    assert_eq!(live, "200");
    let checks = column(&site, "health_backend", "check_status");
    assert_eq!(checks.len(), 3, "{checks:?}");
    until("probes passed", || {
        column(&site, "health_backend", "check_status")
            .iter()
            .all(|(_, status)| status == "L7OK")
    });
}

#[test]
fn s4_95_neither_a_dead_nor_a_draining_node_costs_a_request() {
    let Some((mut site, _front)) = site() else { return };
    let url = format!("{HTTPS}/api/v1/status");
    let before = column(&site, "api_backend", "stot");
    all_are_served(&site, 30);
    let after = column(&site, "api_backend", "stot");
    assert_eq!(after.len(), 3);
    assert!(
        before
            .iter()
            .zip(&after)
            .all(|(before, after)| before.1 != after.1),
        "{before:?} {after:?}"
    );
    // One stops in order and one dies while requests come.
    let statuses = std::thread::scope(|scope| {
        let site_ref = &site;
        let requests = scope.spawn(|| site_ref.statuses(&url, 400));
        site_ref.stop(2);
        requests.join().expect("no panic")
    });
    assert_eq!(statuses, [("200".to_owned(), 400)]);
    // Two that are gone and not yet known to be could take all tries of a request.
    until_down(&site, 1);
    site.crash(3);
    all_are_served(&site, 60);
    until_down(&site, 2);
    all_are_served(&site, 30);
    site.start_again(3);
    until("the node was back", || {
        let states = column(&site, "api_backend", "status");
        states
            .iter()
            .any(|(name, state)| name == "node3" && state == "UP")
    });
}

#[test]
fn s4_96_the_websockets_of_one_source_are_at_one_node() {
    let Some((mut site, _front)) = site() else { return };
    let text = std::fs::read_to_string(file()).expect("it is shipped");
    let orders = text.lines().map(str::trim);
    assert!(
        !orders.clone().any(|line| line == "option forceclose"),
        "it does not load any more"
    );
    let mut open = Vec::new();
    for n in 0..4 {
        let mut socket = site.websocket(&format!("ws-{n}.log"), &format!("{HTTPS}/ws"), 60);
        socket.until("switch of protocols", |said| {
            said.starts_with("HTTP/1.1 101").then_some(())
        });
        open.push(socket);
    }
    let mut holder = None;
    until("all were at one node", || {
        let current = column(&site, "websocket_backend", "scur");
        holder = current.iter().position(|(_, count)| count == "4");
        holder.is_some() && current.iter().filter(|(_, count)| count == "0").count() == 2
    });

    // When that dies, its clients hear of it, and there is another one for them.
    site.crash(holder.expect("looked at before") + 1);
    until("all were told", || {
        open.iter_mut().all(|socket| !socket.is_running())
    });
    until("one had come back", || {
        let mut again = site.websocket("ws-again.log", &format!("{HTTPS}/ws"), 2);
        let _ = again.ended();
        again.said().starts_with("HTTP/1.1 101")
    });
}

#[test]
fn s4_97_statistics_are_shown_to_the_machine_itself() {
    let Some((site, _front)) = site() else { return };
    let page = site
        .curl_at_front(&["-i", "http://127.0.0.1:8404/stats"])
        .to_lowercase();
    assert!(
        page.contains("api_backend") && page.contains("refresh: 30"),
        "{page}"
    );
    assert_eq!(site.status(&["http://10.77.0.1:8404/stats"]), "000");
    assert!(
        site.curl_at_front(&["http://127.0.0.1:8404/metrics"])
            .contains("haproxy_backend_active_servers")
    );
}
