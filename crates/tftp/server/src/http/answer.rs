//! Answers: status, headers and a body.

use super::body;
use super::condition::{Conditions, Verdict};
use super::range::{Wanted, wanted};
use super::record::Entry;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use purlin_tftp_core::plan::codes;
use purlin_tftp_core::settings::Compression;
use purlin_tftp_core::{FileError, reasons};
use purlin_tftp_files::Content;
use std::sync::Arc;

/// What a request wants beyond its name.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked {
    pub(super) head_only: bool,
    /// It takes gzip (RFC 9110, section 12.5.3).
    pub(super) gzip: bool,
    pub(super) range: Option<String>,
    if_range: Option<String>,
    pub(super) conditions: Conditions,
}

impl Asked {
    pub(super) fn of(request: &Request) -> Self {
        let headers = request.headers();
        Self {
            head_only: request.method() == Method::HEAD,
            gzip: takes_gzip(headers),
            // No other method has ranges: HEAD is answered as a GET of the whole file (section 14.2).
            range: text(headers, header::RANGE).filter(|_| request.method() == Method::GET),
            if_range: text(headers, header::IF_RANGE),
            conditions: Conditions::of(headers),
        }
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// Whether gzip is named without `q=0`. A bare `*` asks for nothing in particular.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let all = headers.get_all(header::ACCEPT_ENCODING);
    let words = all.iter().filter_map(|value| value.to_str().ok());
    words.flat_map(|value| value.split(',')).any(|word| {
        let mut parts = word.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let refused = parts
            .filter_map(|part| part.strip_prefix("q="))
            .any(|weight| weight.parse() == Ok(0.0));
        named && !refused
    })
}

/// The answer with the file, a part of it, or the news that nothing changed.
pub(super) fn answer(
    name: &str,
    content: Arc<Content>,
    encoded: bool,
    compression: Compression,
    asked: &Asked,
    mut entry: Entry,
) -> Response {
    let tag = content.etag().to_owned();
    entry.found(content.size());
    let mut headers = HeaderMap::new();
    put(&mut headers, header::ETAG, &tag);
    put(
        &mut headers,
        header::LAST_MODIFIED,
        &http_date(content.modified().0),
    );
    put(&mut headers, header::ACCEPT_RANGES, "bytes");
    put(
        &mut headers,
        header::CONTENT_TYPE,
        media_type(name, content.kind().is_some()),
    );
    if compression.enabled {
        put(&mut headers, header::VARY, "accept-encoding");
    }
    if encoded {
        put(&mut headers, header::CONTENT_ENCODING, "gzip");
    }
    match asked.conditions.weigh(&tag, content.modified().0) {
        Verdict::Serve => {}
        Verdict::Failed => {
            let refused = problem(StatusCode::PRECONDITION_FAILED, "the file is another one by now");
            entry.answered(&refused, 0, reasons::HTTP_REFUSED);
            return refused;
        }
        Verdict::NotModified => {
            let same = with(StatusCode::NOT_MODIFIED, headers, Body::empty());
            entry.answered(&same, 0, reasons::NOT_MODIFIED);
            return same;
        }
    }
    // A part is only good together with the parts the client has: those of the same file (section 13.1.5).
    let same = asked.if_range.as_deref().is_none_or(|condition| condition == tag);
    let size = content.size();
    let part = wanted(asked.range.as_deref().filter(|_| same && !encoded), size);
    let (status, range) = match part {
        Wanted::Whole => (StatusCode::OK, 0..size),
        Wanted::Part(range) => {
            let told = format!("bytes {}-{}/{size}", range.start, range.end - 1);
            put(&mut headers, header::CONTENT_RANGE, &told);
            (StatusCode::PARTIAL_CONTENT, range)
        }
        Wanted::Nothing => {
            let mut refused = problem(
                StatusCode::RANGE_NOT_SATISFIABLE,
                "the range lies behind the end of the file",
            );
            put(
                refused.headers_mut(),
                header::CONTENT_RANGE,
                &format!("bytes */{size}"),
            );
            entry.answered(&refused, 0, reasons::HTTP_REFUSED);
            return refused;
        }
    };
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
    let mut response = with(status, headers, Body::empty());
    if asked.head_only {
        entry.answered(&response, 0, reasons::SIZE_PROBE);
    } else {
        let whole = range == (0..size);
        let reason = if whole { reasons::SENT } else { reasons::HTTP_PART };
        entry.answered(&response, range.end - range.start, reason);
        *response.body_mut() = body::of(content, range, entry);
    }
    response
}

/// Why there is no file, without a word about where it would be.
pub(super) fn refusal(error: &FileError) -> Response {
    match error {
        FileError::NotFound
        | FileError::IsDirectory
        // No file can have such a name, whoever asks for it.
        | FileError::NotAllowed(codes::NAME_EMPTY | codes::NAME_LONG | codes::NAME_DIRECTORY) => problem(StatusCode::NOT_FOUND, "no such file"),
        FileError::Busy => {
            let mut refused = problem(StatusCode::SERVICE_UNAVAILABLE, "too much to do; try again");
            put(refused.headers_mut(), header::RETRY_AFTER, "1");
            refused
        }
        FileError::Denied | FileError::NotAllowed(_) | FileError::NoValue(_) => {
            problem(StatusCode::FORBIDDEN, "this file is not for you")
        }
        _ => problem(StatusCode::INTERNAL_SERVER_ERROR, "the file could not be read"),
    }
}

/// One line of text.
pub(super) fn problem(status: StatusCode, words: &str) -> Response {
    let mut headers = HeaderMap::new();
    put(&mut headers, header::CONTENT_TYPE, TEXT);
    with(status, headers, Body::from(format!("{words}\n")))
}

fn with(status: StatusCode, headers: HeaderMap, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    // Values are made here, of characters that headers may hold.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Milliseconds since the epoch as `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(millis: u64) -> String {
    let at = i64::try_from(millis)
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let at = at.unwrap_or_default();
    rfc2822::DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&at)
        .unwrap_or_default()
}

const TEXT: &str = "text/plain; charset=utf-8";

/// Media types that boot firmware cares about (UEFI 2.10, section 24.7.3.1), and a few for people. What was `made` from a
/// template is text, whatever its name says.
fn media_type(name: &str, made: bool) -> &'static str {
    let extension = name.rsplit('/').next().and_then(|file| file.rsplit_once('.'));
    match extension
        .map(|(_, extension)| extension.to_ascii_lowercase())
        .as_deref()
    {
        Some("json") => "application/json",
        Some("xml") => "application/xml",
        Some("html") => "text/html; charset=utf-8",
        _ if made => TEXT,
        Some("ipxe" | "txt" | "cfg" | "conf" | "ks" | "preseed" | "yaml" | "yml" | "log" | "sh") => TEXT,
        Some("efi") => "application/efi",
        Some("iso") => "application/vnd.efi-iso",
        Some("img") => "application/vnd.efi-img",
        Some("gz") => "application/gzip",
        Some("xz") => "application/x-xz",
        Some("zst") => "application/zstd",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_only_to_who_asks() {
        for (value, expected) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip; q=0.0", false),
            ("identity", false),
            ("*", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_str(value).unwrap());
            assert_eq!(takes_gzip(&headers), expected, "{value}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }

    #[test]
    fn firmware_learns_what_it_gets() {
        assert_eq!(media_type("a.b/snponly.EFI", false), "application/efi");
        assert_eq!(media_type("disk.iso", false), "application/vnd.efi-iso");
        assert_eq!(media_type("v1.2/vmlinuz", false), "application/octet-stream");
        assert_eq!(media_type("boot.ipxe", false), TEXT);
    }

    #[test]
    fn what_is_made_is_text() {
        for name in [
            "boot.ipxe",
            "pxelinux.cfg/default",
            "grub.cfg",
            "made.efi",
            "seed",
        ] {
            assert_eq!(media_type(name, true), TEXT, "{name}");
        }
        assert_eq!(media_type("answers.json", true), "application/json");
    }

    #[test]
    fn dates_are_those_of_http() {
        assert_eq!(http_date(784_111_777_000), "Sun, 06 Nov 1994 08:49:37 GMT");
    }
}
