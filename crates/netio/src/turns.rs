//! When a thread has its turn among others on the same cores.

use crate::sys;
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

/// From now on the calling thread does not take the processor from another when it wakes up, but waits until that has
/// had its turn (`SCHED_BATCH`): it finds more to do at once then. Where nobody else wants the processor nothing
/// changes. Threads under a real-time or other policy keep it.
///
/// # Errors
/// Whatever the kernel says, in a sandbox perhaps that nobody may ask.
pub fn yield_when_woken() -> io::Result<()> {
    let mut attributes = SchedAttr::default();
    sys::sched_attributes(&mut attributes)?;
    if attributes.policy != libc::SCHED_OTHER as u32 {
        return Ok(());
    }
    attributes.size = size_of::<SchedAttr>() as u32;
    attributes.policy = libc::SCHED_BATCH as u32;
    sys::set_sched_attributes(&attributes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_yields_keeps_its_priority_and_yields_for_good() {
        std::thread::spawn(|| {
            let mut before = SchedAttr::default();
            sys::sched_attributes(&mut before).unwrap();
            for _ in 0..2 {
                yield_when_woken().unwrap();
                let mut after = SchedAttr::default();
                sys::sched_attributes(&mut after).unwrap();
                assert_eq!(
                    (after.policy, after.nice),
                    (libc::SCHED_BATCH as u32, before.nice)
                );
            }
        })
        .join()
        .unwrap();
    }
}
