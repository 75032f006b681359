//! Rules left out, and a seed that notices.
//!
//! Every rule of `purlin_sim::RULES` with a seed has a test here. What the simulator cannot express, or has not been seen to
//! notice, has its test elsewhere: the table in `docs/operating/simulator.md` says where.

use purlin_sim::{Broken, Level, Mutation, run_mix};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Seeds tried when the rule's own does not notice any more, as after a change to what is decided or drawn.
const MOST: u64 = 600;

/// Some seed notices that a rule is missing, and nothing is wrong with it when the rule is there.
fn is_noticed(without: Mutation) {
    let own = without.rule().seed;
    let seen = own
        .and_then(|seed| broken(seed, without))
        .or_else(|| look_on(without));
    let (seed, broken) = seen.unwrap_or_else(|| panic!("{without:?}: no seed up to {MOST} notices"));
    println!("{without:?}: seed {seed}: {} {}", broken.rule, broken.what);
    let whole = run_mix(seed, without.rule().mix, None, Level::Silent);
    assert_eq!(whole.broken, None, "seed {seed} breaks with the rule, too");
}

fn broken(seed: u64, without: Mutation) -> Option<(u64, Broken)> {
    run_mix(seed, without.rule().mix, Some(without), Level::Silent)
        .broken
        .map(|broken| (seed, broken))
}

/// The first seed from 1 on, about, that notices.
fn look_on(without: Mutation) -> Option<(u64, Broken)> {
    let (next, seen) = (AtomicU64::new(1), Mutex::new(None));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > MOST {
                        return;
                    }
                    if let Some(found) = broken(seed, without) {
                        next.store(MOST + 1, Ordering::Relaxed);
                        *seen.lock().expect("nobody panics with it") = Some(found);
                    }
                }
            });
        }
    });
    seen.into_inner().expect("nobody panicked with it")
}

macro_rules! rules {
    ($($name:ident: $mutation:ident,)*) => {
        $(
            #[test]
            fn $name() {
                is_noticed(Mutation::$mutation);
            }
        )*

        #[test]
        fn every_rule_with_a_seed_has_a_test() {
            let tested = [$(Mutation::$mutation,)*];
            for rule in purlin_sim::RULES.iter().filter(|rule| rule.seed.is_some()) {
                assert!(tested.contains(&rule.mutation), "{} has a seed and no test", rule.name);
            }
        }
    };
}

rules! {
    the_tenure_is_missed: NoTenure,
    counting_from_the_sending_is_missed: CountFromAnswer,
    the_clock_that_counts_sleep_is_missed: SleepingClock,
    the_bound_of_the_lead_time_is_missed: LongLead,
    the_window_is_missed: NoWindow,
    the_commit_before_the_reply_is_missed: NoCommit,
    the_wait_before_an_address_changes_hands_is_missed: NoReuseWait,
    the_quarantine_is_missed: NoQuarantine,
    the_record_of_a_decline_is_missed: LostDecline,
    the_fence_is_missed: NoFence,
    the_lock_of_the_fence_is_missed: UnlockedFence,
    heeding_setbacks_is_missed: DeafToSetbacks,
    the_durable_suspicion_is_missed: ForgetfulSuspect,
    the_flush_before_the_release_is_missed: ReleaseUnflushed,
    the_doubt_about_refused_records_is_missed: ReleaseRefused,
    reading_after_the_grant_is_missed: EarlyLoad,
    the_number_of_renewals_is_missed: SilentRenewal,
    the_refusal_of_a_second_life_is_missed: Twins,
    the_timeline_is_missed: BlindToFailover,
    the_end_of_former_claims_is_missed: OldClaimsFence,
    the_wait_after_a_failover_is_missed: EagerAfterFailover,
    the_second_copy_is_missed: NoSecondCopy,
    saying_again_is_missed: NoReassert,
    the_distrust_after_a_failover_is_missed: TrustAfterFailover,
    deciding_without_hints_is_missed: HintsDecide,
    the_comparison_of_wall_clocks_is_missed: DeafToSkew,
    the_patience_of_contenders_is_missed: Impatient,
    answers_to_renewals_are_missed: HopefulRenewal,
    serving_who_is_recorded_at_once_is_missed: SilentSuccessor,
    the_order_of_rows_is_missed: RowsOutOfOrder,
    one_row_for_a_client_is_missed: NoUnique,
    the_history_of_rows_is_missed: AnyHistory,
    the_steady_clock_is_missed: WallLeases,
    the_version_of_a_fill_is_missed: OvertakenFill,
    the_numbers_of_notes_are_missed: DeafToGaps,
    heeding_missed_notes_is_missed: DeafToMissed,
    the_history_of_notes_is_missed: AnyNotes,
    the_commit_before_the_announcement_is_missed: HastyAnnouncement,
    the_short_life_of_values_without_news_is_missed: TrustingCache,
    the_generation_of_a_session_is_missed: AnyGeneration,
    comparing_the_generation_of_a_move_is_missed: BlindMove,
    heeding_the_registry_is_missed: DeafToConflict,
    the_word_about_a_gap_is_missed: SilentGap,
    the_limits_of_scaling_are_missed: NoLimits,
    the_windows_of_scaling_are_missed: NoWindows,
    the_record_before_the_deed_is_missed: UnwrittenDeed,
    looking_back_at_deeds_is_missed: ForgetfulLeader,
}
