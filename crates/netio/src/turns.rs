//! When a thread has its turn among others on the same cores.

use crate::sys;
use rustix::process::setpriority_process;
use std::io;
use std::mem::size_of;

/// `struct sched_attr` as its first version has it.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(crate) struct SchedAttr {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    runtime: u64,
    deadline: u64,
    period: u64,
}

impl SchedAttr {
    fn of_this_thread() -> io::Result<Self> {
        let mut attributes = Self::default();
        sys::sched_attributes(&mut attributes)?;
        attributes.size = size_of::<Self>() as u32;
        Ok(attributes)
    }
}

/// The shortest turn that the kernel grants, in nanoseconds; it is 0.7 to 2.8 ms by the number of cores otherwise.
const SHORT_TURN: u64 = 100_000;

/// Asks that the calling thread runs before others when there are fewer cores than work. Two wishes, of which each is
/// good without the other: more of the processor (nice -10, wants `CAP_SYS_NICE` or a limit that allows it), and turns
/// of 0.1 ms (Linux 6.12, everybody may ask). Who takes short turns has its next one sooner: the scheduler serves the
/// earliest deadline, which is the begin of a turn and its length by weight (EEVDF), and a thread that wakes does not
/// wait for the end of a longer turn than its own.
pub fn prefer_this_thread() {
    // On Linux a nice value belongs to a thread, and 0 names the calling one.
    let _ = setpriority_process(None, -10);
    let _ = take_turns_of(SHORT_TURN);
}

/// Older kernels ignore the length for threads under `SCHED_OTHER`; under real-time policies it is somebody's decision.
fn take_turns_of(nanoseconds: u64) -> io::Result<()> {
    let mut attributes = SchedAttr::of_this_thread()?;
    if attributes.policy != libc::SCHED_OTHER as u32 {
        return Ok(());
    }
    attributes.runtime = nanoseconds;
    sys::set_sched_attributes(&attributes)
}

/// From now on the calling thread does not take the processor from another when it wakes up, but waits until that has
/// had its turn (`SCHED_BATCH`): it finds more to do at once then. Where nobody else wants the processor nothing
/// changes. Threads under a real-time or other policy keep it.
///
/// # Errors
/// Whatever the kernel says, in a sandbox perhaps that nobody may ask.
pub fn yield_when_woken() -> io::Result<()> {
    let mut attributes = SchedAttr::of_this_thread()?;
    if attributes.policy != libc::SCHED_OTHER as u32 {
        return Ok(());
    }
    attributes.policy = libc::SCHED_BATCH as u32;
    sys::set_sched_attributes(&attributes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_turns_leave_policy_and_priority_as_they_are() {
        std::thread::spawn(|| {
            let before = SchedAttr::of_this_thread().unwrap();
            take_turns_of(SHORT_TURN).unwrap();
            let after = SchedAttr::of_this_thread().unwrap();
            assert_eq!((after.policy, after.nice), (before.policy, before.nice));
            // Kernels before 6.12 tell 0 before and after; who runs the tests under another policy keeps what it has.
            let asked = before.policy == libc::SCHED_OTHER as u32 && before.runtime != 0;
            let told = if asked { SHORT_TURN } else { before.runtime };
            assert_eq!(after.runtime, told);
        })
        .join()
        .unwrap();
    }

    #[test]
    fn who_yields_keeps_its_priority_and_yields_for_good() {
        std::thread::spawn(|| {
            let before = SchedAttr::of_this_thread().unwrap();
            let wanted = match before.policy == libc::SCHED_OTHER as u32 {
                true => libc::SCHED_BATCH as u32,
                false => before.policy,
            };
            for _ in 0..2 {
                yield_when_woken().unwrap();
                let after = SchedAttr::of_this_thread().unwrap();
                assert_eq!((after.policy, after.nice), (wanted, before.nice));
            }
        })
        .join()
        .unwrap();
    }
}
