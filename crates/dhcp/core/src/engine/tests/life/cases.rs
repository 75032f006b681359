//! Lives that once ended with one address in two hands, each named for what was wrong.

use super::Event::{Clock, Decline, Dora, Pass, Plan, Renew, Restart, Restore};
use super::live;

const UNCLEAN: super::Event = Restart {
    lose: 0,
    exact: false,
};
const CUT_OFF: super::Event = Restart {
    lose: 1,
    exact: false,
};

#[test]
fn a_freed_address_keeps_its_version_where_its_subnet_goes() {
    let bound_and_freed = [Dora(5), Dora(1), Decline(5), Dora(1), Dora(1), Dora(1)];
    let restored = [Clock(52184), Clock(30366), Restore(96), Pass(3850)];
    let moved = [Plan(5), Dora(2), Plan(4), Dora(4)];
    live(false, &[&bound_and_freed[..], &restored[..], &moved[..]].concat());
}

#[test]
fn a_freed_address_keeps_its_version_when_its_network_is_renamed() {
    let bound_and_freed = [Dora(14), Dora(1), Decline(14), Clock(30866), Clock(51868)];
    let restored = [Restore(154), Pass(2409), Pass(1257)];
    let renamed = [Plan(2), Dora(2), UNCLEAN, Pass(0), Dora(3)];
    live(
        false,
        &[&bound_and_freed[..], &restored[..], &renamed[..]].concat(),
    );
}

#[test]
fn an_unclean_start_doubts_records_from_before_the_clock_was_set_back() {
    let lost_renewal = [Dora(5), Pass(1558), Dora(10), Dora(3), Dora(5), CUT_OFF];
    let set_back = [Clock(-1559), Dora(6), UNCLEAN, Pass(2042)];
    let others = [Dora(1), Dora(11), Dora(7), Dora(12), Dora(2)];
    live(false, &[&lost_renewal[..], &set_back[..], &others[..]].concat());
}

#[test]
fn a_lead_promise_after_the_clock_was_set_forward_outlasts_the_recorded_bound() {
    let bound = [Dora(10), Renew(1), Renew(1), Dora(10), Dora(6), Dora(5)];
    let ahead = [Pass(3153), Clock(2401), Plan(1), Dora(5)];
    live(
        true,
        &[&bound[..], &ahead[..], &[CUT_OFF, Pass(447), Dora(1)][..]].concat(),
    );
}
