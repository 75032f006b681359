//! The way in: policy, a file without a name, and the cleaning after crashes.

use super::{Inner, Library, OwnedAsk};
use crate::error::refusal;
use crate::resolve::Root;
use crate::upload::{Temp, Upload, Writer, remove_leftover};
use crate::{FileError, UPLOAD_PREFIX};
use purlin_tftp_core::plan::{Plan, Resolved};
use purlin_tftp_core::settings::{Links, Settings};
use rustix::fs::{self, AtFlags, Dir, FileType, Mode};
use rustix::io::Errno;
use std::path::Path;
use std::sync::Arc;

/// Directory entries looked at for leftovers, per tree.
const CLEAN_MAX: usize = 100_000;

/// Called once with the upload, on an I/O thread.
pub type Created = Box<dyn FnOnce(Result<Arc<Upload>, FileError>) + Send>;

impl Library {
    /// Begins an upload. `size` is what the client announced (`tsize`, `Content-Length`).
    ///
    /// `done` may hear `NotAllowed` by the rules, `Exists` or `NotFound` by policy, `NoDirectory`, `TooBig`, `NoSpace`, `Denied`,
    /// `Taken` while another upload has the name, or `Busy`.
    pub fn create(&self, ask: OwnedAsk, size: Option<u64>, done: Created) {
        let inner = Arc::clone(&self.0);
        let plan = inner.plan();
        let done = Arc::new(std::sync::Mutex::new(Some(done)));
        let answer = Arc::clone(&done);
        let tell = move |result| {
            let done = answer
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .take();
            if let Some(done) = done {
                done(result);
            }
        };
        let late = tell.clone();
        let job = move |_: &mut _| tell(inner.admit(&plan, &ask, size));
        if self.0.machine.pool.submit(Box::new(job)).is_err() {
            self.0.machine.counters.refused_busy.one();
            late(Err(FileError::Busy));
        }
    }

    /// Removes what crashes left in the trees that may be written to.
    pub(super) fn remove_leftovers(&self, settings: &Settings) {
        if settings.files.uploads.allow.is_empty() {
            return;
        }
        let inner = Arc::clone(&self.0);
        // Without room or threads for it, the next start does it: leftovers are never served.
        let _ = self.0.machine.pool.submit_ahead(Box::new(move |_| {
            for root in inner.plan().roots() {
                if let Ok(root) = inner.root(&Arc::from(root)) {
                    inner.clean(&root);
                }
            }
        }));
    }
}

impl Inner {
    fn admit(
        self: &Arc<Self>,
        plan: &Plan,
        ask: &OwnedAsk,
        size: Option<u64>,
    ) -> Result<Arc<Upload>, FileError> {
        let mut asked = ask.as_ask();
        asked.write = true;
        let facts = if plan.needs_facts(&ask.name) {
            self.facts.facts(ask.client)
        } else {
            None
        };
        let (root, path) = match plan.resolve(&asked, facts.as_ref()) {
            Resolved::File { root, path } => (root, path),
            Resolved::Refused(reason) => return Err(FileError::NotAllowed(reason)),
            // A text that is made has no file behind it.
            Resolved::Made { .. } | Resolved::MadeFrom { .. } | Resolved::NoValue(_) => {
                return Err(FileError::Denied);
            }
        };
        let settings = plan.settings();
        let size_max = settings.files.uploads.size_max.0;
        if size.is_some_and(|size| size > size_max) {
            return Err(FileError::TooBig);
        }
        self.begin(&root, path.as_str(), settings, size)
    }

    fn begin(
        self: &Arc<Self>,
        root: &Arc<Path>,
        path: &str,
        settings: &Settings,
        size: Option<u64>,
    ) -> Result<Arc<Upload>, FileError> {
        let rules = &settings.files.uploads;
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        if path.split('/').any(|part| part.starts_with(UPLOAD_PREFIX)) {
            return Err(FileError::Denied);
        }
        let tree = self.root(root)?;
        let directory = self
            .resolver
            .directory(&tree, parent, settings.files.links)
            .map_err(|errno| match refusal(errno) {
                FileError::NotFound => FileError::NoDirectory,
                other => other,
            })?;
        let mode = match fs::statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) if rules.create => Mode::from_raw_mode(0o644),
            Err(errno) => return Err(refusal(errno)),
            Ok(stat) => match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => return Err(FileError::IsDirectory),
                FileType::RegularFile if rules.overwrite => Mode::from_raw_mode(stat.st_mode & 0o777),
                FileType::RegularFile => return Err(FileError::Exists),
                // Never through a link, and never in place of a device.
                _ => return Err(FileError::Denied),
            },
        };
        let claim = self.uploads.claim(directory, name)?;
        let temp = Temp::create(&claim.directory, self.tmpfile, mode, size)?;
        let (inner, root, path) = (Arc::downgrade(self), Arc::clone(root), path.to_owned());
        let published = move || {
            if let Some(inner) = inner.upgrade() {
                inner.published(&root, &path);
            }
        };
        let writer = Writer {
            temp,
            claim,
            written: 0,
            size_max: rules.size_max.0,
            overwrite: rules.overwrite,
            sync_each: !rules.write_behind,
            published: Box::new(published),
        };
        Ok(Upload::new(&self.machine, writer))
    }

    fn published(&self, root: &Path, path: &str) {
        self.changed(root, path);
        if let Some(shared) = &self.shared {
            // An engine that is away hears of it later, or its word ends with its time.
            let _ = shared.forget(&super::place(root, path));
        }
    }

    /// Walks a tree once, without following links.
    fn clean(&self, root: &Root) {
        let mut todo = vec![String::new()];
        let mut looked = 0;
        while let Some(path) = todo.pop() {
            let Ok(directory) = self.resolver.directory(root, &path, Links::Never) else {
                continue;
            };
            let Ok(entries) = Dir::read_from(&directory) else {
                continue;
            };
            for entry in entries.flatten() {
                looked += 1;
                if looked > CLEAN_MAX {
                    return;
                }
                let Ok(name) = entry.file_name().to_str() else {
                    continue;
                };
                match entry.file_type() {
                    FileType::Directory if name != "." && name != ".." => {
                        todo.push(if path.is_empty() {
                            name.to_owned()
                        } else {
                            format!("{path}/{name}")
                        });
                    }
                    FileType::RegularFile | FileType::Unknown => {
                        remove_leftover(&directory, name);
                    }
                    _ => {}
                }
            }
        }
    }
}
