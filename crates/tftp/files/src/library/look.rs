//! The job behind `open`: from a name to a content, on an I/O thread.

use super::memory::Belief;
use super::{Inner, OwnedAsk, Roots};
use crate::FileError;
use crate::content::{Content, Form};
use crate::memo::Key;
use crate::metadata::Metadata;
use crate::pool::Scratch;
use crate::resolve::Root;
use purlin_tftp_core::plan::{Plan, Resolved};
use purlin_tftp_core::settings::Links;
use purlin_tftp_core::template::{Unfilled, Values, kind_of};
use purlin_types::WallTime;
use rustix::fs::OFlags;
use std::path::Path;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Trees that rules may choose per client; more than this are opened each time.
const ROOTS_MAX: usize = 256;
/// A root is opened again after this, in case another tree was moved into its place.
const ROOT_TTL: Duration = Duration::from_secs(5);
/// A template in a file, at most.
const TEMPLATE_MAX: u64 = 1 << 20;

/// What a look came to.
type Looked = Result<Arc<Content>, FileError>;

impl Inner {
    /// Looks a name up, remembers the answer and tells everybody who waits.
    pub(super) fn look_up(
        self: &Arc<Self>,
        plan: &Plan,
        ask: &OwnedAsk,
        (key, generation): (&Key, u32),
        scratch: &mut Scratch,
    ) {
        let mut belief = self.belief();
        let found = self.resolve(plan, ask, &mut belief, scratch);
        let content = match found {
            Ok(content) if key.netascii => content,
            found => {
                // Nearly everybody wants the first chunk next; with it at hand nobody has to come back for it.
                if let Ok(content) = &found {
                    content.preload(scratch);
                }
                self.remember(key, generation, &found, belief);
                self.answer(key, &found);
                return self.sweep_at_times();
            }
        };
        let (inner, key, plain) = (Arc::clone(self), key.clone(), Arc::clone(&content));
        let done = move |made: Looked| {
            inner.remember(
                &key,
                generation,
                &made.as_ref().map(|_| plain).map_err(|error| *error),
                belief,
            );
            inner.answer(&key, &made);
        };
        content.make_variant_here(Form::Netascii, scratch, Box::new(done));
    }

    fn resolve(
        self: &Arc<Self>,
        plan: &Plan,
        ask: &OwnedAsk,
        belief: &mut Belief,
        scratch: &mut Scratch,
    ) -> Looked {
        belief.facts = plan.needs_facts(&ask.name);
        let facts = if belief.facts {
            self.facts.facts(ask.client)
        } else {
            None
        };
        match plan.resolve(&ask.as_ask(), facts.as_ref()) {
            Resolved::Refused(reason) => Err(FileError::NotAllowed(reason)),
            Resolved::NoValue(mark) => Err(FileError::NoValue(mark)),
            Resolved::File { root, path } => self.file(plan, (&root, path.as_str()), belief, scratch),
            Resolved::Made { text, kind } => {
                Content::made(&self.machine, &ask.name, text.as_bytes(), kind, wall_now())
            }
            Resolved::MadeFrom { root, path, values } => {
                let file = self.file(plan, (&root, path.as_str()), belief, scratch)?;
                self.filled(&file, &ask.name, &values, scratch)
            }
        }
    }

    fn filled(&self, file: &Arc<Content>, name: &str, values: &Values, scratch: &mut Scratch) -> Looked {
        if file.size() > TEMPLATE_MAX {
            return Err(FileError::TooBig);
        }
        let mut octets = Vec::new();
        for index in 0..file.chunks() {
            octets.extend_from_slice(&file.read(index, scratch)?);
        }
        let text = String::from_utf8(octets).map_err(|_| FileError::Io)?;
        let text = values.fill(&text).map_err(|why| match why {
            Unfilled::NoValue(mark) => FileError::NoValue(mark),
            Unfilled::Text(_) => FileError::Io,
        })?;
        Content::made(
            &self.machine,
            name,
            text.as_bytes(),
            kind_of(name, &text),
            file.modified(),
        )
    }

    /// A file below a root: from the disk, or what is known of exactly this state of it.
    fn file(
        self: &Arc<Self>,
        plan: &Plan,
        (root, path): (&Arc<Path>, &str),
        belief: &mut Belief,
        scratch: &mut Scratch,
    ) -> Looked {
        let links = plan.settings().files.links;
        let root = self.root(root)?;
        // Watches come first: what changes after them is heard of. So it is where another node's word spares the look, for
        // who gave it may be gone when the file comes.
        belief.depends[0] = self.notice.depend(&self.resolver, &root, path, links);
        let told = self.told(&root.path, path);
        if told == Some(Metadata::Missing) {
            self.machine.counters.metadata_hits.one();
            return Err(FileError::NotFound);
        }
        if self.listed_without(plan, &root.path, path, (self.clock)()) {
            return Err(FileError::NotFound);
        }
        let found = self.find(&root, path, links, belief);
        self.tell(plan, (&root, path), told, &found, scratch);
        if matches!(found, Err(FileError::NotFound)) {
            self.list_around(plan, &root, path);
        }
        found
    }

    fn find(&self, root: &Arc<Root>, path: &str, links: Links, belief: &mut Belief) -> Looked {
        self.machine.counters.looks.one();
        let mut found = self.resolver.find(root, path, links)?;
        if let Some(target) = found.real.as_deref().and_then(Path::to_str) {
            let slash = self.root(&Arc::from(Path::new("/")))?;
            let target = target.trim_start_matches('/');
            belief.depends[1] = self.notice.depend_on_target(&self.resolver, &slash, target);
            found = self.resolver.find(root, path, links)?;
        }
        if let Some(content) = self.machine.known(&found.identity) {
            return Ok(content);
        }
        self.machine.counters.opens.one();
        let extra = if self.machine.direct() {
            OFlags::DIRECT
        } else {
            OFlags::empty()
        };
        let (file, identity, direct) = self.resolver.open(root, path, links, extra)?;
        if self.machine.direct() && !direct {
            self.machine
                .refuse_direct("the file system opens no file for direct reads");
        }
        // Another name may have led another thread here meanwhile.
        if let Some(content) = self.machine.known(&identity) {
            return Ok(content);
        }
        let name = root.path.join(path);
        Ok(Content::disk(
            &self.machine,
            &name.to_string_lossy(),
            file,
            identity,
            direct,
        ))
    }

    /// The open handle of a tree.
    pub(super) fn root(&self, path: &Arc<Path>) -> Result<Arc<Root>, FileError> {
        let now = (self.clock)();
        if let Some((root, until)) = self.roots().get(path)
            && now < *until
        {
            return Ok(Arc::clone(root));
        }
        let root = Arc::new(Root::open(path)?);
        let until = now.plus_millis(u64::try_from(ROOT_TTL.as_millis()).expect("a few seconds"));
        let mut roots = self.roots();
        if roots.len() >= ROOTS_MAX {
            roots.clear();
        }
        roots.insert(Arc::clone(path), (Arc::clone(&root), until));
        Ok(root)
    }

    pub(super) fn roots(&self) -> MutexGuard<'_, Roots> {
        self.roots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wall_now() -> WallTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    WallTime(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
