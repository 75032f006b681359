use super::*;
use purlin_dhcp_core::view::PoolUse;

const HOUR: u64 = 3600;
const START: u64 = 1_700_000_000;

fn pool(range: &str, bound: u64, declined: u64) -> PoolUse {
    PoolUse {
        range: range.parse().expect("a range"),
        bound,
        offered: 3,
        declined,
        reusable: 2,
    }
}

fn subnet(name: &str, pools: Vec<PoolUse>) -> SubnetUse {
    SubnetUse {
        subnet: name.into(),
        size: pools.iter().map(|pool| pool.range.count()).sum(),
        // With what is reserved outside of the pools.
        bound: pools.iter().map(|pool| pool.bound).sum::<u64>() + 50,
        pools,
        ..SubnetUse::default()
    }
}

/// So many hours, with the use that `used` says.
fn history(hours: u64, used: impl Fn(u64) -> u64) -> UseHistory {
    let mut history = UseHistory::default();
    for hour in 0..hours {
        history.push(Sample {
            at: START + hour * HOUR,
            used: used(hour),
        });
    }
    history
}

/// Two pools of a subnet, of which one fills by two an hour while the other empties as fast; ten days were seen.
fn guests_come_and_staff_goes() -> Vec<Prospect> {
    let usage = [subnet(
        "hall",
        vec![
            pool("10.0.0.0-10.0.3.231", 700, 0),
            pool("10.0.8.0-10.0.11.231", 218, 2),
        ],
    )];
    let known = [
        ("hall", history(240, |_| 920)),
        (
            "hall\u{1f}10.0.0.0-10.0.3.231",
            history(240, |hour| 220 + 2 * hour),
        ),
        (
            "hall\u{1f}10.0.8.0-10.0.11.231",
            history(240, |hour| 700 - 2 * hour),
        ),
    ];
    let known = known.map(|(key, history)| (key.to_owned(), history)).into();
    prospects(&usage, &known, START + 240 * HOUR)
}

#[test]
fn s0_53_a_pool_that_fills_is_seen_though_its_subnet_stays_as_full_as_it_was() {
    let all = guests_come_and_staff_goes();
    let [whole, guests, staff] = &all[..] else {
        panic!("{all:?}")
    };
    assert_eq!((whole.pool, whole.size, whole.used), (None, 2000, 920));
    assert_eq!(whole.full_in(), None, "{}", whole.words());
    assert_eq!((guests.size, guests.used, staff.used), (1000, 700, 220));
    let hours = guests.full_in().expect("in sight").as_secs() / HOUR;
    assert!((145..=155).contains(&hours), "{}", guests.words());
    assert_eq!(guests.confidence(), Confidence::High);
    assert!(
        matches!(staff.seen, Forecast::Shrinking { .. }),
        "{}",
        staff.words()
    );
}

#[test]
fn one_pool_alone_is_its_subnet_and_none_is_nothing() {
    let usage = [
        subnet("one", vec![pool("10.1.0.0-10.1.0.9", 4, 1)]),
        subnet("none", Vec::new()),
    ];
    let known = [("one".to_owned(), history(24, |_| 5))].into();
    let all = prospects(&usage, &known, START + 24 * HOUR);
    let [one] = &all[..] else { panic!("{all:?}") };
    assert_eq!(one.pool, "10.1.0.0-10.1.0.9".parse().ok());
    assert_eq!(
        (one.used, one.samples),
        (5, 25),
        "what is reserved elsewhere takes nothing"
    );
}

#[test]
fn s0_53_the_leader_names_the_pool_that_is_short_first_and_what_helps() {
    let outlook = Outlook::default();
    assert_eq!(outlook.shortage(), None);
    let mut all = guests_come_and_staff_goes();
    outlook.set(all.clone());
    let said = outlook.shortage().expect("one fills");
    assert!(
        said.starts_with("pool 10.0.0.0-10.0.3.231 of subnet \"hall\" is full in about 6 days")
            && said.ends_with(". More addresses help there, more nodes do not"),
        "{said}"
    );
    // What is full already comes first, and is one of two.
    all[2].seen = Forecast::Full;
    outlook.set(all.clone());
    let said = outlook.shortage().expect("two are short");
    assert!(
        said.contains("pool 10.0.8.0-10.0.11.231") && said.contains("another one is short as well"),
        "{said}"
    );
    // A morning's rise moves nobody.
    all.remove(2);
    all[1].span = 6 * HOUR;
    outlook.set(all);
    assert_eq!(outlook.shortage(), None);
}

#[test]
fn s0_53_what_the_leader_expects_is_shown_by_pool() {
    let outlook = Outlook::default();
    outlook.set(guests_come_and_staff_goes());
    let mut encoder = Encoder::default();
    outlook.collect(&mut encoder);
    assert!(encoder.faults().is_empty(), "{:?}", encoder.faults());
    let text = encoder.text();
    let labels = "{subnet=\"hall\",pool=\"10.0.0.0-10.0.3.231\"}";
    let line = |name: &str| format!("{name}{labels} ");
    assert!(
        text.contains(&format!("{}0.7\n", line("purlin_dhcp_pool_used_ratio"))),
        "{text}"
    );
    let full = text
        .lines()
        .filter(|line| line.starts_with("purlin_dhcp_pool_full_seconds"));
    let full: Vec<&str> = full.collect();
    assert!(
        full.len() == 1 && full[0].starts_with(&line("purlin_dhcp_pool_full_seconds")),
        "{full:?}"
    );
}
