//! Other forms of a content: netascii for old clients, gzip for HTTP ones. Made once, whole, on an I/O thread.

use super::{Content, Eviction};
use crate::pool::Scratch;
use crate::{CHUNK, FileError};
use flate2::Compression;
use flate2::write::GzEncoder;
use purlin_tftp_proto::netascii::Encoder;
use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Places of variants on the clock, after all chunks a file can have.
pub(super) const FIRST: u32 = u32::MAX - 1;

/// Longer files have no other form: netascii is for texts, and whoever compresses images has done so already.
const SIZE_MAX: u64 = 64 << 20;

/// Octets of a gzip frame without content: what a compressed text must win back at least.
const FRAME: u64 = 18;

/// Called once with the variant, or with why there is none.
pub(crate) type Made = Box<dyn FnOnce(Result<Arc<Content>, FileError>) + Send>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Netascii,
    /// Level 0 to 9.
    Gzip(u8),
}

impl Form {
    fn index(self) -> usize {
        match self {
            Self::Netascii => 0,
            Self::Gzip(_) => 1,
        }
    }

    fn place(self) -> u32 {
        FIRST + u32::from(matches!(self, Self::Gzip(_)))
    }

    fn suffix(self) -> &'static str {
        match self {
            Self::Netascii => "-na\"",
            Self::Gzip(_) => "-gz\"",
        }
    }
}

#[derive(Default)]
pub(super) struct Variants([Mutex<Variant>; 2]);

#[derive(Default)]
enum Variant {
    #[default]
    Unknown,
    Making(Vec<Made>),
    Made(Arc<Content>),
    /// It does not pay, or the file is too long: not tried again.
    Never(FileError),
}

impl Variants {
    fn of(&self, form: Form) -> MutexGuard<'_, Variant> {
        self.0[form.index()]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets what was made or found not to pay. Who sends a form keeps it, and it counts itself out after that.
    pub(super) fn forget(&self) {
        for variant in &self.0 {
            let mut variant = variant.lock().unwrap_or_else(PoisonError::into_inner);
            if !matches!(*variant, Variant::Making(_)) {
                let gone = std::mem::take(&mut *variant);
                drop(variant);
                drop(gone);
            }
        }
    }

    pub(super) fn evict(&self, place: u32) -> Eviction {
        let form = if place == FIRST {
            Form::Netascii
        } else {
            Form::Gzip(0)
        };
        let mut variant = self.of(form);
        match &*variant {
            Variant::Made(content) if Arc::strong_count(content) > 1 => Eviction::Kept,
            Variant::Made(_) => {
                let gone = std::mem::take(&mut *variant);
                drop(variant);
                drop(gone);
                Eviction::Dropped
            }
            _ => Eviction::Nothing,
        }
    }
}

impl Content {
    /// The gzip form if it is known: `Some(None)` when it would be no shorter.
    #[must_use]
    pub fn gzip(&self) -> Option<Option<Arc<Self>>> {
        self.variant(Form::Gzip(0)).map(Result::ok)
    }

    /// Makes the gzip form on an I/O thread; `done` hears `None` when the plain octets are the better answer.
    pub fn want_gzip(self: &Arc<Self>, level: u8, done: Box<dyn FnOnce(Option<Arc<Self>>) + Send>) {
        self.want_variant(Form::Gzip(level), Box::new(move |made| done(made.ok())));
    }

    /// A form that is known, or known not to be.
    pub(crate) fn variant(&self, form: Form) -> Option<Result<Arc<Self>, FileError>> {
        match &*self.variants.of(form) {
            Variant::Made(content) => Some(Ok(Arc::clone(content))),
            Variant::Never(error) => Some(Err(*error)),
            Variant::Unknown | Variant::Making(_) => None,
        }
    }

    /// Makes a form; everybody who wants it meanwhile waits for the same.
    pub(crate) fn want_variant(self: &Arc<Self>, form: Form, done: Made) {
        if self.join_variant(form, done) {
            let content = Arc::clone(self);
            let job = Box::new(move |scratch: &mut Scratch| content.make_variant(form, scratch));
            if self.machine.pool.submit(job).is_err() {
                self.machine.counters.refused_busy.one();
                self.settle_variant(form, &Err(FileError::Busy));
            }
        }
    }

    /// For a thread that may work: the form, made here if nobody else is at it.
    pub(crate) fn make_variant_here(self: &Arc<Self>, form: Form, scratch: &mut Scratch, done: Made) {
        if self.join_variant(form, done) {
            self.make_variant(form, scratch);
        }
    }

    /// Whether the caller has to make it: nothing is known, and nobody else is at it.
    fn join_variant(&self, form: Form, done: Made) -> bool {
        let mut variant = self.variants.of(form);
        let known = match &mut *variant {
            Variant::Made(content) => Ok(Arc::clone(content)),
            Variant::Never(error) => Err(*error),
            Variant::Making(waiting) => {
                waiting.push(done);
                return false;
            }
            Variant::Unknown => {
                *variant = Variant::Making(vec![done]);
                return true;
            }
        };
        drop(variant);
        done(known);
        false
    }

    fn make_variant(self: &Arc<Self>, form: Form, scratch: &mut Scratch) {
        let made = match form {
            _ if self.size > SIZE_MAX => Err(FileError::TooBig),
            Form::Netascii => self.netascii(scratch),
            Form::Gzip(level) => self.compressed(level, scratch),
        };
        let made = made.and_then(|octets| {
            let etag = format!("{}{}", self.etag.trim_end_matches('"'), form.suffix());
            let mut variant = Self::whole(&self.machine, &self.name, &octets, self.modified, etag)?;
            variant.kind = self.kind;
            Ok(Arc::new(variant))
        });
        self.settle_variant(form, &made);
    }

    fn settle_variant(self: &Arc<Self>, form: Form, made: &Result<Arc<Self>, FileError>) {
        let after = match made {
            Ok(content) => Variant::Made(Arc::clone(content)),
            Err(error @ (FileError::TooBig | FileError::Exists)) => Variant::Never(*error),
            Err(_) => Variant::Unknown,
        };
        let before = std::mem::replace(&mut *self.variants.of(form), after);
        if made.is_ok() {
            self.machine.ring.push(self, form.place());
        }
        if let Variant::Making(waiting) = before {
            for done in waiting {
                done(made.clone());
            }
        }
    }

    fn netascii(self: &Arc<Self>, scratch: &mut Scratch) -> Result<Vec<u8>, FileError> {
        let mut encoder = Encoder::default();
        let mut text = Vec::new();
        for index in 0..self.chunks() {
            let chunk = self.read(index, scratch)?;
            let start = text.len();
            // One octet more for a pair that the chunk before left open.
            text.resize(start + Encoder::encoded_len(&chunk) + 1, 0);
            let (_, written) = encoder.encode(&chunk, &mut text[start..]);
            text.truncate(start + written);
        }
        Ok(text)
    }

    /// `Exists` says that the plain octets are no longer than these.
    fn compressed(self: &Arc<Self>, level: u8, scratch: &mut Scratch) -> Result<Vec<u8>, FileError> {
        let level = Compression::new(u32::from(level.min(9)));
        let mut encoder = GzEncoder::new(Vec::new(), level);
        let in_memory = "writing into memory cannot fail";
        for index in 0..self.chunks() {
            let chunk = self.read(index, scratch)?;
            encoder.write_all(&chunk).expect(in_memory);
            if index == 0 && self.chunks() > 1 {
                // Kernels and initial file systems are packed already: the first chunk tells, the rest is spared.
                encoder.flush().expect(in_memory);
                if encoder.get_ref().len() > CHUNK - CHUNK / 32 {
                    return Err(FileError::Exists);
                }
            }
        }
        let packed = encoder.finish().expect(in_memory);
        if packed.len() as u64 + FRAME > self.size {
            return Err(FileError::Exists);
        }
        Ok(packed)
    }
}
