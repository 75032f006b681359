//! Bearer tokens: `pur_<id>_<secret>`, hashed with argon2id, with a role, an optional end and a last use.
//!
//! ```text
//!   request ─► Gate ─► Tokens::verify ─┬─ seen before: one keyed digest, compared in constant time   (~1 µs)
//!                                      └─ new here:    argon2id on a blocking thread, two at a time (~20 ms)
//! ```
//!
//! All tokens are held in memory (there are few); the table `tokens` is the truth and is written first.

mod moving;
mod secret;
mod stored;

pub mod routes;

pub use moving::copy_tokens;
pub use secret::SecretText;
pub(crate) use secret::{hex, random_octets, short_digest};
pub use stored::TokenView;

use jiff::Timestamp;
use purlin_store::{Batch, Expectation};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::{Semaphore, watch};

use crate::access::Role;
use crate::clock::Clock;
use crate::ledger::Ledger;
use crate::problem::Problem;
use crate::reasons;
use axum::http::StatusCode;
use secret::{Fingerprint, FingerprintKey};
use stored::Stored;

const TABLE: &str = "tokens";

/// Most tokens there may be; each is a few hundred octets in memory.
pub const TOKENS_MAX: usize = 10_000;

/// How often at most a token's last use is written down, in seconds.
const LAST_USED_GRAIN: i64 = 300;

/// What a new token shall be.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// 1 to 100 characters, for people.
    pub name: String,
    pub role: Role,
    /// When it stops being valid; `None` is never.
    pub expires: Option<Timestamp>,
}

/// The tokens of this node, or those that it shares with other nodes. Clones share them.
#[derive(Clone)]
pub struct Tokens(Arc<Inner>);

struct Inner {
    ledger: Ledger,
    clock: Clock,
    key: FingerprintKey,
    /// Argon2 takes 19 MiB and a core for a while: strangers must not be able to start many.
    hashing: Semaphore,
    /// Writers of the table, one at a time.
    writer: tokio::sync::Mutex<()>,
    known: Mutex<HashMap<String, Entry>>,
    /// Told when some may have gone.
    changed: watch::Sender<u64>,
}

struct Entry {
    stored: Stored,
    /// Keyed digest of the whole token, once it has been verified in this process.
    seen: Option<Fingerprint>,
    last_used: Option<i64>,
}

async fn read_all(ledger: &Ledger) -> Result<HashMap<String, Entry>, Problem> {
    let rows = ledger.scan(TABLE, Vec::new(), TOKENS_MAX).await?;
    let mut known = HashMap::with_capacity(rows.len());
    for (_, row) in rows {
        let stored = Stored::read(&row)?;
        let entry = Entry {
            last_used: stored.last_used,
            seen: None,
            stored,
        };
        known.insert(entry.stored.id.clone(), entry);
    }
    Ok(known)
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tokens({})", self.known().len())
    }
}

impl Tokens {
    /// The tokens in the store.
    ///
    /// # Errors
    /// When the store cannot be read or a row cannot be understood.
    pub async fn open(ledger: Ledger, clock: Clock) -> Result<Self, Problem> {
        let known = read_all(&ledger).await?;
        Ok(Self(Arc::new(Inner {
            ledger,
            clock,
            key: FingerprintKey::random(),
            hashing: Semaphore::new(2),
            writer: tokio::sync::Mutex::new(()),
            known: Mutex::new(known),
            changed: watch::channel(0).0,
        })))
    }

    /// Reads the table again: what other nodes made is known from now on, what they revoked no longer.
    ///
    /// # Errors
    /// When the store cannot be read or a row cannot be understood.
    pub async fn refresh(&self) -> Result<(), Problem> {
        let _writing = self.0.writer.lock().await;
        let mut fresh = read_all(&self.0.ledger).await?;
        {
            let mut known = self.known();
            for (id, entry) in &mut fresh {
                let before = known.get(id);
                // Whoever was verified here before still is, as long as it is the same secret.
                if let Some(before) = before.filter(|before| before.stored.hash == entry.stored.hash) {
                    entry.seen = before.seen;
                    entry.last_used = before.last_used.max(entry.last_used);
                }
            }
            *known = fresh;
        }
        self.tell_changes();
        Ok(())
    }

    /// Told when tokens may have gone.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.0.changed.subscribe()
    }

    fn tell_changes(&self) {
        self.0.changed.send_modify(|times| *times += 1);
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.0
            .known
            .lock()
            .expect("no code panics while it holds the tokens")
    }

    /// Whether some admin token is valid now.
    #[must_use]
    pub fn has_admin(&self) -> bool {
        let now = self.0.clock.secs();
        self.known()
            .values()
            .any(|entry| entry.stored.role == Role::Admin && !entry.stored.ended(now))
    }

    /// Makes a token. Its text is told this once and stored nowhere.
    ///
    /// # Errors
    /// When there are too many, or the store does not take it.
    pub async fn create(&self, new: NewToken) -> Result<(TokenView, SecretText), Problem> {
        let _writing = self.0.writer.lock().await;
        if self.known().len() >= TOKENS_MAX {
            let detail = format!("there are {TOKENS_MAX} tokens already; revoke some");
            return Err(Problem::new(StatusCode::CONFLICT, &reasons::NOT_POSSIBLE, detail));
        }
        let text = SecretText::random();
        let hash = self.hash(text.clone()).await?;
        let stored = Stored {
            id: text.id().to_owned(),
            name: new.name,
            role: new.role,
            hash,
            created: self.0.clock.secs(),
            expires: new.expires.map(Timestamp::as_second),
            last_used: None,
        };
        self.0
            .ledger
            .commit(Batch::default().put(TABLE, stored.id.as_bytes(), stored.row()))
            .await?;
        let view = stored.view(None);
        let seen = Some(self.0.key.fingerprint(&text));
        self.known().insert(
            stored.id.clone(),
            Entry {
                stored,
                seen,
                last_used: None,
            },
        );
        Ok((view, text))
    }

    /// Every token, oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<TokenView> {
        let mut all: Vec<(i64, TokenView)> = self
            .known()
            .values()
            .map(|entry| (entry.stored.created, entry.stored.view(entry.last_used)))
            .collect();
        all.sort_by(|a, b| (a.0, &a.1.id).cmp(&(b.0, &b.1.id)));
        all.into_iter().map(|(_, view)| view).collect()
    }

    /// The token of that id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<TokenView> {
        self.known()
            .get(id)
            .map(|entry| entry.stored.view(entry.last_used))
    }

    /// The token of that id, as long as it is valid.
    pub(crate) fn still(&self, id: &str) -> Option<TokenView> {
        let (known, now) = (self.known(), self.0.clock.secs());
        let entry = known.get(id).filter(|entry| !entry.stored.ended(now))?;
        Some(entry.stored.view(entry.last_used))
    }

    /// Ends a token at once.
    ///
    /// # Errors
    /// When there is none of that id, it is the last admin, or the store does not take it.
    pub async fn revoke(&self, id: &str, dry_run: bool) -> Result<(), Problem> {
        let _writing = self.0.writer.lock().await;
        self.may_go(id)?;
        if dry_run {
            return Ok(());
        }
        self.0
            .ledger
            .commit(Batch::default().delete(TABLE, id.as_bytes()))
            .await?;
        self.known().remove(id);
        self.tell_changes();
        Ok(())
    }

    fn may_go(&self, id: &str) -> Result<(), Problem> {
        let now = self.0.clock.secs();
        let known = self.known();
        let Some(entry) = known.get(id) else {
            return Err(Problem::no_such("token", id));
        };
        let admin = |entry: &Entry| entry.stored.role == Role::Admin && !entry.stored.ended(now);
        if admin(entry) && known.values().filter(|other| admin(other)).count() == 1 {
            let detail = format!("{:?} is the only valid token of role admin", entry.stored.name);
            return Err(Problem::new(StatusCode::CONFLICT, &reasons::LAST_ADMIN, detail));
        }
        Ok(())
    }

    /// The token of that text, when this process has verified it before and it is still valid. Takes a microsecond.
    #[must_use]
    pub fn recognise(&self, text: &str) -> Option<TokenView> {
        let text = SecretText::parse(text)?;
        let now = self.0.clock.secs();
        let seen = self
            .known()
            .get(text.id())
            .filter(|entry| !entry.stored.ended(now))?
            .seen?;
        if self.0.key.matches(&text, &seen) {
            self.used(&text, now)
        } else {
            None
        }
    }

    /// The token of that text, when it is valid; `None` for every reason not to be. Takes tens of milliseconds.
    ///
    /// # Errors
    /// When the server cannot check now.
    pub async fn verify(&self, text: &str) -> Result<Option<TokenView>, Problem> {
        let Some(text) = SecretText::parse(text) else {
            return Ok(None);
        };
        let now = self.0.clock.secs();
        let hash = match self.known().get(text.id()) {
            Some(entry) if !entry.stored.ended(now) => entry.stored.hash.clone(),
            _ => return Ok(None),
        };
        if self.check_hash(text.clone(), hash).await? {
            Ok(self.used(&text, now))
        } else {
            Ok(None)
        }
    }

    /// Whether the text has the id of a token, so that checking it costs work.
    pub(crate) fn knows(&self, text: &str) -> bool {
        SecretText::parse(text).is_some_and(|text| self.known().contains_key(text.id()))
    }

    /// Notes the use; `None` when the token was revoked meanwhile.
    fn used(&self, text: &SecretText, now: i64) -> Option<TokenView> {
        let mut known = self.known();
        let entry = known.get_mut(text.id())?;
        if entry.seen.is_none() {
            entry.seen = Some(self.0.key.fingerprint(text));
        }
        entry.last_used = Some(now);
        if entry
            .stored
            .last_used
            .is_none_or(|last| now - last >= LAST_USED_GRAIN)
        {
            let before = entry.stored.row();
            entry.stored.last_used = Some(now);
            self.write_later(before, entry.stored.clone());
        }
        Some(entry.stored.view(entry.last_used))
    }

    /// The last use is worth a write now and then, but not a request that waits for the disk.
    fn write_later(&self, before: Vec<u8>, stored: Stored) {
        let tokens = self.clone();
        tokio::spawn(async move {
            let _writing = tokens.0.writer.lock().await;
            let still_there = tokens.known().contains_key(&stored.id);
            if still_there {
                // Another node may have revoked it, and it must not come back.
                let batch = Batch::default()
                    .expect(TABLE, stored.id.as_bytes(), Expectation::Value(before))
                    .put(TABLE, stored.id.as_bytes(), stored.row());
                // A lost last use is no fault worth a word: the next one is written again.
                let _ = tokens.0.ledger.commit(batch).await;
            }
        });
    }

    async fn hash(&self, text: SecretText) -> Result<String, Problem> {
        let _permit = self
            .0
            .hashing
            .acquire()
            .await
            .map_err(|_| Problem::broken("hashing was closed"))?;
        tokio::task::spawn_blocking(move || text.hash())
            .await
            .map_err(|_| Problem::broken("the thread that hashes tokens died"))?
    }

    async fn check_hash(&self, text: SecretText, hash: String) -> Result<bool, Problem> {
        let _permit = self
            .0
            .hashing
            .acquire()
            .await
            .map_err(|_| Problem::broken("hashing was closed"))?;
        tokio::task::spawn_blocking(move || text.matches(&hash))
            .await
            .map_err(|_| Problem::broken("the thread that checks tokens died"))
    }
}
