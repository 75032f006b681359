//! The route table: each route is declared once as data, and both the router and the OpenAPI document come from it.
//!
//! ```text
//!   get("/api/v1/tokens", list)          handler: first argument says who may call (crate::access)
//!       .summary("Lists the tokens")
//!       .answers(200, schema::page_of("Token"))
//! ```

use axum::extract::Request;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, on};
use std::fmt;
use std::sync::Arc;
use tower::ServiceExt;

use crate::access::{Access, Known, Requirement};
use crate::schema::{self, Schema};
use crate::tenancy::Tenancy;

/// What `If-Match` may be: `*`, or entity tags in double quotes (RFC 9110, section 8.8.3), here without commas.
const IF_MATCH: &str = r#"^(\*|(W/)?"[!#-+.-~-]*"( *, *(W/)?"[!#-+.-~-]*")*)$"#;

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

/// A route on its way into a table.
pub struct Draft<S> {
    entry: Entry,
    handler: MethodRouter<S>,
}

macro_rules! drafts {
    ($($name:ident, $method:ident, $words:literal;)*) => {$(
        #[doc = $words]
        pub fn $name<H, T, S>(path: &'static str, handler: H) -> Draft<S>
        where
            H: Handler<T, S>,
            T: Guarded + 'static,
            S: Clone + Send + Sync + 'static,
        {
            Draft::new(Method::$method, path, T::ACCESS, on(MethodFilter::$method, handler))
        }
    )*};
}

drafts! {
    get, GET, "A route that reads.";
    post, POST, "A route that creates or acts.";
    put, PUT, "A route that replaces.";
    patch, PATCH, "A route that changes some members (JSON merge patch, RFC 7396).";
    delete, DELETE, "A route that removes.";
}

impl<S> Draft<S> {
    fn new(method: Method, path: &'static str, access: Access, handler: MethodRouter<S>) -> Self {
        let writes = method != Method::GET;
        let mut entry = Entry {
            method,
            path,
            aliases: Vec::new(),
            access,
            tag: "",
            summary: "",
            description: String::new(),
            params: Vec::new(),
            body: None,
            body_optional: false,
            answers: Vec::new(),
            writes,
            dry_run: writes,
            errors: Vec::new(),
            tenants: false,
            any_query: false,
            error_members: false,
        };
        for name in path_names(path) {
            let schema = schema::string("Percent-encoded where needed.");
            entry.params.push(Param {
                name,
                place: Place::Path,
                schema,
                required: true,
            });
        }
        Self { entry, handler }
    }

    /// One line without a full stop.
    #[must_use]
    pub fn summary(mut self, words: &'static str) -> Self {
        self.entry.summary = words;
        self
    }

    /// What else there is to know; Markdown.
    #[must_use]
    pub fn description(mut self, words: impl Into<String>) -> Self {
        self.entry.description = words.into();
        self
    }

    /// Another path with the same handler.
    #[must_use]
    pub fn alias(mut self, path: &'static str) -> Self {
        self.entry.aliases.push(path);
        self
    }

    /// An optional query parameter. Those that no route declares are refused.
    #[must_use]
    pub fn query(mut self, name: &'static str, schema: Schema) -> Self {
        self.entry.params.push(Param {
            name,
            place: Place::Query,
            schema,
            required: false,
        });
        self
    }

    /// Query parameters by any name, such as that of a column, and fields likewise: the handler refuses those that it does
    /// not know.
    #[must_use]
    pub fn any_query(mut self, name: &'static str, words: &str) -> Self {
        self.entry.any_query = true;
        let mut schema = schema::open_object(&[], &[]);
        schema["additionalProperties"] = serde_json::json!({ "type": "string" });
        schema["description"] = serde_json::json!(words);
        self.query(name, schema)
    }

    /// A query parameter that must be there.
    #[must_use]
    pub fn required_query(mut self, name: &'static str, schema: Schema) -> Self {
        self.entry.params.push(Param {
            name,
            place: Place::Query,
            schema,
            required: true,
        });
        self
    }

    /// An optional header.
    #[must_use]
    pub fn header(mut self, name: &'static str, schema: Schema) -> Self {
        self.entry.params.push(Param {
            name,
            place: Place::Header,
            schema,
            required: false,
        });
        self
    }

    /// `cursor`, `limit` and `fields`.
    #[must_use]
    pub fn paged(self) -> Self {
        self.paged_by("^[0-9]{0,18}$")
    }

    /// The same where cursors look otherwise than numbers; the empty one must fit too.
    #[must_use]
    pub fn paged_by(self, cursors: &str) -> Self {
        let words = "next_cursor of the page before; empty or absent for the first page.";
        self.query("cursor", schema::matching(cursors, words))
            .limited("Items per page; 100 when absent.")
            .fields()
    }

    /// `limit`.
    #[must_use]
    pub fn limited(self, words: &str) -> Self {
        self.query("limit", schema::whole(1, crate::asked::LIMIT_MAX as u64, words))
    }

    /// `fields`.
    #[must_use]
    pub fn fields(self) -> Self {
        let words = "Comma-separated members to answer with; all when absent. One that the items cannot have is refused.";
        self.query("fields", schema::matching("^[0-9a-z_]+(,[0-9a-z_]+)*$", words))
    }

    /// `If-Match` is honoured.
    #[must_use]
    pub fn if_match(mut self) -> Self {
        self.entry.errors.push(412);
        let words =
            "ETags in double quotes: of the object as it was read, or of the configuration: \"r17\"; or *.";
        let mut tags = schema::matching(IF_MATCH, words);
        tags["examples"] = serde_json::json!(["*", "\"r17\""]);
        self.header("If-Match", tags)
    }

    /// The JSON body.
    #[must_use]
    pub fn body(mut self, schema: Schema) -> Self {
        self.entry.body = Some(schema);
        self
    }

    /// A JSON body that may be left out.
    #[must_use]
    pub fn optional_body(mut self, schema: Schema) -> Self {
        self.entry.body_optional = true;
        self.body(schema)
    }

    /// A JSON answer.
    #[must_use]
    pub fn answers(self, status: u16, schema: Schema) -> Self {
        self.answers_as(status, "application/json", schema)
    }

    /// An answer of another media type.
    #[must_use]
    pub fn answers_as(mut self, status: u16, media: &'static str, schema: Schema) -> Self {
        self.entry.answers.push(Answer {
            status,
            media,
            schema,
        });
        self
    }

    /// Error statuses of this route in particular.
    #[must_use]
    pub fn errors(mut self, statuses: &[u16]) -> Self {
        self.entry.errors.extend_from_slice(statuses);
        self
    }

    /// Problem documents of this path also have `error` (the title) and `details` (the detail), whatever the method.
    #[must_use]
    pub fn error_members(mut self) -> Self {
        self.entry.error_members = true;
        self
    }

    /// Requests may be made for a tenant: what the handler is given is narrowed to it ([`Routes::narrowed`]), or it looks
    /// at the caller's tenant by itself. Without this, callers that are bound to a tenant are refused.
    #[must_use]
    pub fn tenants(mut self) -> Self {
        self.entry.tenants = true;
        let words = "Id or name of a tenant that the caller is a member of: what is read and written is its part alone.";
        self.query("tenant_id", schema::word(words))
            .header("X-Tenant-ID", schema::word(words))
    }

    /// It changes nothing although it is no GET (a plan, a check): not audited, no `dryRun`.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.entry.writes = false;
        self.entry.dry_run = false;
        self
    }
}

/// The names in braces of a path.
fn path_names(path: &'static str) -> impl Iterator<Item = &'static str> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
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

impl<S> fmt::Debug for Draft<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Draft({} {})", self.entry.method, self.entry.path)
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
                let tenant = tenant.and_then(|Known(caller)| caller.tenant.clone());
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

    /// Names a schema for [`schema::reference`].
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
