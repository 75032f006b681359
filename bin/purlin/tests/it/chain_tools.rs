//! Accounts in files, networks in directories, and proofs that are checked without a node.

use crate::harness::{Ended, Node, command, run_in};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const ADDRESS: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const SECRET: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

fn good(ended: Ended) -> String {
    assert_eq!(ended.code, 0, "{}", ended.err);
    ended.out
}

fn value(ended: Ended) -> Value {
    let text = good(ended);
    serde_json::from_str(&text).unwrap_or_else(|cause| panic!("{cause}: {text}"))
}

#[test]
fn an_account_is_kept_under_its_password_and_comes_out_again() {
    let dir = TempDir::new().unwrap();
    let here = dir.path();
    fs::write(here.join("key"), SECRET).unwrap();
    fs::write(here.join("password"), "correct horse\n").unwrap();
    fs::write(here.join("wrong"), "battery staple\n").unwrap();
    let account = |verb: &[&str]| run_in(here, &[&["chain", "account"][..], verb].concat());
    let import = [
        "import",
        "key",
        "--password-file",
        "password",
        "--light",
        "-o",
        "json",
    ];
    let kept = value(account(&import));
    assert_eq!(kept["address"], ADDRESS);
    let file = here.join(kept["file"].as_str().unwrap());
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!fs::read_to_string(&file).unwrap().contains(&SECRET[2..]));
    assert_eq!(account(&import).code, 4, "the same key twice");

    let made = value(account(&[
        "new",
        "--password-file",
        "password",
        "--light",
        "-o",
        "json",
    ]));
    let listed = value(account(&["list", "-o", "json"]));
    let addresses: Vec<&Value> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["address"])
        .collect();
    assert_eq!(addresses, [&kept["address"], &made["address"]]);

    let export = |password, file| account(&["export", ADDRESS, file, "--password-file", password]);
    assert_eq!(good(export("password", "-")).trim(), SECRET);
    good(export("password", "out"));
    assert_eq!(
        fs::metadata(here.join("out")).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(export("password", "out").code, 4, "a file is not overwritten");
    let refused = export("wrong", "-");
    assert_eq!((refused.code, refused.out.as_str()), (5, ""));
    assert!(refused.err.contains("the password is wrong"), "{}", refused.err);

    // What was written is read in elsewhere, with the password of the environment.
    let elsewhere = command(here)
        .args(["chain", "account", "import", "--data-dir", "elsewhere"])
        .arg(&file)
        .env("PURLIN_CHAIN_PASSWORD", "correct horse")
        .output()
        .unwrap();
    good(elsewhere.into());

    // The same in the form of EIP-2335, where a control character in the password counts for nothing.
    let form = ["--format", "eip2335", "--password-file", "password"];
    good(account(&[&["export", ADDRESS, "four"][..], &form].concat()));
    let four = fs::read_to_string(here.join("four")).unwrap();
    assert!(!four.contains(&SECRET[2..]), "{four}");
    let document: Value = serde_json::from_str(&four).unwrap();
    assert_eq!(document["version"], 4);
    fs::write(here.join("typed"), "correct\u{7f} horse\n").unwrap();
    let third = ["--data-dir", "third", "--password-file", "typed"];
    let taken = value(account(&[&["import", "four", "-o", "json"][..], &third].concat()));
    assert_eq!(taken["address"], ADDRESS);
    let clear = account(&[&["export", ADDRESS, "-"][..], &third].concat());
    assert_eq!(good(clear).trim(), SECRET);

    let missing = account(&["export", "0x0000000000000000000000000000000000000001", "-"]);
    assert_eq!(missing.code, 3, "{}", missing.err);
}

#[test]
fn a_network_is_laid_out_with_configurations_that_are_right() {
    let dir = TempDir::new().unwrap();
    let init = [
        "chain",
        "init",
        "--validators",
        "4",
        "--out",
        "net",
        "--fund",
        &format!("{ADDRESS}=0.5"),
    ];
    let laid = value(run_in(dir.path(), &[&init[..], &["-o", "json"]].concat()));
    assert_eq!(laid["validators"].as_array().unwrap().len(), 4);
    for validator in laid["validators"].as_array().unwrap() {
        let config = validator["config"].as_str().unwrap();
        good(run_in(dir.path(), &["config", "check", config]));
    }
    assert_eq!(run_in(dir.path(), &init).code, 4, "nothing is overwritten");
    let many = ["chain", "init", "--validators", "51", "--out", "many"];
    assert_eq!(run_in(dir.path(), &many).code, 2);
    assert_eq!(run_in(dir.path(), &["chain", "init"]).code, 2);
}

/// A network of one validator, on ports that nobody has.
fn one_validator() -> (Node, PathBuf, TempDir) {
    let dir = TempDir::new().unwrap();
    let init = [
        "chain",
        "init",
        "--validators",
        "1",
        "--out",
        "net",
        "--period",
        "100ms",
    ];
    let fund = format!("{ADDRESS}=10000");
    let laid = value(run_in(
        dir.path(),
        &[&init[..], &["--fund", &fund, "-o", "json"]].concat(),
    ));
    let config = fs::read_to_string(laid["validators"][0]["config"].as_str().unwrap()).unwrap();
    let mut free = String::new();
    for (i, part) in config.split("127.0.0.1:").enumerate() {
        if i > 0 {
            free.push_str("127.0.0.1:0");
        }
        free.push_str(part.trim_start_matches(|c: char| i > 0 && c.is_ascii_digit()));
    }
    let data = dir.path().join("net/validator-1/data");
    (Node::start(&free), data, dir)
}

fn proof(node: &Node, data: &Path, more: &[&str]) -> Ended {
    let data = data.to_str().unwrap();
    let begin = ["chain", "proof", ADDRESS, "--slot", "0", "--data-dir", data];
    node.run(&[&begin[..], more].concat())
}

#[test]
fn what_a_node_says_is_proven_without_it_and_a_forgery_is_not() {
    let (node, data, dir) = one_validator();
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut asked = proof(&node, &data, &["--block", "1"]);
    while asked.code != 0 {
        assert!(Instant::now() < deadline, "there is no block: {}", asked.err);
        asked = proof(&node, &data, &["--block", "1"]);
    }
    let bundle = value(asked);
    good(proof(&node, &data, &["--out", "head.json"]));
    let validators = [
        "chain",
        "validators",
        "--data-dir",
        data.to_str().unwrap(),
        "-o",
        "json",
    ];
    let validators = value(node.run(&validators));
    assert_eq!(
        (&validators["quorum"], &validators["validators"][0]["up"]),
        (&json!(1), &json!(true))
    );
    let (_, life) = node.stop();
    let head = fs::read_to_string(life.path().join("head.json")).unwrap();

    let verify = |bundle: &Value| {
        fs::write(dir.path().join("proof.json"), bundle.to_string()).unwrap();
        run_in(
            dir.path(),
            &[
                "chain",
                "verify",
                "proof.json",
                "--genesis",
                "net/genesis.json",
                "-o",
                "json",
            ],
        )
    };
    let proven = value(verify(&bundle));
    assert_eq!((&proven["block"], &proven["ether"]), (&json!(1), &json!("10000")));
    assert_eq!(
        (&proven["address"], &proven["power_signed"]),
        (&json!(ADDRESS), &json!(1))
    );
    good(verify(&serde_json::from_str(&head).unwrap()));

    let mut forged = bundle.clone();
    forged["account"]["balance"] = json!("0x1");
    let refused = verify(&forged);
    assert_eq!((refused.code, refused.out.as_str()), (1, ""));
    assert!(refused.err.contains("not proven"), "{}", refused.err);
    // Another chain's validators have signed nothing of this.
    let init = ["chain", "init", "--validators", "1", "--out", "other"];
    good(run_in(dir.path(), &init));
    let other = ["chain", "verify", "proof.json", "--genesis", "other/genesis.json"];
    fs::write(dir.path().join("proof.json"), bundle.to_string()).unwrap();
    let refused = run_in(dir.path(), &other);
    assert_eq!(refused.code, 1);
    assert!(
        refused.err.contains("it is of the chain that began with"),
        "{}",
        refused.err
    );
    let no_proof = verify(&json!({"format": "purlin-proof/1"}));
    assert_eq!(no_proof.code, 1, "{}", no_proof.err);
}

#[test]
fn a_lone_validators_vote_is_a_quorum_and_a_stranger_has_none() {
    let (node, data, dir) = one_validator();
    let data = data.to_str().unwrap();
    let key = dir.path().join("net/validator-1/validator.key");
    let vote = |key: &Path, words: &[&str]| {
        let how = [
            "--key-file",
            key.to_str().unwrap(),
            "--data-dir",
            data,
            "-o",
            "json",
        ];
        node.run(&[&["chain", "vote"][..], words, &how].concat())
    };
    let decided = value(vote(&key, &["period", "200ms"]));
    assert_eq!(
        (&decided["power"], &decided["quorum"], &decided["decided"]),
        (&json!(1), &json!(1), &json!(true))
    );
    assert_eq!(decided["version"], 1);
    let stranger = dir.path().join("stranger");
    fs::write(&stranger, SECRET).unwrap();
    let from = decided["in_force_from"].as_u64().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let told = ["chain", "validators", "--data-dir", data, "-o", "json"];
        let told = value(node.run(&told));
        if told["version"] == 1 && told["height"].as_u64().unwrap() > from {
            assert_eq!((&told["period_ms"], &told["from"]), (&json!(200), &json!(from)));
            break;
        }
        assert!(Instant::now() < deadline, "{told}");
    }
    let refused = vote(&stranger, &["gas-limit", "600000000"]);
    assert_eq!(refused.code, 5, "{}", refused.err);
    assert!(refused.err.contains("only validators vote"), "{}", refused.err);
    let same = vote(&key, &["period", "200ms"]);
    assert_eq!(same.code, 4, "{}", same.err);
    assert!(same.err.contains("the period is that already"), "{}", same.err);
    // The new one would have to be up, for two of two must agree.
    let refused = vote(&key, &["add", ADDRESS]);
    assert_eq!(refused.code, 4, "{}", refused.err);
    assert!(refused.err.contains("--force"), "{}", refused.err);
}

#[test]
fn nobody_there_is_said_with_6() {
    let dir = TempDir::new().unwrap();
    for words in [&["chain", "validators"][..], &["chain", "proof", ADDRESS]] {
        let ended = run_in(dir.path(), &[words, &["--rpc", "http://127.0.0.1:1"]].concat());
        assert_eq!(ended.code, 6, "{}", ended.err);
        assert!(
            ended.err.contains("no JSON-RPC answers at http://127.0.0.1:1"),
            "{}",
            ended.err
        );
    }
}
