//! The threads that wait for disks, so that nobody else has to.
//!
//! Two queues: what a client waits for, and what is read ahead. Both are bounded; what does not fit comes back to the
//! caller, who answers "busy".

use crate::CHUNK;
use std::cell::Cell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Jobs that clients wait for, at most; with one job per cold name or chunk this is far above 10,000 clients.
const URGENT_MAX: usize = 65_536;
/// Jobs of reading ahead, at most; more would be read too early.
const AHEAD_MAX: usize = 1_024;

pub(crate) type Job = Box<dyn FnOnce(&mut Scratch) + Send>;

/// One thread's buffer for a chunk, aligned for `O_DIRECT`.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    octets: Vec<u8>,
}

/// What `O_DIRECT` asks of addresses, offsets and lengths, on every file system in use.
pub(crate) const ALIGN: usize = 4096;

impl Scratch {
    /// `CHUNK` octets at an aligned address.
    pub(crate) fn chunk(&mut self) -> &mut [u8] {
        if self.octets.is_empty() {
            self.octets = vec![0; CHUNK + ALIGN];
        }
        let skip = self.octets.as_ptr().align_offset(ALIGN).min(ALIGN);
        &mut self.octets[skip..skip + CHUNK]
    }
}

/// A handle to the threads. They end with the last handle.
#[derive(Debug)]
pub(crate) struct Pool {
    shared: Arc<Shared>,
    asynchronous: AtomicBool,
}

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    ready: Condvar,
}

#[derive(Default)]
struct Queue {
    urgent: VecDeque<Job>,
    ahead: VecDeque<Job>,
    threads: usize,
    wanted: usize,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} jobs, {} ahead, {} threads",
            self.urgent.len(),
            self.ahead.len(),
            self.threads
        )
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Jobs run outside of the lock, so a panic cannot leave the queue half changed.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pool {
    pub(crate) fn new(threads: u16, asynchronous: bool) -> Self {
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            ready: Condvar::new(),
        });
        let pool = Self {
            shared,
            asynchronous: AtomicBool::new(asynchronous),
        };
        pool.resize(threads);
        pool
    }

    /// From now on so many threads; running jobs are finished.
    pub(crate) fn resize(&self, threads: u16) {
        let mut queue = self.shared.queue();
        queue.wanted = usize::from(threads.max(1));
        while queue.threads < queue.wanted {
            let shared = Arc::clone(&self.shared);
            let name = format!("purlin-files-{}", queue.threads);
            // Without a thread more there are the ones before; without any, jobs run on whoever asks.
            if thread::Builder::new()
                .name(name)
                .spawn(move || work(&shared))
                .is_err()
            {
                break;
            }
            queue.threads += 1;
        }
        drop(queue);
        self.shared.ready.notify_all();
    }

    /// Whether jobs run on threads of their own, or on whoever asks.
    pub(crate) fn set_asynchronous(&self, asynchronous: bool) {
        self.asynchronous.store(asynchronous, Ordering::Relaxed);
    }

    pub(crate) fn is_asynchronous(&self) -> bool {
        self.asynchronous.load(Ordering::Relaxed)
    }

    /// Runs a job that someone waits for.
    ///
    /// # Errors
    /// The job, when too many wait already.
    pub(crate) fn submit(&self, job: Job) -> Result<(), Job> {
        if !self.is_asynchronous() {
            inline(job);
            return Ok(());
        }
        let mut queue = self.shared.queue();
        if queue.threads == 0 {
            drop(queue);
            inline(job);
            return Ok(());
        }
        if queue.urgent.len() >= URGENT_MAX {
            return Err(job);
        }
        queue.urgent.push_back(job);
        drop(queue);
        self.shared.ready.notify_one();
        Ok(())
    }

    /// Runs a job when nothing else is to be done. `false` without room for it, or without threads.
    pub(crate) fn submit_ahead(&self, job: Job) -> bool {
        let mut queue = self.shared.queue();
        if !self.is_asynchronous() || queue.threads == 0 || queue.ahead.len() >= AHEAD_MAX {
            return false;
        }
        queue.ahead.push_back(job);
        drop(queue);
        self.shared.ready.notify_one();
        true
    }

    /// Waiting jobs and threads.
    pub(crate) fn sizes(&self) -> (usize, usize) {
        let queue = self.shared.queue();
        (queue.urgent.len() + queue.ahead.len(), queue.threads)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.queue().wanted = 0;
        self.shared.ready.notify_all();
    }
}

/// A thread's life: jobs until it is one too many.
fn work(shared: &Shared) {
    let mut scratch = Scratch::default();
    loop {
        let mut queue = shared.queue();
        let job = loop {
            if let Some(job) = queue.urgent.pop_front().or_else(|| queue.ahead.pop_front()) {
                break job;
            }
            if queue.threads > queue.wanted {
                queue.threads -= 1;
                return;
            }
            queue = shared.ready.wait(queue).unwrap_or_else(PoisonError::into_inner);
        };
        drop(queue);
        // One job's fault must not take the disk from everybody else; its report went to the panic hook.
        let _ = catch_unwind(AssertUnwindSafe(|| job(&mut scratch)));
    }
}

thread_local! {
    /// The asking thread's own buffer; taken out while a job runs, since a job's answer may ask for the next.
    static OWN: Cell<Scratch> = const { Cell::new(Scratch { octets: Vec::new() }) };
}

fn inline(job: Job) {
    let mut scratch = OWN.take();
    job(&mut scratch);
    OWN.set(scratch);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn what_a_client_waits_for_comes_before_what_is_read_ahead() {
        let pool = Pool::new(1, true);
        let (order, seen) = mpsc::channel();
        let (go, wait) = mpsc::channel::<()>();
        let started = mpsc::channel::<()>();
        let begun = started.0;
        let say = |text: &'static str| {
            let order = order.clone();
            Box::new(move |_: &mut Scratch| order.send(text).unwrap()) as Job
        };
        let hold: Job = Box::new(move |_| {
            begun.send(()).unwrap();
            wait.recv().unwrap();
        });
        assert!(pool.submit(hold).is_ok());
        started.1.recv().unwrap();
        assert!(pool.submit_ahead(say("ahead")));
        assert!(pool.submit(say("first")).is_ok());
        assert!(pool.submit(say("second")).is_ok());
        go.send(()).unwrap();
        let order: Vec<_> = seen.iter().take(3).collect();
        assert_eq!(order, ["first", "second", "ahead"]);
    }

    #[test]
    fn a_panicking_job_takes_no_thread_with_it() {
        let pool = Pool::new(1, true);
        assert!(pool.submit(Box::new(|_| panic!("expected by this test"))).is_ok());
        let (done, waits) = mpsc::channel();
        assert!(pool.submit(Box::new(move |_| done.send(()).unwrap())).is_ok());
        waits.recv().unwrap();
    }

    #[test]
    fn a_full_queue_gives_the_job_back() {
        let pool = Pool::new(1, true);
        let (go, wait) = mpsc::channel::<()>();
        assert!(pool.submit(Box::new(move |_| wait.recv().unwrap())).is_ok());
        let taken = (0..URGENT_MAX + 2)
            .take_while(|_| pool.submit(Box::new(|_| {})).is_ok())
            .count();
        assert!((URGENT_MAX - 1..=URGENT_MAX + 1).contains(&taken), "{taken}");
        go.send(()).unwrap();
    }

    #[test]
    fn without_threads_of_its_own_the_asking_thread_works() {
        let pool = Pool::new(1, false);
        let (done, seen) = mpsc::channel();
        let here = thread::current().id();
        let asked = pool.submit(Box::new(move |scratch| {
            assert_eq!(scratch.chunk().as_ptr().align_offset(ALIGN), 0);
            done.send(thread::current().id()).unwrap();
        }));
        assert!(asked.is_ok());
        assert_eq!(seen.try_recv(), Ok(here));
        assert!(!pool.submit_ahead(Box::new(|_| {})));
    }

    #[test]
    fn threads_come_and_go() {
        let pool = Pool::new(3, true);
        assert_eq!(pool.sizes().1, 3);
        pool.resize(1);
        // Two of the three must end; each answer below is given by one that stays or is about to.
        while pool.sizes().1 > 1 {
            thread::yield_now();
        }
        let (done, waits) = mpsc::channel();
        assert!(pool.submit(Box::new(move |_| done.send(()).unwrap())).is_ok());
        waits.recv().unwrap();
    }
}
