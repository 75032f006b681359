//! Who has seen what: each follower is to see each write once, in order.

use serde::Deserialize;

/// What a follower tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told {
    /// It was told of this write.
    Write(u64),
    /// It was told that something may be missing.
    Anew,
    /// Its stream is over.
    Ended(String),
}

#[derive(Deserialize)]
struct Message<'a> {
    event: &'a str,
    #[serde(borrow, default)]
    changes: Vec<Change<'a>>,
}

#[derive(Deserialize)]
struct Change<'a> {
    table: &'a str,
    name: Option<String>,
    change: &'a str,
}

/// What a message of the stream tells about ports whose names begin with the mark. That somebody else wrote to such a port
/// later, as ovn-northd does when it first sees one, is no news of the port.
pub(super) fn made(text: &[u8], mark: &str) -> Vec<Told> {
    let message: Message<'_> = match serde_json::from_slice(text) {
        Ok(message) => message,
        Err(cause) => return vec![Told::Ended(format!("a message could not be read: {cause}"))],
    };
    if message.event == "anew" {
        return vec![Told::Anew];
    }
    let new = |change: &&Change<'_>| change.table == "Logical_Switch_Port" && change.change == "added";
    let number = |change: &Change<'_>| change.name.as_ref()?.strip_prefix(mark)?.parse().ok();
    let made = message.changes.iter().filter(new).filter_map(number);
    made.map(Told::Write).collect()
}

/// What the followers have seen so far.
#[derive(Debug)]
pub(super) struct Watch {
    /// The next write of each; `None` for one whose stream is over.
    next: Vec<Option<u64>>,
}

impl Watch {
    pub(super) fn new(followers: usize) -> Self {
        Self {
            next: vec![Some(0); followers],
        }
    }

    /// Whether somebody is still to see this write.
    pub(super) fn waits_for(&self, number: u64) -> bool {
        self.next.iter().flatten().any(|next| *next <= number)
    }

    /// What a follower tells: the write, if it is the one that was its next.
    ///
    /// # Errors
    /// In words, when a write was missed or came again, or the stream is over.
    pub(super) fn hear(&mut self, follower: usize, told: Told) -> Result<Option<u64>, String> {
        let Some(next) = self.next[follower] else {
            return Ok(None);
        };
        match told {
            Told::Write(number) if number < next => {
                Err(format!("follower {follower} saw write {number} again"))
            }
            Told::Write(number) => {
                self.next[follower] = Some(number + 1);
                match number == next {
                    true => Ok(Some(number)),
                    false => Err(format!(
                        "follower {follower} saw write {number} and never {}",
                        some(next, number - 1)
                    )),
                }
            }
            Told::Anew => Err(format!("follower {follower} was told to begin anew")),
            Told::Ended(why) => {
                self.next[follower] = None;
                Err(format!("the stream of follower {follower} ended: {why}"))
            }
        }
    }

    /// Who has not seen this write, in words.
    pub(super) fn late(&self, number: u64) -> Vec<String> {
        let late = |(follower, next): (usize, &Option<u64>)| {
            let behind = next.is_some_and(|next| next <= number);
            behind.then(|| format!("follower {follower} did not see write {number} in time"))
        };
        self.next.iter().enumerate().filter_map(late).collect()
    }
}

fn some(first: u64, last: u64) -> String {
    match first == last {
        true => first.to_string(),
        false => format!("{first} to {last}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn message(changes: &[(&str, &str, &str)]) -> Vec<u8> {
        let change = |(table, name, change): &(&str, &str, &str)| json!({ "table": table, "uuid": "u", "name": name, "change": change, "columns": {} });
        let changes: Vec<_> = changes.iter().map(change).collect();
        let message = json!({ "id": "t", "event": "changes", "changes": changes });
        message.to_string().into_bytes()
    }

    #[test]
    fn a_write_is_the_making_of_its_port_and_nothing_else() {
        let port = "Logical_Switch_Port";
        let told = |changes: &[_]| made(&message(changes), "run-f");
        let switch = ("Logical_Switch", "run-stream", "changed");
        assert_eq!(told(&[switch, (port, "run-f17", "added")]), [Told::Write(17)]);
        // What ovn-northd writes to a port that it has found.
        assert_eq!(told(&[(port, "run-f17", "changed")]), []);
        assert_eq!(
            told(&[(port, "other-f17", "added"), (port, "run-f17", "removed")]),
            []
        );
        let unnamed = json!({ "id": "t", "event": "changes", "changes": [{ "table": "ACL", "uuid": "u", "name": null, "change": "added" }] });
        assert_eq!(made(unnamed.to_string().as_bytes(), "run-f"), []);
        assert_eq!(made(br#"{"id":"t","event":"here"}"#, "run-f"), []);
        assert_eq!(
            made(br#"{"id":"t","event":"anew","reason":"r"}"#, "run-f"),
            [Told::Anew]
        );
        assert!(matches!(made(b"{", "run-f")[..], [Told::Ended(_)]));
    }

    #[test]
    fn each_follower_sees_each_write_once_and_in_order() {
        let mut watch = Watch::new(2);
        assert!(watch.waits_for(0));
        assert_eq!(watch.hear(0, Told::Write(0)), Ok(Some(0)));
        assert!(watch.waits_for(0), "the other one has not");
        assert_eq!(watch.late(0), ["follower 1 did not see write 0 in time"]);
        assert_eq!(watch.hear(1, Told::Write(0)), Ok(Some(0)));
        assert!(!watch.waits_for(0));
        let again = watch.hear(1, Told::Write(0));
        assert_eq!(again, Err("follower 1 saw write 0 again".to_owned()));
        let missed = watch.hear(0, Told::Write(3));
        assert_eq!(missed, Err("follower 0 saw write 3 and never 1 to 2".to_owned()));
        assert_eq!(
            watch.hear(0, Told::Write(4)),
            Ok(Some(4)),
            "and goes on from there"
        );
        assert!(watch.hear(1, Told::Anew).is_err() && watch.waits_for(1));
        let ended = watch.hear(1, Told::Ended("cut".to_owned()));
        assert_eq!(ended, Err("the stream of follower 1 ended: cut".to_owned()));
        assert!(!watch.waits_for(4), "nobody waits for one that is gone");
    }
}
