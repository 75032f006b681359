//! Who somebody is: passwords, sessions, keys.

use crate::Desk;
use crate::desk::identity;
use crate::secret::{self, Use};
use crate::sessions::{ACCESS_SECS, PER_USER_MAX, REFRESH_SECS, SPENT_MAX, Session};
use crate::shelf::Edit;
use crate::tenants::{Status, Tenant};
use crate::users::User;
use axum::http::StatusCode;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use purlin_api::tenancy::{Accounts, Bound, Note, Tenancy};
use purlin_api::{Caller, Problem, Role, passwords, reasons};
use std::sync::Arc;

/// How often a login is written that another node has overtaken.
const TRIES: usize = 5;
/// How often at most a key's last use is written down, in seconds.
const LAST_USED_GRAIN: i64 = 300;

/// What a login brings.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) ends: i64,
    pub(crate) user: Arc<User>,
}

impl Accounts for Desk {
    fn recognises(&self, text: &str) -> bool {
        text.starts_with("ovncp_") || text.starts_with("pus_")
    }

    fn login<'a>(&'a self, text: &'a str) -> BoxFuture<'a, Result<Option<Caller>, Problem>> {
        async move {
            match self.known(text) {
                None if self.is_shared() => {
                    self.read_through(text).await?;
                    Ok(self.known(text))
                }
                known => Ok(known),
            }
        }
        .boxed()
    }

    fn tenancy(&self, caller: &Caller, wanted: &str) -> Result<Arc<Tenancy>, Problem> {
        let (tenant, role) = self.member(caller, wanted, Role::Viewer)?;
        if tenant.status == Status::Suspended {
            let detail = format!("the tenant {:?} is suspended", tenant.name);
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                &reasons::BEYOND_TENANT,
                detail,
            ));
        }
        Ok(Arc::new(self.tenancy_of(&tenant, role, None)))
    }
}

impl Desk {
    /// Whose it is by the rows that are here.
    fn known(&self, text: &str) -> Option<Caller> {
        match secret::read(text)? {
            (Use::Access, id) => self.by_session(text, id),
            (Use::Key, id) => self.by_key(text, id),
            _ => None,
        }
    }

    /// Reads the rows behind a secret again: another node may have made or renewed it a moment ago.
    async fn read_through(&self, text: &str) -> Result<(), Problem> {
        let row = |table: &str, id: &str| vec![(table.to_owned(), id.as_bytes().to_vec())];
        let Some((what, id)) = secret::read(text) else {
            return Ok(());
        };
        let _turn = self
            .0
            .asking
            .acquire()
            .await
            .map_err(|_| Problem::broken("asking was closed"))?;
        match what {
            Use::Access | Use::Refresh => {
                self.take_over(row("sessions", id)).await?;
                match self.0.sessions.get(id) {
                    Some(session) if self.0.users.get(&session.user).is_none() => {
                        self.take_over(row("users", &session.user)).await
                    }
                    _ => Ok(()),
                }
            }
            Use::Key => {
                self.take_over(row("api_keys", id)).await?;
                match self.0.keys.get(id) {
                    Some(key) if self.0.tenants.get(&key.tenant).is_none() => {
                        self.take_over(row("tenants", &key.tenant)).await
                    }
                    _ => Ok(()),
                }
            }
            Use::Invitation => Ok(()),
        }
    }

    fn by_session(&self, text: &str, id: &str) -> Option<Caller> {
        let session = self.0.sessions.get(id)?;
        let valid = session.access_ends > self.now() && passwords::has_digest(text, &session.access);
        let user = self.0.users.get(&session.user).filter(|_| valid)?;
        Some(Caller {
            token: format!("{}/{}", user.id, session.id),
            name: user.username.clone(),
            role: user.role,
            own_role: user.role,
            tenant: None,
            note: Note::default(),
            source: None,
            request: String::new(),
        })
    }

    fn by_key(&self, text: &str, id: &str) -> Option<Caller> {
        let now = self.now();
        let key = self.0.keys.get(id)?;
        if key.ended(now) || !passwords::has_digest(text, &key.digest) {
            return None;
        }
        let tenant = self.0.tenants.get(&key.tenant)?;
        if tenant.status == Status::Suspended {
            return None;
        }
        if key.last_used.is_none_or(|last| now - last >= LAST_USED_GRAIN) {
            self.note_use(id.to_owned(), now);
        }
        let role = key.role();
        let tenancy = self.tenancy_of(&tenant, role, Some(key.scopes.clone()));
        Some(Caller {
            token: key.id.clone(),
            name: key.name.clone(),
            role,
            own_role: Role::Member,
            tenant: Some(Arc::new(tenancy)),
            note: Note::default(),
            source: None,
            request: String::new(),
        })
    }

    /// The last use is worth a write now and then, but not a request that waits for the disk.
    fn note_use(&self, id: String, now: i64) {
        let desk = self.clone();
        tokio::spawn(async move {
            let _writing = desk.0.writer.lock().await;
            let Some(key) = desk.0.keys.get(&id) else { return };
            if key.last_used.is_some_and(|last| now - last < LAST_USED_GRAIN) {
                return;
            }
            let mut edit = Edit::default();
            let mut key = (*key).clone();
            key.last_used = Some(now);
            desk.0.keys.put(&mut edit, &id, key);
            // A lost last use is no fault worth a word: the next one is written again. One that was revoked elsewhere
            // does not come back, since it would have to be what it was.
            let _ = edit.commit(&desk.0.ledger).await;
        });
    }

    fn tenancy_of(&self, tenant: &Arc<Tenant>, role: Role, scopes: Option<Vec<String>>) -> Tenancy {
        let line = self.line(tenant);
        let bound = |tenant: &Arc<Tenant>| Bound {
            of: tenant.name.clone(),
            tenants: self.tree(&tenant.id),
            quotas: tenant.quotas.clone(),
        };
        Tenancy {
            id: tenant.id.clone(),
            name: tenant.name.clone(),
            role,
            prefix: tenant.settings.network_name_prefix.clone(),
            external: tenant.settings.allow_external_networks,
            approval: tenant.settings.require_approval,
            audited: tenant.settings.enable_audit_logging,
            bounds: line.iter().map(bound).collect(),
            root: line
                .last()
                .map_or_else(|| tenant.id.clone(), |top| top.id.clone()),
            scopes,
        }
    }

    /// Opens a session for whoever knows the password.
    pub(crate) async fn open_session(&self, username: &str, password: &str) -> Result<Opened, Problem> {
        let user = self.0.users.find(|user| user.username == username);
        let user = user.filter(|user| user.elsewhere.is_none());
        let hash = user.as_ref().map_or(&self.0.nobody, |user| &user.hash).clone();
        // A user that is not there takes as long as a wrong password.
        let right = self.check(password.to_owned(), hash.clone()).await?;
        let Some(user) = user.filter(|_| right) else {
            return Err(refused("the username or the password is wrong"));
        };
        self.open_for(&user.id, |user| user.hash == hash).await
    }

    /// Opens a session for a user that is still as it was when it was found out that this is he.
    pub(crate) async fn open_for(
        &self,
        id: &str,
        still: impl Fn(&User) -> bool + Send,
    ) -> Result<Opened, Problem> {
        for _ in 1..TRIES {
            match self.try_open(id, &still).await {
                // Another node wrote one of these rows: a login there, a password that was changed.
                Err(problem) if self.is_shared() && is_overtaken(&problem) => {
                    self.refresh().await?;
                }
                opened => return opened,
            }
        }
        self.try_open(id, &still).await
    }

    async fn try_open(&self, id: &str, still: &(impl Fn(&User) -> bool + Send)) -> Result<Opened, Problem> {
        let _writing = self.0.writer.lock().await;
        let user = self.0.users.get(id).filter(|user| still(user));
        let Some(user) = user else {
            return Err(refused("the user was changed meanwhile; log in again"));
        };
        let now = self.now();
        let mut edit = Edit::default();
        let own = self.0.sessions.all(|session| session.user == user.id);
        let (over, mut alive): (Vec<_>, Vec<_>) = own.into_iter().partition(|session| session.is_over(now));
        alive.sort_by_key(|session| session.created);
        let many = (alive.len() + 1).saturating_sub(PER_USER_MAX);
        for session in over.iter().chain(alive.iter().take(many)) {
            self.0.sessions.take(&mut edit, &session.id);
        }
        let id = secret::new_id();
        let (session, opened) = fresh(id, &user, now, Vec::new());
        self.0.sessions.put(&mut edit, &session.id.clone(), session);
        let mut seen = (*user).clone();
        seen.last_login = Some(now);
        self.0.users.put(&mut edit, &user.id, seen);
        edit.commit(&self.0.ledger).await?;
        Ok(opened)
    }

    /// The next tokens of a session for its refresh token, which works once.
    pub(crate) async fn refresh_session(&self, text: &str) -> Result<Opened, Problem> {
        let Some((Use::Refresh, id)) = secret::read(text) else {
            return Err(refused("the refresh token is not a valid one"));
        };
        for _ in 1..TRIES {
            if self.is_shared() {
                self.read_through(text).await?;
            }
            match self.try_refresh(text, id).await {
                // Used at another node at the same moment: it works once, not once at every node.
                Err(problem) if self.is_shared() && is_overtaken(&problem) => {}
                opened => return opened,
            }
        }
        self.try_refresh(text, id).await
    }

    async fn try_refresh(&self, text: &str, id: &str) -> Result<Opened, Problem> {
        let _writing = self.0.writer.lock().await;
        let now = self.now();
        let wrong = || refused("the refresh token is not a valid one");
        let session = self.0.sessions.get(id).ok_or_else(wrong)?;
        let digest = passwords::digest(text);
        let mut edit = Edit::default();
        if session.spent.contains(&digest) {
            self.0.sessions.take(&mut edit, id);
            edit.commit(&self.0.ledger).await?;
            return Err(refused(
                "the refresh token was used before: the session has ended, log in again",
            ));
        }
        if digest != session.refresh || session.refresh_ends <= now {
            return Err(wrong());
        }
        let user = self.0.users.get(&session.user).ok_or_else(wrong)?;
        let mut spent = session.spent.clone();
        spent.push(digest);
        if spent.len() > SPENT_MAX {
            return Err(refused("the session is too long; log in again"));
        }
        let (mut next, opened) = fresh(session.id.clone(), &user, now, spent);
        next.created = session.created;
        self.0.sessions.put(&mut edit, id, next);
        edit.commit(&self.0.ledger).await?;
        Ok(opened)
    }

    /// Ends the caller's own session.
    pub(crate) async fn close_session(&self, caller: &Caller) -> Result<(), Problem> {
        let Some((_, session)) = caller.token.split_once('/') else {
            let detail = "this is a token, not a session: DELETE /api/v1/tokens/ID ends it";
            return Err(Problem::not_possible(detail));
        };
        let _writing = self.0.writer.lock().await;
        let mut edit = Edit::default();
        self.0.sessions.take(&mut edit, session);
        edit.commit(&self.0.ledger).await
    }

    /// Has the sessions of a user end, together with what else is written.
    pub(crate) fn end_sessions<'a>(&'a self, edit: &mut Edit<'a>, user: &str) {
        for session in self.0.sessions.all(|session| session.user == user) {
            self.0.sessions.take(edit, &session.id);
        }
    }

    pub(crate) async fn hash(&self, password: String) -> Result<String, Problem> {
        self.blocking(move || passwords::hash(&password)).await?
    }

    pub(crate) async fn check(&self, password: String, hash: String) -> Result<bool, Problem> {
        self.blocking(move || passwords::matches(&password, &hash)).await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let _permit = self
            .0
            .hashing
            .acquire()
            .await
            .map_err(|_| Problem::broken("hashing was closed"))?;
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| Problem::broken("the thread that hashes passwords died"))
    }

    /// The user whose session the caller has.
    pub(crate) fn user_of(&self, caller: &Caller) -> Option<Arc<User>> {
        self.0.users.get(identity(caller))
    }
}

fn fresh(id: String, user: &Arc<User>, now: i64, spent: Vec<String>) -> (Session, Opened) {
    let (access, access_digest) = secret::make(Use::Access, &id);
    let (refresh, refresh_digest) = secret::make(Use::Refresh, &id);
    let session = Session {
        id,
        user: user.id.clone(),
        access: access_digest,
        access_ends: now + ACCESS_SECS,
        refresh: refresh_digest,
        refresh_ends: now + REFRESH_SECS,
        spent,
        created: now,
    };
    let opened = Opened {
        access,
        refresh,
        ends: session.access_ends,
        user: Arc::clone(user),
    };
    (session, opened)
}

/// A row was not as this node knew it.
pub(crate) fn is_overtaken(problem: &Problem) -> bool {
    problem.status() == StatusCode::CONFLICT && problem.reason().slug == reasons::CHANGED_MEANWHILE.slug
}

pub(crate) fn refused(detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, &reasons::LOGIN_REFUSED, detail)
}
