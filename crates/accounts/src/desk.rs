//! Everything that is known about users and tenants, and what follows from it.

use crate::keys::Key;
use crate::members::{Invitation, Membership};
use crate::oidc::Provider;
use crate::sessions::Session;
use crate::shelf::{Bell, Shelf};
use crate::tenants::Tenant;
use crate::users::User;
use futures_util::future::BoxFuture;
use purlin_api::clock::Clock;
use purlin_api::ledger::Ledger;
use purlin_api::tokens::Tokens;
use purlin_api::{Caller, Problem, Role};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use tokio::sync::Semaphore;

/// Tenants above one another at most; more are a ring in a damaged store.
const DEPTH_MAX: usize = 16;

/// Who knows what a tenant has.
pub trait Belongings: Send + Sync {
    /// How much, by quota (`max_ports`) and, as `rows`, all together; why that cannot be told.
    fn usage<'a>(&'a self, tenant: &'a str) -> BoxFuture<'a, Result<BTreeMap<String, u64>, Problem>>;
}

/// The accounts of a node, or those that it shares with other nodes. Copies are the same ones.
#[derive(Clone)]
pub struct Desk(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) ledger: Ledger,
    pub(crate) clock: Clock,
    pub(crate) tokens: Tokens,
    pub(crate) belongings: Vec<Arc<dyn Belongings>>,
    pub(crate) users: Shelf<User>,
    pub(crate) sessions: Shelf<Session>,
    pub(crate) tenants: Shelf<Tenant>,
    pub(crate) members: Shelf<Membership>,
    pub(crate) invitations: Shelf<Invitation>,
    pub(crate) keys: Shelf<Key>,
    /// Argon2 takes 19 MiB and a core for a while: strangers must not be able to start many.
    pub(crate) hashing: Semaphore,
    /// Writers of the tables, one at a time.
    pub(crate) writer: tokio::sync::Mutex<()>,
    /// Rung by every shelf.
    pub(crate) bell: Bell,
    /// Where people may log in instead.
    pub(crate) provider: OnceLock<Arc<Provider>>,
    /// Whether other nodes write the same tables.
    pub(crate) shared: AtomicBool,
    /// Strangers who bring ids that nobody has ask the store one after another.
    pub(crate) asking: Semaphore,
    /// A hash of nothing that anybody knows, for logins of users that there are not.
    pub(crate) nobody: String,
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Desk({} users, {} tenants)",
            self.0.users.len(),
            self.0.tenants.len()
        )
    }
}

impl Desk {
    /// The accounts in the store.
    ///
    /// # Errors
    /// When the store cannot be read or a row cannot be understood.
    pub async fn open(
        ledger: Ledger,
        clock: Clock,
        tokens: Tokens,
        belongings: Vec<Arc<dyn Belongings>>,
    ) -> Result<Self, Problem> {
        let nobody = tokio::task::spawn_blocking(|| {
            purlin_api::passwords::hash(&purlin_api::passwords::random_hex::<20>())
        });
        let nobody = nobody
            .await
            .map_err(|_| Problem::broken("the thread that hashes passwords died"))??;
        let bell = Bell::default();
        let desk = Self(Arc::new(Inner {
            ledger,
            clock,
            tokens,
            belongings,
            users: Shelf::new("users", &bell),
            sessions: Shelf::new("sessions", &bell),
            tenants: Shelf::new("tenants", &bell),
            members: Shelf::new("members", &bell),
            invitations: Shelf::new("invitations", &bell),
            keys: Shelf::new("api_keys", &bell),
            hashing: Semaphore::new(2),
            writer: tokio::sync::Mutex::new(()),
            bell,
            provider: OnceLock::new(),
            shared: AtomicBool::new(false),
            asking: Semaphore::new(1),
            nobody,
        }));
        desk.refresh().await?;
        Ok(desk)
    }

    /// The tables, for whoever tells nodes of a cluster what has changed.
    pub const TABLES: [&str; 6] = [
        "users",
        "sessions",
        "tenants",
        "members",
        "invitations",
        "api_keys",
    ];

    /// Reads the tables again: what other nodes wrote is known from now on, what they revoked holds no more.
    ///
    /// # Errors
    /// When the store cannot be read or a row cannot be understood.
    pub async fn refresh(&self) -> Result<(), Problem> {
        let _writing = self.0.writer.lock().await;
        let inner = &self.0;
        inner.users.refresh(&inner.ledger).await?;
        inner.tenants.refresh(&inner.ledger).await?;
        inner.members.refresh(&inner.ledger).await?;
        inner.invitations.refresh(&inner.ledger).await?;
        inner.keys.refresh(&inner.ledger).await?;
        inner.sessions.refresh(&inner.ledger).await
    }

    /// Other nodes write the same tables from now on: what is not known here may be known to the store.
    pub fn share(&self) {
        self.0.shared.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_shared(&self) -> bool {
        self.0.shared.load(Ordering::Relaxed)
    }

    /// Reads these rows again: table and key of each.
    ///
    /// # Errors
    /// As [`Desk::refresh`].
    pub async fn take_over(&self, rows: Vec<(String, Vec<u8>)>) -> Result<(), Problem> {
        if rows.is_empty() {
            return Ok(());
        }
        let _writing = self.0.writer.lock().await;
        let inner = &self.0;
        for (table, key) in rows {
            match table.as_str() {
                "users" => inner.users.refresh_row(&inner.ledger, key).await?,
                "sessions" => inner.sessions.refresh_row(&inner.ledger, key).await?,
                "tenants" => inner.tenants.refresh_row(&inner.ledger, key).await?,
                "members" => inner.members.refresh_row(&inner.ledger, key).await?,
                "invitations" => inner.invitations.refresh_row(&inner.ledger, key).await?,
                "api_keys" => inner.keys.refresh_row(&inner.ledger, key).await?,
                _ => {}
            }
        }
        Ok(())
    }

    /// The tokens beside the accounts.
    #[must_use]
    pub fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    pub(crate) fn now(&self) -> i64 {
        self.0.clock.secs()
    }

    /// A tenant by id or name.
    pub(crate) fn tenant(&self, word: &str) -> Option<Arc<Tenant>> {
        let found = self.0.tenants.get(word);
        found.or_else(|| self.0.tenants.find(|tenant| tenant.name == word))
    }

    /// The tenant and those above it, itself first.
    pub(crate) fn line(&self, tenant: &Arc<Tenant>) -> Vec<Arc<Tenant>> {
        let mut line = vec![Arc::clone(tenant)];
        while let Some(parent) = line.last().and_then(|last| last.parent.as_deref()) {
            match self.0.tenants.get(parent).filter(|_| line.len() < DEPTH_MAX) {
                Some(parent) => line.push(parent),
                None => break,
            }
        }
        line
    }

    /// Ids of a tenant and all below it.
    pub(crate) fn tree(&self, top: &str) -> Vec<String> {
        let all = self.0.tenants.all(|_| true);
        let mut found = BTreeSet::from([top.to_owned()]);
        loop {
            let below = all.iter().filter(|tenant| {
                let parent = tenant.parent.as_ref();
                parent.is_some_and(|parent| found.contains(parent)) && !found.contains(&tenant.id)
            });
            let below: Vec<String> = below.map(|tenant| tenant.id.clone()).collect();
            if below.is_empty() {
                return found.into_iter().collect();
            }
            found.extend(below);
        }
    }

    /// What a caller may do in a tenant: by membership there or above, everywhere as an admin of the installation.
    /// `None` when it has nothing to do with it.
    pub(crate) fn role_in(&self, caller: &Caller, tenant: &Arc<Tenant>) -> Option<Role> {
        if let Some(bound) = caller.tenant.as_ref().filter(|bound| bound.scopes.is_some()) {
            return (bound.id == tenant.id).then_some(Role::Viewer);
        }
        if caller.own_role == Role::Admin {
            return Some(Role::Admin);
        }
        let who = identity(caller);
        let roles = self.line(tenant).into_iter().filter_map(|tenant| {
            let membership = self.0.members.get(&Membership::id(&tenant.id, who))?;
            Some(membership.role)
        });
        roles.max()
    }

    /// The tenant, and what the caller may do in it; at least `least`.
    ///
    /// # Errors
    /// 404 when there is none or the caller has nothing to do with it, 403 when that is too little.
    pub(crate) fn member(
        &self,
        caller: &Caller,
        word: &str,
        least: Role,
    ) -> Result<(Arc<Tenant>, Role), Problem> {
        let missing = || Problem::no_such("tenant", word);
        let tenant = self.tenant(word).ok_or_else(missing)?;
        let role = self.role_in(caller, &tenant).ok_or_else(missing)?;
        if role < least {
            return Err(too_little(&tenant, role, least));
        }
        Ok((tenant, role))
    }

    /// Whether the caller may do to a tenant what its own admins may not: those of the tenants above, and of the
    /// installation.
    pub(crate) fn is_above(&self, caller: &Caller, tenant: &Arc<Tenant>) -> bool {
        let above = self.line(tenant).into_iter().nth(1);
        let role = match above {
            Some(above) => self.role_in(caller, &above),
            None => (caller.own_role == Role::Admin).then_some(Role::Admin),
        };
        role == Some(Role::Admin)
    }
}

pub(crate) fn too_little(tenant: &Tenant, role: Role, least: Role) -> Problem {
    let detail = format!(
        "you have the role {role} in the tenant {:?}, this needs {least}",
        tenant.name
    );
    Problem::new(
        axum::http::StatusCode::FORBIDDEN,
        &purlin_api::reasons::ROLE_TOO_LOW,
        detail,
    )
}

/// By what a caller is a member: a user's id, whatever the session, or a token's.
pub(crate) fn identity(caller: &Caller) -> &str {
    let (who, _) = caller.token.split_once('/').unwrap_or((&caller.token, ""));
    who
}
