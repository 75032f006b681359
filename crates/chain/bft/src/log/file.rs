//! The log in a file.

mod mark;

pub use mark::Mark;

use super::batch::{self, Batch, Content};
use super::record::Record;
use super::{Journal, LogFault, Logged};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A log in one file, which is locked against a second node.
#[derive(Debug)]
pub struct FileLog {
    file: File,
    path: PathBuf,
    height: u64,
    batch: Batch,
    /// Of the key that signs; none where it cannot be kept.
    mark: Option<Mark>,
}

impl FileLog {
    /// Opens the log at `path`, or makes one.
    ///
    /// # Errors
    /// The disk, or another process that has it open.
    pub fn open(path: &Path) -> Result<Self, LogFault> {
        let fault = |doing| {
            move |source| LogFault::Io {
                doing,
                path: path.to_owned(),
                source,
            }
        };
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false);
        let file = file.open(path).map_err(fault("opening"))?;
        file.try_lock()
            .map_err(io::Error::from)
            .map_err(fault("locking"))?;
        // The name in the directory must be as durable as what will be in the file.
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
        File::open(dir.unwrap_or(Path::new(".")))
            .and_then(|dir| dir.sync_all())
            .map_err(fault("opening"))?;
        Ok(Self {
            file,
            path: path.to_owned(),
            height: 0,
            batch: Batch::default(),
            mark: None,
        })
    }

    /// With the mark of the key that signs: what it says counts where the log is older.
    #[must_use]
    pub fn with_mark(mut self, mark: Mark) -> Self {
        self.mark = Some(mark);
        self
    }

    fn fault(&self, doing: &'static str) -> impl FnOnce(io::Error) -> LogFault + use<> {
        let path = self.path.clone();
        move |source| LogFault::Io { doing, path, source }
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.file.set_len(len)?;
        self.file.seek(SeekFrom::Start(len)).map(drop)
    }

    fn write(&mut self) -> io::Result<()> {
        self.file.write_all(self.batch.seal())?;
        self.file.sync_data()
    }
}

impl Journal for FileLog {
    fn read(&mut self) -> Result<Option<Logged>, LogFault> {
        let mut octets = Vec::new();
        self.file
            .seek(SeekFrom::Start(0))
            .and_then(|_| self.file.read_to_end(&mut octets))
            .map_err(self.fault("reading"))?;
        let Content { height, records, end } = batch::read(&octets).map_err(|damage| LogFault::Damaged {
            path: self.path.clone(),
            at: damage.at as u64,
            height: damage.height,
        })?;
        self.cut(end as u64)
            .map_err(self.fault("cutting the torn end of"))?;
        self.height = height.unwrap_or_default();
        let marked = self.mark.as_ref().map_or(0, Mark::height);
        if marked > self.height {
            // What was said at that height is not here; the next one is the first at which nothing was.
            let (height, records) = (marked.saturating_add(1), Vec::new());
            return Ok(Some(Logged { height, records }));
        }
        Ok(height.map(|height| Logged { height, records }))
    }

    fn begin(&mut self, height: u64) -> Result<(), LogFault> {
        self.batch.clear();
        self.height = height;
        // Not flushed: what a power cut brings back belongs to a height that is decided.
        self.cut(0).map_err(self.fault("beginning"))
    }

    fn append(&mut self, record: &Record) -> Result<(), LogFault> {
        self.batch.push(self.height, record);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), LogFault> {
        if !self.batch.is_empty() {
            if let Some(mark) = &mut self.mark {
                mark.raise(self.height)?;
            }
            self.write().map_err(self.fault("writing"))?;
            self.batch.clear();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
