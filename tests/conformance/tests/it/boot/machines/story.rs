//! What `purlin why` tells about a machine that booted.

use purlin_conformance::{LIMIT, Node, within};
use serde_json::Value;

/// A machine's story, as text and as decisions.
pub(super) struct Story {
    text: String,
    decisions: Vec<Value>,
}

impl Story {
    /// Asks for it. The machine printed its mark after the last file had arrived, so everything is on record or about
    /// to be: the story is complete when it is asked twice and does not grow.
    pub(super) fn told(node: &Node<'_>, subject: &str) -> Self {
        let mut before = 0;
        let decisions = within(LIMIT, || {
            let told = node.json(&["why", subject]);
            let decisions = told["decisions"].as_array().cloned().unwrap_or_default();
            let settled = decisions.len() == before && before > 0;
            before = decisions.len();
            settled.then_some(decisions)
        });
        let text = node.says(&["why", subject]);
        let decisions = decisions.unwrap_or_else(|| panic!("a story that ends\n{text}"));
        let story = Self { text, decisions };
        story.is_in_order();
        story
    }

    /// By time, and of no other services than those two.
    fn is_in_order(&self) {
        let times: Vec<&str> = self.decisions.iter().map(|told| text(told, "at")).collect();
        assert!(times.is_sorted(), "{times:?}");
        for told in &self.decisions {
            let service = text(told, "service");
            assert!(matches!(service, "dhcp" | "boot"), "{told}");
        }
        let first = self.decisions.first().map(|told| text(told, "service"));
        assert_eq!(
            first,
            Some("dhcp"),
            "a boot begins with an address\n{}",
            self.text
        );
    }

    /// The machine was offered and given this address.
    pub(super) fn has_the_lease(&self, address: &str) {
        for answer in ["DHCPOFFER", "DHCPACK"] {
            let given = self.decisions.iter().any(|told| {
                text(told, "service") == "dhcp"
                    && text(told, "answer") == answer
                    && text(told, "text").contains(address)
            });
            assert!(given, "{answer} with {address}\n{}", self.text);
        }
        assert!(self.text.contains(address), "{}", self.text);
    }

    /// Each of these files was sent whole, by `tftp` or `http`, in this order, with the time that it took.
    pub(super) fn has_files(&self, files: &[(&str, &str)]) {
        let mut rest = self.decisions.iter();
        for (file, by) in files {
            let sent = rest.find(|told| {
                let http = text(told, "event").starts_with("HTTP");
                text(told, "slug") == "file_sent"
                    && text(told, "file").trim_start_matches('/') == *file
                    && http == (*by == "http")
            });
            let sent = sent.unwrap_or_else(|| panic!("{file} by {by}, in its turn\n{}", self.text));
            for time in ["first_ms", "took_ms"] {
                assert!(sent[time].is_number(), "{time} of {sent}");
            }
            assert!(sent["octets"].as_u64() > Some(0), "{sent}");
            assert!(self.text.contains(file), "{file} in\n{}", self.text);
        }
    }
}

fn text<'a>(told: &'a Value, key: &str) -> &'a str {
    told.get(key).and_then(Value::as_str).unwrap_or_default()
}
