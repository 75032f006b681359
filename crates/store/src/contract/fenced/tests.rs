//! The suite itself, proved on an engine in memory: a right one passes, and each wrong one is caught.

mod memory;

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use self::memory::{Flaw, MemoryRig};

/// Runs one future on this thread.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

fn run(flaw: Flaw) {
    block_on(super::all(async || MemoryRig::new(flaw)));
}

#[test]
fn an_engine_without_flaws_passes() {
    run(Flaw::None);
}

#[test]
fn every_flaw_is_caught() {
    for flaw in Flaw::ALL {
        let caught = catch_unwind(AssertUnwindSafe(|| run(flaw)));
        assert!(caught.is_err(), "{flaw:?} passed");
    }
}
