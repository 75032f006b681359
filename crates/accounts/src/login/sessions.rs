//! Sessions: opened with a login, gone on with by refresh tokens, closed.

use super::refused;
use crate::Desk;
use crate::secret::{self, Use};
use crate::sessions::{ACCESS_SECS, PER_USER_MAX, REFRESH_SECS, SPENT_MAX, Session};
use crate::shelf::Edit;
use crate::users::User;
use axum::http::StatusCode;
use purlin_api::{Caller, Problem, passwords, reasons};
use std::sync::Arc;

/// How often a login is written that another node has overtaken.
const TRIES: usize = 5;

/// What a login brings.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) ends: i64,
    pub(crate) user: Arc<User>,
}

impl Desk {
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
