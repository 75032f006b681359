//! What every store of hints must do.
//!
//! Time: what lapses does so within a second after its time, and never before. A rig over a real server waits in
//! [`HintsRig::pass`]; the checks ask for a few seconds together.

mod beats;
mod faults;
mod locks;
mod messages;
mod sessions;
mod values;

use crate::port::{HintFault, Hints, Later, Subscription};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A service for one check, and the faults it can simulate.
pub trait HintsRig: Send + Sync {
    /// Another node's way to the rig's service.
    fn hints(&self) -> Later<'_, Arc<dyn Hints>>;

    /// Lets so much time pass for the service: waits, or moves its clock.
    fn pass(&self, time: Duration) -> Later<'_, ()>;

    /// Breaks every connection once; they may come back by themselves at once. `false` when the rig cannot.
    fn cut(&self) -> Later<'_, bool> {
        Box::pin(async { false })
    }

    /// Empties the service behind everybody's back; `false` when the rig cannot.
    fn flush(&self) -> Later<'_, bool> {
        Box::pin(async { false })
    }

    /// Takes the service away until called with `false`; returns `false` when the rig cannot. It may have forgotten
    /// everything when it is back.
    fn away(&self, _away: bool) -> Later<'_, bool> {
        Box::pin(async { false })
    }
}

/// Runs every check, each on a rig of its own.
///
/// # Panics
/// When the engine breaks its contract.
pub async fn all<R: HintsRig>(make: impl AsyncFn() -> R) {
    beats::a_sign_of_life_is_seen_by_all_and_lapses(&make().await).await;
    beats::a_node_hushes_only_its_own_life(&make().await).await;
    sessions::a_session_is_found_refreshed_and_lapses(&make().await).await;
    sessions::a_session_that_is_elsewhere_is_a_conflict(&make().await).await;
    sessions::a_move_raises_the_generation_and_retires_the_former_id(&make().await).await;
    sessions::one_of_many_movers_wins(&make().await).await;
    sessions::a_session_ends_unless_it_has_moved_on(&make().await).await;
    sessions::sessions_are_listed_in_order_page_by_page(&make().await).await;
    locks::a_lock_is_held_by_one_and_lapses(&make().await).await;
    locks::one_of_many_gets_a_lock(&make().await).await;
    locks::only_the_token_extends_and_unlocks(&make().await).await;
    messages::all_subscribers_hear_a_channel_in_order(&make().await).await;
    messages::only_the_channels_asked_for_are_heard(&make().await).await;
    messages::nothing_is_lost_silently_by_a_cut(&make().await).await;
    values::a_value_is_recalled_until_it_lapses(&make().await).await;
    values::patterns_name_keys_as_globs(&make().await).await;
    values::forgetting_all_values_leaves_all_else(&make().await).await;
    faults::an_emptied_service_works_on(&make().await).await;
    faults::a_service_that_is_away_says_so_and_comes_back(&make().await).await;
}

/// What lapses in a check is given this long.
const SHORT: Duration = Duration::from_secs(1);
/// By then it must have lapsed.
const LONGER: Duration = Duration::from_millis(2100);
/// What must not lapse during a check, on the most loaded machine.
const LONG: Duration = Duration::from_secs(600);
/// Between two tries of what needs a reconnection.
const PAUSE: Duration = Duration::from_millis(50);
/// Tries before a check gives up.
const TRIES: u32 = 400;

/// The conflict that it must be.
pub(crate) fn conflict<T: fmt::Debug>(outcome: Result<T, HintFault>) {
    match outcome {
        Err(HintFault::Conflict) => {}
        other => panic!("no conflict: {other:?}"),
    }
}

/// What the next message says; a cut is not expected.
pub(crate) async fn heard(subscription: &mut dyn Subscription) -> (String, Vec<u8>) {
    let message = subscription.next().await.expect("the line is whole");
    (message.channel, message.body)
}
