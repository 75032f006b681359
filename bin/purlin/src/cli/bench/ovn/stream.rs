//! How soon followers of the stream see what was written.
//!
//! The commit lies between the question and its answer, so two times are told: since the write was asked for, which is
//! more than the time since the commit, and since its answer came, which is less.

use super::Run;
use super::cost::Costs;
use super::load::Tally;
use super::report::Phase;
use crate::client::{Client, Socket};
use crate::exit::Failure;
use crate::output::bar;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long a follower may take to see a port.
const PATIENCE: Duration = Duration::from_secs(10);
const SWITCH: &str = "stream";

/// Which write a follower has seen, and when.
type Seen = (u64, Instant);

impl Run<'_> {
    pub(super) async fn stream(&mut self) -> Result<(), Failure> {
        let followers = self.args.followers;
        let (sender, mut seen) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        for _ in 0..followers {
            let socket = self.client().socket("/api/v1/ovn/stream").await?;
            let mark = format!("\"{}-f", self.network.name());
            tasks.spawn(follow(socket, mark, sender.clone()));
        }
        let mut client = self.client();
        client.answer(self.network.switch(SWITCH)).await?;
        let (began, before) = (Instant::now(), Costs::read(&self.processes));
        let (mut since_asked, mut since_answered, mut n) = (Tally::default(), Tally::default(), 0);
        while began.elapsed() < self.args.duration && !self.stop.load(Ordering::Relaxed) {
            let (asked, answered) = self.written(&mut client, n).await?;
            since_asked.requests += 1;
            for _ in 0..followers {
                match timeout(PATIENCE, seen.recv()).await {
                    Ok(Some((number, at))) if number == n => {
                        since_asked.time(at - asked);
                        since_answered.time(at.saturating_duration_since(answered));
                        since_asked.done += 1;
                    }
                    _ => since_asked.fail(format!("a follower did not see write {n}")),
                }
            }
            n += 1;
            let share = began.elapsed().as_secs_f64() / self.args.duration.as_secs_f64();
            self.line.show(|| format!("{} stream: {n} done", bar(share)));
        }
        let (took, after) = (began.elapsed(), Costs::read(&self.processes));
        tasks.abort_all();
        self.report.ports_acknowledged += n;
        let spent = before.until(&after);
        let name = "stream, since the write was asked for";
        let phase = Phase::of(name, followers, took, since_asked, &spent);
        self.report.phases.push(phase);
        let name = "stream, since its answer came";
        let phase = Phase::of(name, followers, took, since_answered, &Costs::default());
        self.report.phases.push(phase);
        Ok(())
    }

    /// Makes a port; when that was asked for, and when it was answered.
    async fn written(&self, client: &mut Client, n: u64) -> Result<Written, Failure> {
        let ask = self.network.on(SWITCH, &format!("f{n}"));
        let asked = Instant::now();
        client.answer(ask).await?;
        Ok((asked, Instant::now()))
    }
}

/// When a write was asked for, and when it was answered.
type Written = (Instant, Instant);

/// Tells of every port of the run, until the server closes.
async fn follow(mut socket: Socket, mark: String, seen: mpsc::UnboundedSender<Seen>) {
    while let Ok(Some(text)) = socket.text().await {
        let at = Instant::now();
        if let Some(number) = marked(&text, mark.as_bytes())
            && seen.send((number, at)).is_err()
        {
            return;
        }
    }
}

/// The number behind the mark.
fn marked(text: &[u8], mark: &[u8]) -> Option<u64> {
    let at = text.windows(mark.len()).position(|window| window == mark)?;
    let digits = text[at + mark.len()..]
        .iter()
        .take_while(|octet| octet.is_ascii_digit());
    let digits: Vec<u8> = digits.copied().collect();
    std::str::from_utf8(&digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_is_known_by_the_name_of_its_port() {
        let text = br#"{"changes":[{"name":"web"},{"name":"run-f17","table":"Logical_Switch_Port"}]}"#;
        assert_eq!(marked(text, b"\"run-f"), Some(17));
        assert_eq!(marked(text, b"\"other-f"), None);
    }
}
