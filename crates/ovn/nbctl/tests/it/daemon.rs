//! The daemon and those who hand it their lines.

use crate::world::{Server, installed, ours, theirs, until, words};
use purlin_ovn_nbctl::needs::Needs;
use purlin_ovn_nbctl::shell::{Engine, Environment, Log, Served, Verbosity, serve};
use purlin_ovsdb::client::{Client, Config, parse_endpoints};
use serde_json::json;
use std::path::PathBuf;

/// A daemon in this process.
struct Daemon {
    socket: PathBuf,
    runtime: tokio::runtime::Runtime,
    served: Option<Served>,
}

impl Daemon {
    fn start(server: &Server, name: &str) -> Self {
        let socket = server.folder().join(name);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let served = runtime.block_on(async {
            let endpoints = parse_endpoints(&server.database()).unwrap();
            let client = Client::start(Config::new("OVN_Northbound", endpoints));
            let rows = client.replicate(Needs::everything());
            let engine = Engine::new(client, rows);
            engine.ready().await;
            let log = Log::quiet("ovn-nbctl", Verbosity::default());
            serve(engine, log, &socket).unwrap()
        });
        Self {
            socket,
            runtime,
            served: Some(served),
        }
    }

    fn line(&self, line: &str) -> (u8, String, String) {
        let environment = Environment {
            daemon: Some(self.socket.display().to_string()),
            ..Environment::default()
        };
        let told = ours(environment, &words(line));
        (told.code, told.out, told.err)
    }
}

#[test]
fn a_line_sees_what_the_line_before_it_wrote() {
    if !installed() {
        return;
    }
    let server = Server::start();
    let daemon = Daemon::start(&server, "daemon.ctl");
    for number in 0..50 {
        let (code, _, why) = daemon.line(&format!("ls-add s{number}"));
        assert_eq!((code, why.as_str()), (0, ""));
        let (_, out, _) = daemon.line(&format!(
            "--bare --columns=name find Logical_Switch name=s{number}"
        ));
        assert_eq!(out, format!("s{number}\n"));
    }
}

/// A line that writes a whole column does so only over what it has seen; a line that adds leaves it to the server.
#[test]
fn lines_of_two_daemons_that_overtake_each_other_lose_nothing() {
    const LINES: usize = 30;
    if !installed() {
        return;
    }
    let server = Server::start();
    let daemons = [Daemon::start(&server, "a.ctl"), Daemon::start(&server, "b.ctl")];
    assert_eq!(daemons[0].line("ls-add s").0, 0);
    until("both see it", || {
        daemons[1].line("ls-list").1.contains("(s)").then_some(())
    });
    std::thread::scope(|scope| {
        for (at, daemon) in daemons.iter().enumerate() {
            scope.spawn(move || {
                for number in 0..LINES {
                    let key = format!("set Logical_Switch s other_config:k{at}-{number}=1");
                    let line = format!("{key} -- lsp-add s p{at}-{number} -- get Logical_Switch s name");
                    assert_eq!(daemon.line(&line), (0, "s\n".to_owned(), String::new()));
                }
            });
        }
    });
    let (_, keys, _) = daemons[0].line("get Logical_Switch s other_config");
    assert_eq!(keys.matches('=').count(), 2 * LINES, "{keys}");
    assert_eq!(daemons[0].line("lsp-list s").1.lines().count(), 2 * LINES);
}

#[test]
fn mistakes_come_back_with_the_exit_code_of_a_failure() {
    if !installed() {
        return;
    }
    let server = Server::start();
    let daemon = Daemon::start(&server, "daemon.ctl");
    for (line, why) in [
        ("ls-del nope", "ovn-nbctl: nope: switch name not found\n"),
        (
            "bogus",
            "ovn-nbctl: unknown command 'bogus'; use --help for help\n",
        ),
        ("list Bogus", "ovn-nbctl: unknown table \"Bogus\"\n"),
        (
            "-- --columns list NB_Global",
            "ovn-nbctl: missing argument to '--columns' option on 'list' command\n",
        ),
    ] {
        assert_eq!(daemon.line(line), (1, String::new(), why.to_owned()), "{line}");
    }
}

#[test]
fn the_packaged_client_is_served_too() {
    if !installed() {
        return;
    }
    let server = Server::start();
    let daemon = Daemon::start(&server, "daemon.ctl");
    let run = |line: &str| {
        let mut all = vec!["-u".to_owned(), daemon.socket.display().to_string()];
        all.extend(words(line));
        theirs(&all)
    };
    assert_eq!(run("ls-add a -- lsp-add a p").code, 0);
    assert!(run("lsp-list a").out.ends_with(" (p)\n"));
    assert_eq!(run("ls-del b").err, "ovn-nbctl: b: switch name not found\n");
}

#[test]
fn our_client_is_served_by_the_packaged_daemon() {
    if !installed() {
        return;
    }
    let server = Server::start();
    let socket = server.folder().join("theirs.ctl");
    let mut process = std::process::Command::new("ovn-nbctl")
        .arg(format!("--db={}", server.database()))
        .arg(format!("--unixctl={}", socket.display()))
        .arg(format!(
            "--pidfile={}",
            server.folder().join("theirs.pid").display()
        ))
        .args(["--detach", "--no-chdir"])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    assert!(process.wait().unwrap().success());
    let environment = Environment {
        daemon: Some(socket.display().to_string()),
        ..Environment::default()
    };
    let told = ours(environment, &words("ls-add a -- ls-list"));
    let pid = std::fs::read_to_string(server.folder().join("theirs.pid")).unwrap();
    let ended = std::process::Command::new("kill")
        .arg(pid.trim())
        .status()
        .unwrap();
    assert!(ended.success());
    assert_eq!(told.code, 0, "{}", told.err);
    assert!(told.out.ends_with(" (a)\n"), "{}", told.out);
}

#[test]
fn a_socket_that_is_gone_is_told_with_what_to_do() {
    let environment = Environment {
        daemon: Some("/nonexistent/daemon.ctl".to_owned()),
        ..Environment::default()
    };
    let told = ours(environment, &words("ls-list"));
    assert_eq!(told.code, 1);
    assert_eq!(
        told.err,
        "ovn-nbctl: /nonexistent/daemon.ctl: could not connect to ovn-nbctl daemon (No such file or directory); unset \
         OVN_NB_DAEMON to avoid using daemon\n"
    );
}

#[test]
fn a_database_that_is_not_there_is_told_at_once() {
    let told = ours(
        Environment::default(),
        &words("--db=unix:/nonexistent/nb.sock ls-list"),
    );
    assert_eq!(told.code, 1);
    assert_eq!(
        told.err,
        "ovn-nbctl: unix:/nonexistent/nb.sock: database connection failed (No such file or directory)\n"
    );
}

#[test]
fn a_daemon_that_is_asked_to_end_takes_its_socket_along() {
    if !installed() {
        return;
    }
    let server = Server::start();
    let mut daemon = Daemon::start(&server, "daemon.ctl");
    let request = br#"{"id": 1, "method": "exit", "params": []}"#;
    let mut stream = std::os::unix::net::UnixStream::connect(&daemon.socket).unwrap();
    std::io::Write::write_all(&mut stream, request).unwrap();
    let mut served = daemon.served.take().unwrap();
    daemon.runtime.block_on(served.exited());
    drop(served);
    until("the socket goes", || (!daemon.socket.exists()).then_some(()));
}

#[test]
fn requests_that_are_none_are_refused_and_others_go_on() {
    if !installed() {
        return;
    }
    let server = Server::start();
    let daemon = Daemon::start(&server, "daemon.ctl");
    for rubbish in [&b"{]"[..], b"[1,2", b"\xff\xff"] {
        let mut stream = std::os::unix::net::UnixStream::connect(&daemon.socket).unwrap();
        std::io::Write::write_all(&mut stream, rubbish).unwrap();
    }
    let mut stream = std::os::unix::net::UnixStream::connect(&daemon.socket).unwrap();
    let request = br#"{"id": 1, "method": "bogus", "params": []}{"id": 2, "method": "run", "params": [7]}"#;
    std::io::Write::write_all(&mut stream, request).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answers = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answers).unwrap();
    assert!(
        answers.contains("is not a valid command") && answers.contains("non-string argument"),
        "{answers}"
    );
    assert_eq!(daemon.line("ls-list").0, 0);
}

/// Nobody follows by himself here: the test does what ovn-northd does.
#[test]
fn a_line_waits_until_others_have_followed() {
    if !installed() {
        return;
    }
    let server = Server::start();
    let daemon = Daemon::start(&server, "daemon.ctl");
    let told = |column: &str| {
        let answer = server.transact(vec![json!({"op": "select", "table": "NB_Global", "where": []})]);
        answer[0]["rows"].get(0).and_then(|row| row[column].as_i64())
    };
    std::thread::scope(|scope| {
        let line = scope.spawn(|| daemon.line("--wait=hv --print-wait-time ls-add s"));
        until("the count is raised", || {
            told("nb_cfg").filter(|count| *count == 1)
        });
        let follow = |column: &str| {
            let row = json!({ column: 1 });
            server.transact(vec![
                json!({"op": "update", "table": "NB_Global", "where": [], "row": row}),
            ]);
        };
        follow("sb_cfg");
        assert!(!line.is_finished(), "the hypervisors are behind");
        follow("hv_cfg");
        let (code, out, why) = line.join().unwrap();
        assert_eq!((code, why.as_str()), (0, ""));
        assert!(
            out.starts_with("Time spent on processing nb_cfg 1:\n\tovn-northd delay"),
            "{out}"
        );
        assert_eq!(out.lines().count(), 4, "{out}");
    });
    // What changes nothing is not counted, and so not waited for.
    assert_eq!(daemon.line("--wait=hv --may-exist ls-add s").0, 0);
    assert_eq!(told("nb_cfg"), Some(1));
    // It happened; only the wait for others was given up.
    let late = daemon.line("--timeout=1 --wait=sb ls-add t");
    assert_eq!(late.0, 142, "{late:?}");
    until("the switch is there", || {
        daemon.line("ls-list").1.contains("(t)").then_some(())
    });
}
