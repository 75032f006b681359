//! The data directory: who may read it, how much fits, how long a sync takes.

use super::Finding;
use std::fs::{File, Metadata};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// A million leases with their checkpoints fit well into this.
const FREE_WANTED: u64 = 1 << 30;
/// Below this no checkpoint fits any more.
const FREE_NEEDED: u64 = 64 << 20;
const SYNCS: usize = 8;
/// A durable answer waits for one sync: above this clients notice.
const SYNC_SLOW: Duration = Duration::from_millis(20);

pub(super) fn check(data_dir: &Path) -> Vec<Finding> {
    let shown = data_dir.display();
    let Ok(about) = std::fs::metadata(data_dir) else {
        return vec![Finding::pass(
            "data",
            format!("{shown} does not exist yet; `purlin up` makes it"),
        )];
    };
    if !about.is_dir() {
        return vec![Finding::fail(
            "data",
            format!("{shown} is no directory"),
            "name another with --data-dir",
        )];
    }
    vec![permissions(data_dir, &about), space(data_dir), sync(data_dir)]
}

fn permissions(data_dir: &Path, about: &Metadata) -> Finding {
    let shown = data_dir.display();
    let mode = about.mode() & 0o777;
    if mode & 0o077 != 0 {
        let said =
            format!("{shown} can be read by others (mode {mode:04o}); it holds the CA key and a token");
        return Finding::warn("data", said, format!("chmod 700 {shown}"));
    }
    let me = rustix::process::geteuid().as_raw();
    if me != 0 && about.uid() != me {
        let said = format!("{shown} belongs to user {}, not to you ({me})", about.uid());
        return Finding::fail(
            "data",
            said,
            format!("chown -R {me} {shown}, or run as its owner"),
        );
    }
    Finding::pass("data", format!("{shown} is private (mode {mode:04o})"))
}

fn space(data_dir: &Path) -> Finding {
    let Ok(about) = rustix::fs::statvfs(data_dir) else {
        return Finding::warn("disk", "free space cannot be read", "df -h");
    };
    let free = about.f_bavail.saturating_mul(about.f_frsize);
    graded_space(free, data_dir)
}

fn graded_space(free: u64, data_dir: &Path) -> Finding {
    let said = format!("{} MiB are free under {}", free >> 20, data_dir.display());
    match free {
        free if free < FREE_NEEDED => Finding::fail(
            "disk",
            format!("{said}: new leases are refused on a full disk"),
            "free or add space",
        ),
        free if free < FREE_WANTED => Finding::warn("disk", said, "free or add space; 1 GiB is comfortable"),
        _ => Finding::pass("disk", said),
    }
}

/// Times a few small synced writes, as the journal does them.
fn sync(data_dir: &Path) -> Finding {
    let path = data_dir.join(format!(".doctor-{}", std::process::id()));
    let measured = timed_syncs(&path);
    // It may never have been made.
    let _ = std::fs::remove_file(&path);
    match measured {
        Ok(times) => graded_sync(times),
        Err(cause) => Finding::fail(
            "sync",
            format!("cannot write in {}: {cause}", data_dir.display()),
            "check owner, mode and whether the file system is read-only",
        ),
    }
}

fn timed_syncs(path: &Path) -> std::io::Result<[Duration; SYNCS]> {
    let mut file = File::create(path)?;
    let mut times = [Duration::ZERO; SYNCS];
    for time in &mut times {
        let start = Instant::now();
        file.write_all(&[0; 512])?;
        file.sync_data()?;
        *time = start.elapsed();
    }
    Ok(times)
}

fn graded_sync(mut times: [Duration; SYNCS]) -> Finding {
    times.sort_unstable();
    let (middle, worst) = (times[SYNCS / 2], times[SYNCS - 1]);
    let said = format!("a synced write takes {middle:.1?} (worst of {SYNCS}: {worst:.1?})");
    if middle > SYNC_SLOW {
        let fix = "put the data directory on an SSD, or use dhcp.ack = \"lead\"";
        return Finding::warn(
            "sync",
            format!("{said}: every durable answer waits that long"),
            fix,
        );
    }
    Finding::pass("sync", said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Grade;

    #[test]
    fn a_full_disk_fails_and_a_small_one_warns() {
        let dir = Path::new("/d");
        assert_eq!(graded_space(1 << 20, dir).grade, Grade::Fail);
        assert_eq!(graded_space(512 << 20, dir).grade, Grade::Warn);
        assert_eq!(graded_space(2 << 30, dir).grade, Grade::Pass);
    }

    #[test]
    fn one_slow_sync_does_not_make_a_slow_disk() {
        let mut times = [Duration::from_millis(1); SYNCS];
        times[0] = Duration::from_secs(1);
        assert_eq!(graded_sync(times).grade, Grade::Pass);
        assert_eq!(graded_sync([Duration::from_millis(50); SYNCS]).grade, Grade::Warn);
    }

    #[test]
    fn a_directory_open_to_others_is_warned_of() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let about = std::fs::metadata(dir.path()).unwrap();
        assert_eq!(permissions(dir.path(), &about).grade, Grade::Warn);
    }
}
