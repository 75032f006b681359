mod load_and_history;
mod steady;
mod table;

use super::*;
use std::time::Duration;

fn at(secs: u64) -> BootTime {
    BootTime(0).plus_millis(secs * 1000)
}

/// From one look to the next.
const LOOK: Duration = Duration::from_secs(15);

/// The seed's settings, switched on.
fn seed_settings() -> ScalingSettings {
    ScalingSettings {
        enabled: true,
        ..ScalingSettings::default()
    }
}

fn node(cpu: f64) -> NodeLoad {
    NodeLoad {
        ready: true,
        cpu: Some(cpu),
        memory: Some(20.0),
        ..NodeLoad::default()
    }
}
