//! The route table: each route is declared once as data, and both the router and the OpenAPI document come from it.
//!
//! ```text
//!   get("/api/v1/tokens", list)          handler: first argument says who may call (crate::access)
//!       .summary("Lists the tokens")
//!       .answers(200, schema::page_of("Token"))
//! ```

mod draft;

pub use draft::{Draft, delete, get, patch, post, put};

use axum::extract::Request;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, on};
use std::fmt;
use std::sync::Arc;
use tower::ServiceExt;

use crate::access::{Access, Known, Requirement};
use crate::schema::Schema;
use crate::tenancy::Tenancy;

/// The first argument of a handler, as a type. Implemented for the argument lists that axum knows.
pub trait Guarded {
    const ACCESS: Access;
}

macro_rules! guarded {
    ($($rest:ident),*) => {
        impl<M, A: Requirement, $($rest),*> Guarded for (M, A, $($rest),*) {
            const ACCESS: Access = A::ACCESS;
        }
    };
}

guarded!();
guarded!(B);
guarded!(B, C);
guarded!(B, C, D);
guarded!(B, C, D, E);
guarded!(B, C, D, E, F);

/// Where a parameter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Path,
    Query,
    Header,
}

/// One parameter of a route.
#[derive(Debug, Clone)]
pub struct Param {
    pub name: &'static str,
    pub place: Place,
    pub schema: Schema,
    pub required: bool,
}

/// What a route answers with.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub media: &'static str,
    pub schema: Schema,
}

/// A route as documents see it.
#[derive(Debug, Clone)]
pub struct Entry {
    pub method: Method,
    /// As both axum and OpenAPI write it: `/api/v1/tokens/{id}`.
    pub path: &'static str,
    /// Other paths with the same handler.
    pub aliases: Vec<&'static str>,
    pub access: Access,
    pub tag: &'static str,
    pub summary: &'static str,
    pub description: String,
    pub params: Vec<Param>,
    pub body: Option<Schema>,
    /// Whether the body may be left out.
    pub body_optional: bool,
    pub answers: Vec<Answer>,
    /// Whether it changes something: such routes are audited.
    pub writes: bool,
    /// Whether `dryRun=true` is understood.
    pub dry_run: bool,
    /// Error statuses beyond those every route of its kind has.
    pub errors: Vec<u16>,
    /// Whether whoever is bound to a tenant may come, and the tenant can be named.
    pub tenants: bool,
    /// Whether the handler itself looks at parameters and fields that no document can list, and refuses what it does not
    /// know.
    pub any_query: bool,
    /// Whether its problem documents also have `error` and `details`, for clients that know nothing of RFC 9457.
    pub error_members: bool,
}

impl Entry {
    /// The path and its aliases.
    pub fn paths(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.path).chain(self.aliases.iter().copied())
    }
}

/// A route with its handler, its state bound.
pub struct Route {
    pub entry: Entry,
    pub(crate) handler: MethodRouter<()>,
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Route({} {})", self.entry.method, self.entry.path)
    }
}

/// The routes of one part of the API with the schemas they name.
#[derive(Debug)]
pub struct Routes {
    pub(crate) routes: Vec<Route>,
    pub(crate) components: Vec<(&'static str, Schema)>,
}

impl Routes {
    /// Binds drafts to their state; `tag` groups them in documents.
    pub fn new<S>(tag: &'static str, state: &S, drafts: impl IntoIterator<Item = Draft<S>>) -> Self
    where
        S: Clone + Send + Sync + 'static,
    {
        let bind = |draft: Draft<S>| {
            let handler = draft.handler.with_state(state.clone());
            Route {
                entry: Entry { tag, ..draft.entry },
                handler,
            }
        };
        Self {
            routes: drafts.into_iter().map(bind).collect(),
            components: Vec::new(),
        }
    }

    /// The same, where a request that is made for a tenant meets handlers whose state is narrowed to it: they cannot
    /// forget to.
    ///
    /// # Panics
    /// When a route has a method that axum does not know: there is none.
    pub fn narrowed<S>(
        tag: &'static str,
        state: &S,
        drafts: impl IntoIterator<Item = Draft<S>>,
        narrow: fn(&S, &Arc<Tenancy>) -> S,
    ) -> Self
    where
        S: Clone + Send + Sync + 'static,
    {
        let bind = |draft: Draft<S>| {
            let entry = Entry { tag, ..draft.entry };
            let whole: MethodRouter<()> = draft.handler.clone().with_state(state.clone());
            if !entry.tenants {
                return Route {
                    entry,
                    handler: whole,
                };
            }
            let method = MethodFilter::try_from(entry.method.clone()).expect("a method that a draft has");
            let (open, state) = (draft.handler, state.clone());
            let handler = move |request: Request| async move {
                let tenant = request.extensions().get::<Known>();
                let tenant = tenant.and_then(|known| known.caller.tenant.clone());
                let service = match tenant {
                    Some(tenant) => open.with_state(narrow(&state, &tenant)),
                    None => whole,
                };
                service.oneshot(request).await
            };
            Route {
                entry,
                handler: on(method, handler),
            }
        };
        Self {
            routes: drafts.into_iter().map(bind).collect(),
            components: Vec::new(),
        }
    }

    /// Names a schema for [`reference`](crate::schema::reference).
    #[must_use]
    pub fn component(mut self, name: &'static str, schema: Schema) -> Self {
        self.components.push((name, schema));
        self
    }

    /// Adds the routes and schemas of another table.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.routes.extend(other.routes);
        self.components.extend(other.components);
        self
    }

    /// What the routes are, without their handlers.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.routes.iter().map(|route| &route.entry)
    }
}
