//! A route in the making: its handler, and what documents say of it.

use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, on};
use std::fmt;

use super::{Answer, Entry, Guarded, Param, Place};
use crate::access::Access;
use crate::schema::{self, Schema};

/// What `If-Match` may be: `*`, or entity tags in double quotes (RFC 9110, section 8.8.3), here without commas.
const IF_MATCH: &str = r#"^(\*|(W/)?"[!#-+.-~-]*"( *, *(W/)?"[!#-+.-~-]*")*)$"#;

/// A route on its way into a table.
pub struct Draft<S> {
    pub(super) entry: Entry,
    pub(super) handler: MethodRouter<S>,
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

    /// Requests may be made for a tenant: what the handler is given is narrowed to it
    /// ([`narrowed`](super::Routes::narrowed)), or it looks at the caller's tenant by itself. Without this, callers that
    /// are bound to a tenant are refused.
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

impl<S> fmt::Debug for Draft<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Draft({} {})", self.entry.method, self.entry.path)
    }
}
