//! Rules left out, and a seed that notices. The other rules of `purlin_sim::RULES` want more seeds than an ordinary run has:
//! `cargo xtask sim --without NAME --first`.
//!
//! One rule has no test, because leaving it out alone breaks nothing that a client or a node could see: the look at the
//! tenure right before a reply leaves. What was decided under the tenure is within what a successor waits out, and what
//! waits for its record is refused by the fence.

use purlin_sim::{Level, Mutation, run};

/// Seeds tried when the rule's own does not notice any more.
const MOST: u64 = 60;

/// Some seed notices that a rule is missing, and nothing is wrong with it when the rule is there.
fn is_noticed(without: Mutation) {
    let own = without.rule().seed;
    let mut seeds = own.into_iter().chain(1..MOST);
    let seen = seeds.find_map(|seed| run(seed, Some(without), Level::Silent).broken.map(|b| (seed, b)));
    let (seed, broken) = seen.unwrap_or_else(|| panic!("{without:?}: no seed below {MOST} notices"));
    println!("{without:?}: seed {seed}: {} {}", broken.rule, broken.what);
    let whole = run(seed, None, Level::Silent);
    assert_eq!(whole.broken, None, "seed {seed} breaks with the rule, too");
}

macro_rules! rules {
    ($($name:ident: $mutation:ident,)*) => {
        $(
            #[test]
            fn $name() {
                is_noticed(Mutation::$mutation);
            }
        )*
    };
}

rules! {
    counting_from_the_sending_is_missed: CountFromAnswer,
    the_clock_that_counts_sleep_is_missed: SleepingClock,
    the_bound_of_the_lead_time_is_missed: LongLead,
    the_commit_before_the_reply_is_missed: NoCommit,
    the_fence_is_missed: NoFence,
    heeding_setbacks_is_missed: DeafToSetbacks,
    the_flush_before_the_release_is_missed: ReleaseUnflushed,
    the_doubt_about_refused_records_is_missed: ReleaseRefused,
    the_number_of_renewals_is_missed: SilentRenewal,
}
