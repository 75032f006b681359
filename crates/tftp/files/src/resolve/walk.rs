//! One component at a time, for kernels without `openat2` and for absolute links that lead back inside.
//!
//! Every step opens a name in a directory that is held open and never follows a link by itself; `..` goes back over the
//! held directories, never over the kernel's. So whatever is swapped meanwhile, the walk cannot leave the root.

use super::{LOOK, Root};
use purlin_tftp_core::settings::Links;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{self, CWD, FileType, Mode, OFlags};
use rustix::io::Errno;
use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

/// As many links as the kernel follows.
const LINKS: usize = 40;

/// The file system of magic links, which lead wherever a process has something open.
const PROC: i64 = 0x9fa0;

pub(super) fn walk(root: &Root, path: &str, links: Links, flags: OFlags) -> Result<OwnedFd, Errno> {
    let mut walk = Walk {
        root,
        links,
        held: Vec::new(),
        todo: VecDeque::new(),
        followed: 0,
    };
    walk.queue(Path::new(path))?;
    loop {
        let Some(name) = walk.todo.pop_front() else {
            // The path ended in a directory (or was one all along).
            return fs::openat(walk.top(), ".", flags, Mode::empty());
        };
        if let Some(file) = walk.step(&name, flags)? {
            return Ok(file);
        }
    }
}

struct Walk<'a> {
    root: &'a Root,
    links: Links,
    /// Directories from the root (not in it) to where the walk stands.
    held: Vec<OwnedFd>,
    todo: VecDeque<OsString>,
    followed: usize,
}

impl Walk<'_> {
    fn top(&self) -> BorrowedFd<'_> {
        self.held.last().map_or(self.root.handle.as_fd(), AsFd::as_fd)
    }

    /// One component; the file when it was the last one.
    fn step(&mut self, name: &OsStr, flags: OFlags) -> Result<Option<OwnedFd>, Errno> {
        if name == ".." {
            return self.back().map(|()| None);
        }
        let handle = fs::openat(self.top(), name, LOOK | OFlags::NOFOLLOW, Mode::empty())?;
        let kind = FileType::from_raw_mode(fs::fstat(&handle)?.st_mode);
        match kind {
            FileType::Symlink => self.follow(&handle).map(|()| None),
            FileType::Directory => {
                self.held.push(handle);
                Ok(None)
            }
            _ if !self.todo.is_empty() => Err(Errno::NOTDIR),
            _ if flags.contains(OFlags::PATH) => Ok(Some(handle)),
            // Swapped for a link since: refused by NOFOLLOW, and the next request sees the link.
            _ => fs::openat(self.top(), name, flags | OFlags::NOFOLLOW, Mode::empty()).map(Some),
        }
    }

    fn follow(&mut self, link: &OwnedFd) -> Result<(), Errno> {
        self.followed += 1;
        if self.links == Links::Never || self.followed > LINKS {
            return Err(Errno::LOOP);
        }
        if fs::fstatfs(link)?.f_type as i64 == PROC {
            return Err(Errno::LOOP);
        }
        let target = fs::readlinkat(link, "", Vec::new())?;
        self.queue(&PathBuf::from(OsString::from_vec(target.into_bytes())))
    }

    /// Puts the components of a name or of a link's target before what is left to do.
    fn queue(&mut self, path: &Path) -> Result<(), Errno> {
        let path = if path.is_absolute() {
            self.start(path)?
        } else {
            path.to_owned()
        };
        for part in path.components().rev() {
            match part {
                Component::Normal(name) => self.todo.push_front(name.to_owned()),
                Component::ParentDir => self.todo.push_front("..".into()),
                Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
            }
        }
        Ok(())
    }

    /// Goes to where an absolute path starts, and returns the rest of it.
    fn start(&mut self, path: &Path) -> Result<PathBuf, Errno> {
        if self.links == Links::Anywhere {
            self.held = vec![fs::openat(CWD, "/", LOOK | OFlags::DIRECTORY, Mode::empty())?];
            return Ok(path.to_owned());
        }
        let rest = self.root.inside(path).ok_or(Errno::XDEV)?.to_owned();
        self.held.clear();
        Ok(rest)
    }

    fn back(&mut self) -> Result<(), Errno> {
        if self.links == Links::Anywhere {
            let parent = fs::openat(self.top(), "..", LOOK | OFlags::DIRECTORY, Mode::empty())?;
            self.held.push(parent);
            return Ok(());
        }
        self.held.pop().map(drop).ok_or(Errno::XDEV)
    }
}
