//! Chapters as one story: sentences in the order of the services, decisions in the order of time.

use super::{Chapter, Subject, Who};
use crate::schema::{self, Schema};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// A silence this long ends one attempt to boot; times are then counted anew, in milliseconds.
const ATTEMPT_GAP_MS: i64 = 300_000;

pub(super) fn weave(subject: &Subject, who: &Who, chapters: Vec<(&'static str, Chapter)>) -> Value {
    let seen = chapters.iter().any(|(_, chapter)| chapter.seen);
    // Where one service has seen it, the others' silence is no news, unless it is all there is.
    let told = chapters.iter().filter(|(_, chapter)| chapter.seen || !seen);
    let (mut summary, mut checks, mut more) = (Vec::new(), Vec::new(), Map::new());
    for (_, chapter) in told {
        summary.extend(Some(chapter.summary.as_str()).filter(|words| !words.is_empty()));
        checks.extend(chapter.checks.iter().cloned());
    }
    if chapters.is_empty() {
        summary.push("No service here knows such a subject.");
    }
    let summary = summary.join(" ");
    let mut decisions = Vec::new();
    for (service, chapter) in chapters {
        more.extend(chapter.more);
        for mut decision in chapter.decisions {
            decision["service"] = service.into();
            decisions.push(decision);
        }
    }
    let place = |step: &Value| ["at", "node"].map(|key| step[key].as_str().unwrap_or_default().to_owned());
    decisions.sort_by_cached_key(place);
    count_time(&mut decisions);
    checks.dedup();
    let mut story = json!({
        "subject": subject.text(),
        "kind": subject.kind(),
        "seen": seen,
        "summary": summary,
        "client": {
            "macs": who.macs.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "addresses": who.addresses,
            "hostnames": who.hostnames,
            "client_ids": who.client_ids,
        },
        "decisions": decisions,
        "checks": checks,
        "missing": [],
    });
    if let Some(members) = story.as_object_mut() {
        members.extend(more);
    }
    story
}

/// Adds `after_ms` to each decision: the time since the attempt it belongs to began.
fn count_time(decisions: &mut [Value]) {
    let mut begun: Option<i64> = None;
    let mut before = 0;
    for decision in decisions {
        let at = decision["at"]
            .as_str()
            .and_then(|text| text.parse::<Timestamp>().ok());
        let Some(at) = at.map(Timestamp::as_millisecond) else {
            continue;
        };
        let start = match begun {
            Some(start) if at - before <= ATTEMPT_GAP_MS => start,
            _ => at,
        };
        (begun, before) = (Some(start), at);
        decision["after_ms"] = (at - start).into();
    }
}

pub(super) fn story_schema(more: &[(&str, Schema)]) -> Schema {
    let words = |about: &str| schema::array(schema::string(about));
    let client = schema::object(&[
        ("macs", words("A hardware address.")),
        ("addresses", words("An IP address.")),
        ("hostnames", words("A host name.")),
        ("client_ids", words("A client identifier, as hex pairs.")),
    ]);
    let mut members = vec![
        (
            "subject",
            schema::string("What was asked about, in its one form."),
        ),
        (
            "kind",
            schema::one_of(
                &["mac", "address", "hostname", "file", "transaction"],
                "What that is.",
            ),
        ),
        ("seen", schema::boolean("Whether anything is on record.")),
        (
            "summary",
            schema::string("How things stand, in a sentence or two."),
        ),
        ("client", client),
        ("decisions", schema::array(schema::reference("StoryDecision"))),
        ("checks", words("What to look at next.")),
        (
            "missing",
            schema::array(schema::object(&[
                (
                    "node",
                    schema::string("A node whose part of the story is missing."),
                ),
                ("why", schema::string("Why it is.")),
            ])),
        ),
    ];
    members.extend_from_slice(more);
    schema::object(&members)
}

/// What decisions of all services have; each service adds its own members.
pub(super) fn decision_schema() -> Schema {
    let outcomes = ["answered", "refused", "silent", "dropped", "noted"];
    let members = [
        ("at", schema::formatted("date-time", "When.")),
        (
            "after_ms",
            schema::count(
                "Milliseconds since this attempt to boot began: the first decision after five quiet minutes.",
            ),
        ),
        ("service", schema::string("Who decided: dhcp, boot.")),
        ("node", schema::string("Where, among several nodes.")),
        ("event", schema::string("What came in.")),
        ("answer", schema::string("What went out.")),
        ("outcome", schema::one_of(&outcomes, "How it ended.")),
        ("code", schema::string("Stable code; see /api/v1/explain.")),
        ("slug", schema::string("The code's name.")),
        ("text", schema::string("The reason, in words.")),
        (
            "fix",
            schema::string("What to do about it; empty when nothing is wrong."),
        ),
    ];
    let required = ["at", "service", "outcome", "code", "text"];
    schema::open_object(&required, &members)
}
