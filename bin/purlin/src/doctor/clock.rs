//! The wall clock: leases are dated by it, and clients count from it after a restart.

use super::Finding;
use std::path::Path;
use std::process::Command;

const CHECK: &str = "clock";
/// Before this the clock has surely never been set (1 January 2025).
const PLAUSIBLE_SECS: i64 = 1_735_689_600;

pub(super) fn check() -> Vec<Finding> {
    let now = jiff::Timestamp::now();
    if now.as_second() < PLAUSIBLE_SECS {
        let said = format!("the clock says {now}, which is before this program was written");
        return vec![Finding::fail(CHECK, said, "timedatectl set-ntp true")];
    }
    vec![synchronised(is_synchronised())]
}

fn synchronised(known: Option<bool>) -> Finding {
    match known {
        Some(true) => Finding::pass(CHECK, "synchronised with a time source"),
        Some(false) => Finding::warn(
            CHECK,
            "not synchronised: leases written here may be dated wrongly for other nodes and for you",
            "timedatectl set-ntp true, or run chronyd",
        ),
        None => Finding::warn(
            CHECK,
            "nobody on this machine says whether it is synchronised (containers take the host's clock)",
            "check the host: timedatectl, or chronyc tracking",
        ),
    }
}

/// Asks who knows: systemd-timesyncd's mark, timedatectl, chronyd.
fn is_synchronised() -> Option<bool> {
    if Path::new("/run/systemd/timesync/synchronized").exists() {
        return Some(true);
    }
    let timedatectl = answer("timedatectl", &["show", "-p", "NTPSynchronized", "--value"]);
    if let Some(answer) = timedatectl {
        return Some(answer.trim() == "yes");
    }
    let tracking = answer("chronyc", &["-n", "tracking"])?;
    Some(
        tracking
            .lines()
            .any(|line| line.starts_with("Leap status") && line.ends_with("Normal")),
    )
}

fn answer(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Grade;

    #[test]
    fn an_unknown_state_is_a_warning_and_no_pass() {
        assert_eq!(synchronised(None).grade, Grade::Warn);
        assert_eq!(synchronised(Some(false)).grade, Grade::Warn);
        assert_eq!(synchronised(Some(true)).grade, Grade::Pass);
    }
}
