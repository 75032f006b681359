//! The API's own reason codes: 9400 to 9599. Problems, `purlin explain` and the documents read this one table.

use purlin_telemetry::{Reason, ReasonCode};

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $slug:literal, $text:literal, $explain:literal, $fix:literal;)*) => {
        $(
            $(#[$doc])*
            pub static $name: Reason = Reason {
                code: ReasonCode($code),
                slug: $slug,
                text: $text,
                explain: $explain,
                fix: $fix,
            };
        )*

        /// Every reason of the API, in order of code.
        pub static REASONS: &[Reason] = &[$($name),*];
    };
}

reasons! {
    /// 400, when nothing more precise fits.
    BAD_REQUEST = 9400, "bad_request", "the request cannot be understood",
        "The request is not valid HTTP for this path: a broken header, an upgrade that is none, or the like.",
        "Compare the request with the OpenAPI document at /api/v1/openapi.json.";
    /// 401 without credentials.
    NOT_LOGGED_IN = 9401, "not_logged_in", "a token is needed",
        "Every path but the health checks and the OpenAPI document wants a bearer token; nothing is open by default.",
        "Send the header 'Authorization: Bearer TOKEN'; the first token lies in the file admin-token of the data directory.";
    /// 401 with credentials that do not hold.
    BAD_TOKEN = 9402, "bad_token", "the token is not valid",
        "The token is unknown, revoked, expired or damaged. Which of these is not told to strangers.",
        "Create another with 'purlin token create', or read the file admin-token of the data directory.";
    /// 403.
    ROLE_TOO_LOW = 9403, "role_too_low", "the token's role does not allow this",
        "Roles are viewer (read), operator (change addresses and configuration) and admin (tokens, audit, backup).",
        "Use a token with the role that the OpenAPI document names for this path.";
    /// 404 for a path.
    NO_SUCH_PATH = 9404, "no_such_path", "there is nothing at this path",
        "No route has this path. Names inside a path must be percent-encoded.",
        "See /api/v1/openapi.json for every path there is.";
    /// 405.
    WRONG_METHOD = 9405, "wrong_method", "this path does not know the method",
        "The path exists, but not with this method; the Allow header names those it knows.",
        "Use one of the methods in the Allow header.";
    /// 400 for a query parameter or header.
    BAD_PARAMETER = 9406, "bad_parameter", "a parameter is not valid",
        "A query parameter or a header is missing, misspelt, of the wrong form or out of its range.",
        "The detail names the parameter and what it may be.";
    /// 400 for a cursor.
    BAD_CURSOR = 9407, "bad_cursor", "the cursor is not one of ours",
        "Cursors are opaque: only the value of next_cursor from an earlier page of the same list may be sent.",
        "Start again without a cursor.";
    /// 408.
    TOO_SLOW = 9408, "too_slow", "the request did not arrive in time",
        "Headers or body took longer than the server waits for them.",
        "Send the request in one go; check the connection.";
    /// 409 for a name that exists.
    ALREADY_THERE = 9409, "already_there", "an object of this name exists already",
        "A POST creates, it never overwrites.",
        "Choose another name, or change the existing object at its own path with PUT or PATCH, whichever /api/v1/openapi.json has there.";
    /// 404 for an object.
    NO_SUCH_OBJECT = 9410, "no_such_object", "there is no such object",
        "The path is known, but what it names does not exist (any more).",
        "List the collection to see the names there are.";
    /// 412.
    CHANGED_MEANWHILE = 9412, "changed_meanwhile", "it was changed by somebody else meanwhile",
        "If-Match or if_revision names a state that is no longer the present one, so nothing was changed.",
        "Read it again, look at the difference, and send the change with the new ETag or revision.";
    /// 413.
    BODY_TOO_LARGE = 9413, "body_too_large", "the body is too large",
        "Bodies are limited so that one client cannot use up the memory of the server.",
        "Split the request; the detail names the limit.";
    /// 415.
    WRONG_MEDIA_TYPE = 9415, "wrong_media_type", "the body must be JSON",
        "Bodies are read as JSON only, and only when the header says so.",
        "Send the header 'Content-Type: application/json'.";
    /// 400 for a body that is no JSON.
    NOT_JSON = 9416, "not_json", "the body is not valid JSON",
        "The body could not be parsed as JSON at the place that the detail names.",
        "Correct the body at that place.";
    /// 422 for JSON of the wrong shape.
    WRONG_SHAPE = 9417, "wrong_shape", "the body does not have the expected fields",
        "The body is JSON, but a field is missing, unknown, or of the wrong type.",
        "Compare it with the schema in /api/v1/openapi.json.";
    /// 422 with `errors`.
    FAULTY_CONFIG = 9422, "faulty_config", "what was sent has faults",
        "The values in the body, or the configuration that they would make, have faults; each is listed in errors with its place. Nothing was changed.",
        "Correct every entry of errors; for a key of the configuration 'purlin config explain KEY' tells what it may be.";
    /// 401 for a username and a password, or a refresh token.
    LOGIN_REFUSED = 9424, "login_refused", "the login was refused",
        "The username, the password or the refresh token is not right, or not any more. Which of these is not told to strangers.",
        "Log in with the right ones; an admin makes users and gives them passwords with 'purlin user'.";
    /// 403 for a caller that is bound to a tenant.
    BEYOND_TENANT = 9427, "beyond_tenant", "this is about more than the caller's tenant",
        "Keys of a tenant reach what the tenant has, and nothing that concerns the whole installation. The same for what a key's scopes do not name, and for writes in a tenant that wants its admins' approval.",
        "Use a key with the scope, ask an admin of the tenant, or use a token of the installation.";
    /// 429 for a caller that is too fast.
    TOO_MANY_REQUESTS = 9428, "too_many_requests", "too many requests",
        "Each caller has a rate for reads and one for writes, and each address one for logins. X-RateLimit-Limit, X-RateLimit-Remaining and X-RateLimit-Reset say how it stands.",
        "Wait for the seconds in the Retry-After header.";
    /// 429.
    TOO_MANY_FAILURES = 9429, "too_many_failures", "too many failed logins from this address",
        "After several wrong secrets for known tokens from one source address the server stops looking at further ones for a while.",
        "Wait for the seconds in the Retry-After header and use the right token.";
    /// 422.
    KEY_USED_DIFFERENTLY = 9430, "key_used_differently", "the idempotency key was used for another request",
        "An Idempotency-Key belongs to one request. The same key came with another body or path.",
        "Use a new key for a new request.";
    /// 409.
    STILL_RUNNING = 9431, "still_running", "the first request with this idempotency key is still running",
        "The same request was sent twice at the same time; the first one has not been answered yet.",
        "Wait a moment and repeat it with the same key to get the first one's answer.";
    /// 409.
    LAST_ADMIN = 9450, "last_admin", "this is the last admin token",
        "Without a token of role admin nobody could create another one.",
        "Create another admin token first.";
    /// 409.
    NOT_POSSIBLE = 9451, "not_possible", "this cannot be done in the present state",
        "The request is valid, but what it asks for does not fit what is there now; the detail says why.",
        "Read the object again and adapt the request.";
    /// 409.
    LOCK_HELD = 9452, "lock_held", "somebody else holds the lock",
        "The lock was held at each of the tries that were asked for, or the token is not that of its holder.",
        "Look who holds it with GET /api/v1/cluster/locks; ask with more retries, or wait for its ttl.";
    /// 409.
    LOCK_LOST = 9453, "lock_lost", "the lock is held no more",
        "It lapsed before it was renewed, or it was held for longer than was asked for. Others may have had it meanwhile.",
        "Stop what the lock protects and acquire it again; renew it at a third of its ttl.";
    /// 501.
    NOT_THERE_YET = 9454, "not_there_yet", "this is not there yet",
        "The path is documented and the function behind it is not built.",
        "The detail says what works instead.";
    /// 500.
    BROKEN = 9500, "broken", "the server failed",
        "Something that should not happen did happen. The request may or may not have had an effect.",
        "Look at the server's log for the request id and report it.";
    /// 500 or 507 from the record store.
    STORE_FAILED = 9501, "store_failed", "the record store failed",
        "Revisions, tokens and the audit live in the record store, which could not be read or written.",
        "Run 'purlin doctor'; check the disk of the data directory.";
    /// 500 when a checked configuration could not be taken over.
    APPLY_FAILED = 9502, "apply_failed", "the configuration could not be applied",
        "The configuration is free of faults, but the running services could not take it over, for example because a port is in use. The former configuration goes on running and no revision was recorded.",
        "The detail names what failed; correct it and apply again.";
    /// 503.
    NOT_READY = 9503, "not_ready", "the service is not ready",
        "The service is starting, draining, or one of its parts does not work; the detail says which.",
        "See /health/ready; try again when it answers 200.";
    /// 503 for one connection or stream too many.
    TOO_BUSY = 9504, "too_busy", "the server has too many of these open already",
        "Connections, event streams and password checks are limited so that the packet path keeps its share.",
        "Close streams that nobody reads, or try again later.";
    /// 507.
    STORE_FULL = 9507, "store_full", "no space is left for records",
        "The disk of the data directory is full. Nothing was changed.",
        "Free space on the disk of the data directory.";
    /// 501 for what this build or configuration does not have.
    NOT_HERE = 9508, "not_here", "this server does not have that part",
        "The part is not compiled in, or not switched on in the configuration.",
        "Switch it on in the configuration, or use a build that has it.";
}

#[cfg(test)]
mod tests {
    use super::REASONS;

    #[test]
    fn codes_are_unique_sorted_and_in_our_range() {
        assert!(REASONS.windows(2).all(|pair| pair[0].code < pair[1].code));
        assert!(REASONS.iter().all(|reason| (9400..9600).contains(&reason.code.0)));
    }

    #[test]
    fn every_reason_says_what_to_do() {
        for reason in REASONS {
            assert!(
                !reason.fix.is_empty() && !reason.explain.is_empty(),
                "{}",
                reason.code
            );
        }
    }
}
