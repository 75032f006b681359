use purlin_tftp_core::plan::{Ask, Plan, Scheme};
use purlin_tftp_core::settings::Settings;
use purlin_tftp_files::{
    CHUNK, Content, FileError, Kernel, Library, MetadataCache, NoFacts, OwnedAsk, Parts,
};
use purlin_types::BootTime;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

/// A tree, a library over it, and its time.
pub(crate) struct Rig {
    pub(crate) tree: Library,
    pub(crate) root: PathBuf,
    pub(crate) settings: Settings,
    time: Arc<AtomicU64>,
    _keep: tempfile::TempDir,
}

pub(crate) const LONG: Duration = Duration::from_secs(20);

/// How a rig differs from the ordinary one.
#[derive(Default)]
pub(crate) struct Differs {
    pub(crate) kernel: Kernel,
    pub(crate) shared: Option<Arc<dyn MetadataCache>>,
}

pub(crate) fn rig(change: impl FnOnce(&mut Settings)) -> Rig {
    other_rig(Differs::default(), change)
}

pub(crate) fn other_rig(differs: Differs, change: impl FnOnce(&mut Settings)) -> Rig {
    let keep = tempfile::tempdir().expect("a folder");
    let root = keep.path().join("root");
    std::fs::create_dir(&root).expect("a root");
    let mut settings = Settings::default();
    settings.files.root = Some(root.clone());
    settings.io.threads = 2;
    settings.cache.ttl = Duration::from_secs(60);
    change(&mut settings);
    let time = Arc::new(AtomicU64::new(1));
    let clock = Arc::clone(&time);
    let tree = Library::new(Parts {
        plan: Plan::compile(&settings),
        facts: Arc::new(NoFacts),
        clock: Arc::new(move || BootTime(clock.load(Ordering::Relaxed))),
        shared: differs.shared,
        kernel: differs.kernel,
    })
    .expect("threads");
    Rig {
        tree,
        root,
        settings,
        time,
        _keep: keep,
    }
}

impl Rig {
    pub(crate) fn write(&self, name: &str, octets: impl AsRef<[u8]>) {
        let path = self.root.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, octets).expect("a file");
    }

    /// Replaces a file as careful people do: whole, by a rename.
    pub(crate) fn replace(&self, name: &str, octets: impl AsRef<[u8]>) {
        self.write(".next", octets);
        std::fs::rename(self.root.join(".next"), self.root.join(name)).expect("a rename");
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.time
            .fetch_add(u64::try_from(time.as_nanos()).expect("short"), Ordering::Relaxed);
    }

    pub(crate) fn recall(&self, name: &str) -> Option<Result<Arc<Content>, FileError>> {
        self.tree.recall(&ask(name), false)
    }

    /// As packet threads do it: from memory, else from the disk.
    pub(crate) fn get(&self, name: &str) -> Result<Arc<Content>, FileError> {
        self.recall(name).unwrap_or_else(|| self.open(name, false))
    }

    pub(crate) fn open(&self, name: &str, netascii: bool) -> Result<Arc<Content>, FileError> {
        self.open_as(OwnedAsk::from(&ask(name)), netascii)
    }

    pub(crate) fn open_as(&self, ask: OwnedAsk, netascii: bool) -> Result<Arc<Content>, FileError> {
        let (done, waits) = mpsc::channel();
        self.tree.open(
            ask,
            netascii,
            Box::new(move |result| done.send(result).expect("someone waits")),
        );
        waits.recv_timeout(LONG).expect("an answer")
    }

    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8(octets(&self.get(name).expect("a file")).expect("octets")).expect("text")
    }

    /// Names of everything in a folder of the tree.
    pub(crate) fn list(&self, folder: &str) -> Vec<String> {
        list(&self.root.join(folder))
    }
}

pub(crate) fn list(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut names: Vec<_> = entries
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
        .collect();
    names.sort();
    names
}

pub(crate) fn ask(name: &str) -> Ask<'_> {
    ask_from(name, 1)
}

pub(crate) fn ask_from(name: &str, last: u8) -> Ask<'_> {
    let client = IpAddr::from([10, 0, 0, last]);
    Ask {
        name,
        client,
        server: None,
        write: false,
        scheme: Scheme::Tftp,
    }
}

pub(crate) fn want(content: &Arc<Content>, index: u64) -> Result<(), FileError> {
    let (done, waits) = mpsc::channel();
    content.want(
        index,
        Box::new(move |result| done.send(result).expect("someone waits")),
    );
    waits.recv_timeout(LONG).expect("an answer")
}

/// All octets of a content, chunk by chunk.
pub(crate) fn octets(content: &Arc<Content>) -> Result<Vec<u8>, FileError> {
    let mut octets = Vec::new();
    for index in 0..content.chunks() {
        let chunk = loop {
            match content.chunk(index) {
                Some(chunk) => break chunk,
                None => want(content, index)?,
            }
        };
        octets.extend_from_slice(&chunk);
    }
    Ok(octets)
}

/// Octets that differ everywhere, so that a wrong offset shows.
pub(crate) fn pattern(length: usize) -> Vec<u8> {
    let words =
        (0..length.div_ceil(8) as u64).flat_map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15)).to_le_bytes());
    words.take(length).collect()
}

pub(crate) const MANY: usize = 5 * CHUNK + 1_234;

/// Waits until something holds, which a notice of the kernel's makes true.
pub(crate) fn until(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + LONG;
    while !holds() {
        assert!(Instant::now() < end, "in vain: {what}");
        std::thread::yield_now();
    }
}
