//! Who somebody is: by a session, by a key, by a password.

mod sessions;

pub(crate) use sessions::{Opened, is_overtaken};

use crate::Desk;
use crate::desk::identity;
use crate::keys::Key;
use crate::secret::{self, Use};
use crate::sessions::Session;
use crate::shelf::Edit;
use crate::tenants::{Status, Tenant};
use crate::users::User;
use axum::http::StatusCode;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use purlin_api::tenancy::{Accounts, Bound, Note, Tenancy};
use purlin_api::{Caller, Problem, Role, passwords, reasons};
use std::sync::Arc;
use tokio::sync::watch;

/// How often at most a key's last use is written down, in seconds.
const LAST_USED_GRAIN: i64 = 300;

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

    fn again(&self, caller: &Caller) -> Option<Caller> {
        let Some((user, session)) = caller.token.split_once('/') else {
            let key = self.0.keys.get(&caller.token)?;
            return self.caller_by_key(&key);
        };
        let session = self
            .0
            .sessions
            .get(session)
            .filter(|session| session.user == user)?;
        self.caller_by_session(&session)
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.0.bell.listen()
    }
}

impl Desk {
    /// Whose it is by the rows that are here.
    pub(crate) fn known(&self, text: &str) -> Option<Caller> {
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
        let right = passwords::has_digest(text, &session.access);
        self.caller_by_session(&session).filter(|_| right)
    }

    /// Whoever has the session, as long as its last access token holds.
    fn caller_by_session(&self, session: &Session) -> Option<Caller> {
        let valid = session.access_ends > self.now();
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
        let right = passwords::has_digest(text, &key.digest);
        let caller = self.caller_by_key(&key).filter(|_| right)?;
        if key.last_used.is_none_or(|last| now - last >= LAST_USED_GRAIN) {
            self.note_use(id.to_owned(), now);
        }
        Some(caller)
    }

    /// Whoever has the key, as long as it and its tenant hold.
    fn caller_by_key(&self, key: &Key) -> Option<Caller> {
        let tenant = self.0.tenants.get(&key.tenant)?;
        if key.ended(self.now()) || tenant.status == Status::Suspended {
            return None;
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

pub(crate) fn refused(detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, &reasons::LOGIN_REFUSED, detail)
}
