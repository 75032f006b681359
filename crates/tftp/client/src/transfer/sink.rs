//! Where downloaded octets go.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

const BUFFER: usize = 256 << 10;
/// Names tried for the file in the making.
const TRIES: u32 = 100;

/// A file that gets its name when it is whole; until then it stands beside it as `.NAME.part-PID-N`. What is there and is
/// no ordinary file, such as `/dev/null` or a pipe, is written to and stays what it is.
#[derive(Debug)]
pub(super) struct FileSink {
    file: Option<BufWriter<File>>,
    /// Until the file has its name.
    part: Option<PathBuf>,
    path: PathBuf,
}

impl FileSink {
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let name = path
            .file_name()
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"))?;
        if path.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory));
        }
        if path.exists() && !path.is_file() {
            let device = OpenOptions::new().write(true).open(path)?;
            return Ok(Self::of(device, None, path));
        }
        for number in 0..TRIES {
            let mut part = std::ffi::OsString::from(".");
            part.push(name);
            part.push(format!(".part-{}-{number}", std::process::id()));
            let part = path.with_file_name(part);
            match OpenOptions::new().write(true).create_new(true).open(&part) {
                Ok(file) => return Ok(Self::of(file, Some(part), path)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::from(io::ErrorKind::AlreadyExists))
    }

    fn of(file: File, part: Option<PathBuf>, path: &Path) -> Self {
        Self {
            file: Some(BufWriter::with_capacity(BUFFER, file)),
            part,
            path: path.to_owned(),
        }
    }

    /// Gives the file its name; the content is on disk before the name is.
    pub(super) fn commit(mut self) -> io::Result<()> {
        let Some(file) = self.file.take() else {
            return Ok(());
        };
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        if let Some(part) = &self.part {
            file.sync_all()?;
            std::fs::rename(part, &self.path)?;
            self.part = None;
        }
        Ok(())
    }
}

impl Drop for FileSink {
    /// Without `commit` nothing is left behind.
    fn drop(&mut self) {
        if let Some(part) = &self.part {
            let _ = std::fs::remove_file(part);
        }
    }
}

impl Write for FileSink {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match &mut self.file {
            Some(file) => file.write(octets),
            None => Err(io::Error::from(io::ErrorKind::BrokenPipe)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        let entries = || std::fs::read_dir(dir.path()).unwrap().count();
        let mut sink = FileSink::create(&path).unwrap();
        sink.write_all(b"half").unwrap();
        assert!(!path.exists());
        drop(sink);
        assert_eq!(entries(), 0);
        let mut sink = FileSink::create(&path).unwrap();
        sink.write_all(b"whole").unwrap();
        sink.commit().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
        assert_eq!(entries(), 1);
        assert!(FileSink::create(dir.path()).is_err());
    }

    #[test]
    fn a_device_stays_a_device() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("null");
        std::os::unix::fs::symlink("/dev/null", &path).unwrap();
        let mut sink = FileSink::create(&path).unwrap();
        sink.write_all(b"whole").unwrap();
        sink.commit().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"");
        assert!(path.symlink_metadata().unwrap().is_symlink());
    }
}
