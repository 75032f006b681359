//! Where a process takes its memory from.
//!
//! mimalloc, because a service that turns requests into rows and rows into answers spends a quarter of its time in the
//! C library's allocator (docs/adr/0015-heap.md has the figures). But heap profilers and replacements of `malloc`
//! (`valgrind`, `heaptrack`, `jemalloc` from outside) work by being loaded before the program, and see only what goes
//! through the C library: a process that had something loaded before it leaves its memory to the system.
//!
//! ```text
//!   first allocation ─► LD_PRELOAD set?  no ─► mimalloc
//!                                        yes ► the C library, or what replaces it
//! ```

use mimalloc::MiMalloc;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU8, Ordering};

/// What the loader reads the names of libraries from that are to come before all others (ld.so(8)).
const PRELOAD: &std::ffi::CStr = c"LD_PRELOAD";

const UNDECIDED: u8 = 0;
const OWN: u8 = 1;
const SYSTEM: u8 = 2;

/// Decided by the first allocation, which comes before `main` and so before there is a second thread.
static CHOICE: AtomicU8 = AtomicU8::new(UNDECIDED);

/// The allocator to declare with `#[global_allocator]`.
#[derive(Debug, Clone, Copy)]
pub struct Heap;

/// Whose heap this process has: `mimalloc` or `system`.
#[must_use]
pub fn name() -> &'static str {
    if is_own() { "mimalloc" } else { "system" }
}

/// Whether memory is mimalloc's. All of a process's life the same answer: what one allocator gave, the other cannot
/// take back.
#[inline]
fn is_own() -> bool {
    match CHOICE.load(Ordering::Relaxed) {
        UNDECIDED => decide(),
        choice => choice == OWN,
    }
}

#[cold]
fn decide() -> bool {
    // SAFETY: the name ends with a zero. Nobody changes the environment now: the first allocation is the runtime's own,
    // before `main`. The result is looked at and not kept.
    let preloaded = unsafe {
        let value = libc::getenv(PRELOAD.as_ptr());
        !value.is_null() && *value != 0
    };
    let choice = if preloaded { SYSTEM } else { OWN };
    // Whoever came first has decided; a second opinion could differ only if the environment did.
    match CHOICE.compare_exchange(UNDECIDED, choice, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => choice == OWN,
        Err(decided) => decided == OWN,
    }
}

// SAFETY: every call goes to one allocator, the same for the whole life of the process, with what the caller promises.
unsafe impl GlobalAlloc for Heap {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are the callee's demands, here and below.
        unsafe {
            if is_own() {
                MiMalloc.alloc(layout)
            } else {
                System.alloc(layout)
            }
        }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe {
            if is_own() {
                MiMalloc.alloc_zeroed(layout)
            } else {
                System.alloc_zeroed(layout)
            }
        }
    }

    #[inline]
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe {
            if is_own() {
                MiMalloc.dealloc(at, layout);
            } else {
                System.dealloc(at, layout);
            }
        }
    }

    #[inline]
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above.
        unsafe {
            if is_own() {
                MiMalloc.realloc(at, layout, size)
            } else {
                System.realloc(at, layout, size)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[global_allocator]
    static HEAP: Heap = Heap;

    /// Every kind of call with every kind of size: the test program lives on what it tests.
    #[test]
    fn memory_is_given_kept_grown_and_taken_back_on_all_threads() {
        let threads: Vec<_> = (0..4u8)
            .map(|thread| {
                std::thread::spawn(move || {
                    let mut kept = Vec::new();
                    for size in [0, 1, 8, 100, 4_096, 70_000, 3_000_000] {
                        let mut grown = vec![thread; size];
                        grown.resize(size * 2 + 1, thread);
                        assert!(grown.iter().all(|&octet| octet == thread));
                        assert!(vec![0u8; size].iter().all(|&octet| octet == 0));
                        kept.push(grown);
                    }
                    kept
                })
            })
            .collect();
        // What one thread took, another gives back.
        for thread in threads {
            drop(thread.join().unwrap());
        }
    }

    #[test]
    fn alignment_beyond_the_usual_is_kept() {
        for align in [16, 64, 4_096, 1 << 16] {
            let layout = Layout::from_size_align(align * 3, align).unwrap();
            // SAFETY: the size is not zero, and what was given is given back with its layout.
            unsafe {
                let at = std::alloc::alloc(layout);
                assert_eq!(at as usize % align, 0);
                std::alloc::dealloc(at, layout);
            }
        }
    }

    /// Runs this test program again, with and without something loaded before it.
    #[test]
    fn what_is_loaded_before_the_program_decides() {
        if let Ok(wanted) = std::env::var("PURLIN_HEAP_IS") {
            assert_eq!(name(), wanted);
            return;
        }
        for (preload, wanted) in [("", "mimalloc"), ("libm.so.6", "system")] {
            let ended = std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "tests::what_is_loaded_before_the_program_decides"])
                .env("LD_PRELOAD", preload)
                .env("PURLIN_HEAP_IS", wanted)
                .output()
                .unwrap();
            assert!(ended.status.success(), "{preload:?}: {ended:?}");
        }
    }
}
