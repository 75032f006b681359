//! One life of a process. A number alone names no process for long: the kernel gives it to the next one.

use std::fs;
use std::io;
use std::process;

/// Differs from one start of the machine to the next.
const BOOT: &str = "/proc/sys/kernel/random/boot_id";
/// Fields of `/proc/PID/stat` behind the name in brackets, from 0 (proc_pid_stat(5) counts the number and the name as 1
/// and 2).
const STATE: usize = 0;
const STARTED: usize = 19;

/// The life of the process that now has this number: which start of the machine, and the clock tick behind it at which
/// the process began. `None` of one that has ended and that nobody has reaped.
///
/// # Errors
/// When there is no such process, or /proc hides what belongs to others (`hidepid`).
pub(crate) fn of(pid: u32) -> io::Result<Option<String>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let boot = fs::read_to_string(BOOT).unwrap_or_default();
    Ok(started(&stat).map(|tick| format!("{}/{tick}", boot.trim())))
}

/// Of this process; `None` without /proc.
pub(crate) fn own() -> Option<String> {
    of(process::id()).ok().flatten()
}

/// A name may hold brackets and blanks itself, so what is behind the last bracket counts.
fn started(stat: &str) -> Option<&str> {
    let (_, behind) = stat.rsplit_once(')')?;
    let mut fields = behind.split_ascii_whitespace();
    let state = fields.nth(STATE)?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    fields.nth(STARTED - STATE - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn the_start_is_read_behind_any_name() {
        let stat = |name: &str, state: char| {
            format!(
                "7 ({name}) {state} 1 7 7 0 -1 4194560 99 0 0 0 5 6 0 0 20 0 3 0 123456 1000 2 18446744073709551615\n"
            )
        };
        assert_eq!(started(&stat("purlin", 'S')), Some("123456"));
        assert_eq!(started(&stat("a) Z (b", 'R')), Some("123456"));
        assert_eq!(started(&stat("purlin", 'Z')), None);
        assert_eq!(started(""), None);
    }

    #[test]
    fn a_life_stays_the_same_and_ends_before_it_is_reaped() {
        assert!(own().is_some());
        assert_eq!(of(process::id()).unwrap(), own());
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        let pid = child.id();
        assert_ne!(of(pid).unwrap(), None);
        child.kill().unwrap();
        // It is told dead as soon as the kernel has ended it, and only then it can be waited for.
        while of(pid).unwrap().is_some() {}
        child.wait().unwrap();
        assert_eq!(of(pid).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
