//! A data directory that was made from a backup: what the DHCP service must know of it, and what people are told.

use crate::settings::{self, Settings};
use purlin_api::revisions::Revisions;
use purlin_config::Faults;
use purlin_dhcp_core::{HoldView, Recovery};
use purlin_store_embedded::Embedded;
use purlin_telemetry::health::{Bears, Check};
use purlin_types::WallTime;
use serde_json::{Value, json};

/// Revisions whose lease times are looked at: the backup's newest must be among them also when the first start was
/// broken off and new ones have come since.
const REVISIONS: usize = 16;

/// What the store was restored from, with the longest lease that its configurations and this one allow.
pub(super) async fn recovery(
    store: &Embedded,
    revisions: &Revisions,
    settings: &Settings,
) -> Option<Recovery> {
    let restored = store.restored()?;
    let mut longest = settings.services.dhcp.service.longest_lease();
    for meta in revisions.history(None, REVISIONS).await.unwrap_or_default() {
        if let Ok(config) = revisions.config(meta.number).await
            && let Some(settings) = settings::of_revision(&config, &mut Faults::new())
        {
            longest = longest.max(settings.services.dhcp.service.longest_lease());
        }
    }
    Some(Recovery {
        id: restored.id,
        taken: WallTime(restored.taken.saturating_mul(1000)),
        longest,
        hold: restored.hold,
    })
}

/// One sentence for the log, health and whoever asks.
pub(super) fn told(hold: HoldView) -> String {
    let taken = match hold.taken {
        0 => "a backup".to_owned(),
        secs => format!("the backup of {}", moment(secs)),
    };
    format!(
        "restored from {taken}: addresses whose owners it may not know are held back until {}",
        moment(hold.until)
    )
}

pub(super) fn as_json(hold: HoldView) -> Value {
    json!({
        "taken": (hold.taken != 0).then(|| moment(hold.taken)),
        "held_back_until": moment(hold.until),
    })
}

/// Works, but new clients wait.
pub(super) fn check(hold: Option<HoldView>) -> Check {
    const NAME: &str = "dhcp.restored";
    match hold {
        None => Check::pass(NAME, Bears::Advice, "nothing is held back after a restore"),
        Some(hold) => Check::warn(
            NAME,
            Bears::Advice,
            told(hold),
            "new clients wait until then; docs/howto/backup-and-restore.md says what can be done",
        ),
    }
}

fn moment(secs: u32) -> String {
    jiff::Timestamp::from_second(secs.into()).map_or_else(|_| secs.to_string(), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_is_told_with_both_moments_and_is_no_failure() {
        let hold = HoldView {
            taken: 1_763_700_000,
            until: 1_763_703_600,
        };
        let check = check(Some(hold));
        assert!(
            check.says.contains("2025-11-21T04:40:00Z") && check.says.contains("2025-11-21T05:40:00Z"),
            "{}",
            check.says
        );
        assert!(purlin_telemetry::Health { checks: vec![check] }.ready());
    }
}
