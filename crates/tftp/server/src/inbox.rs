//! What other threads leave for a packet thread: answers of the library.

use purlin_netio::Waker;
use purlin_tftp_core::{FileError, Slot};
use purlin_tftp_files::{Content, Upload};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// An answer to what a transfer waits for.
#[derive(Debug)]
pub(crate) enum Note {
    Opened(Slot, Result<Arc<Content>, FileError>),
    /// Content that was not cached is there now.
    Available(Slot, Result<(), FileError>),
    Created(Slot, Result<Arc<Upload>, FileError>),
    /// Octets stored so far.
    Stored(Slot, Result<u64, FileError>),
    Committed(Slot, Result<(), FileError>),
}

/// Notes on their way to one packet thread.
#[derive(Debug)]
pub(crate) struct Inbox {
    notes: Mutex<Vec<Note>>,
    /// The thread was woken and has not looked yet: further notes need no further wake.
    knocked: AtomicBool,
    waker: Arc<Waker>,
}

impl Inbox {
    pub(crate) fn new(waker: Arc<Waker>) -> Self {
        Self {
            notes: Mutex::default(),
            knocked: AtomicBool::new(false),
            waker,
        }
    }

    /// Leaves a note; any thread may.
    pub(crate) fn leave(&self, note: Note) {
        self.notes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(note);
        if !self.knocked.swap(true, Ordering::AcqRel) {
            self.waker.wake();
        }
    }

    /// Takes all notes into `taken`, which must be empty.
    pub(crate) fn take(&self, taken: &mut Vec<Note>) {
        // Cleared first: a note that comes after the swap below knocks again.
        if self.knocked.swap(false, Ordering::AcqRel) {
            let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::swap(&mut *notes, taken);
        }
    }
}
