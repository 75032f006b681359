//! Validators as processes: judged like any chain, and killed at any moment.

use purlin_conformance::{Judge, Lab, Validators, left_for_all};
use std::time::{Duration, Instant};

/// How often the long run kills; `PURLIN_TEST_KILLS` says another number.
const KILLS: usize = 200;
/// From block to block.
const PERIOD: Duration = Duration::from_millis(250);

#[test]
fn ethers_is_content_with_four_validators() {
    let Some(lab) = Judge::Ethers.lab() else {
        return;
    };
    let validators = Validators::of(&lab, 4, "1s");
    validators.all_reach(2);
    let (http, websocket) = Validators::addresses(2);
    let _ = Judge::Ethers.judges(&lab, &http, &websocket);
    let _ = validators.hash(validators.highest().saturating_sub(1));
}

#[test]
fn votes_of_ethers_change_the_period_and_the_validators() {
    let Some(lab) = Judge::Votes.lab() else {
        return;
    };
    let validators = Validators::of(&lab, 4, "250ms");
    validators.all_reach(2);
    let keys: Vec<String> = (1..=4).map(|n| validators.key_file(n)).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let (http, websocket) = Validators::addresses(1);
    let _ = Judge::Votes.judges_with(&lab, &http, &websocket, &keys);
    let then = validators.highest();
    validators.all_reach(then + 1);
    let _ = validators.hash(then);
}

#[test]
fn s3_validators_that_are_killed_lose_no_block_and_make_no_fork() {
    kill(8);
}

#[test]
fn s3_validators_outlive_two_hundred_kills() {
    if !left_for_all() {
        let asked = std::env::var("PURLIN_TEST_KILLS");
        kill(asked.map_or(KILLS, |asked| {
            asked.parse().expect("PURLIN_TEST_KILLS is a number")
        }));
    }
}

/// Each in its turn; every third time another one at once, so that nothing can be decided meanwhile. The moment within a
/// period differs from time to time.
fn kill(times: usize) {
    let Some(lab) = Lab::new(&["curl"]) else {
        return;
    };
    let mut validators = Validators::of(&lab, 4, &format!("{}ms", PERIOD.as_millis()));
    validators.all_reach(2);
    let mut known = Vec::new();
    let mut back = Duration::ZERO;
    for time in 0..times {
        let mut victims = vec![time % 4 + 1];
        victims.extend((time % 3 == 2).then_some((time + 2) % 4 + 1));
        // Steps of the golden ratio come near every moment.
        std::thread::park_timeout(PERIOD.mul_f64((time as f64 * 0.618_034).fract()));
        victims.iter().for_each(|n| validators.kill(*n));
        let before = validators.highest();
        let start = Instant::now();
        victims.iter().for_each(|n| validators.start(*n));
        validators.all_reach(before + 1);
        back = back.max(start.elapsed());
        known.push((before, validators.hash(before)));
    }
    for (number, hash) in known {
        assert_eq!(validators.hash(number), hash, "what was final stays");
    }
    println!("{times} times killed; all had gone on after {back:.1?} at most");
}
