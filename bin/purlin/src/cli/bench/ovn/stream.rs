//! How soon followers of the stream see what was written, and whether each sees all of it, once and in order.
//!
//! The commit lies between the question and its answer, so two times are told: since the write was asked for, which is
//! more than the time since the commit, and since its answer came, which is less.

mod watch;

use super::Run;
use super::cost::Costs;
use super::load::Tally;
use super::report::Phase;
use crate::client::{Client, Socket};
use crate::exit::Failure;
use crate::output::bar;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::JoinSet;
use tokio::time::timeout_at;
use watch::{Told, Watch, made};

/// How long followers may take to see a port.
const PATIENCE: Duration = Duration::from_secs(10);
const SWITCH: &str = "stream";

/// What a follower tells, and when it had it.
type News = (usize, Told, Instant);

/// What is measured.
#[derive(Default)]
struct Times {
    since_asked: Tally,
    since_answered: Tally,
}

impl Run<'_> {
    pub(super) async fn stream(&mut self) -> Result<(), Failure> {
        let followers = self.args.followers;
        let (sender, mut news) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        let mark: Arc<str> = format!("{}-f", self.network.name()).into();
        for number in 0..followers as usize {
            let socket = self.client().socket("/api/v1/ovn/stream").await?;
            tasks.spawn(follow(number, socket, Arc::clone(&mark), sender.clone()));
        }
        let mut client = self.client();
        client.answer(self.network.switch(SWITCH)).await?;
        let (began, before) = (Instant::now(), Costs::read(&self.processes));
        let (mut watch, mut times, mut n) = (Watch::new(followers as usize), Times::default(), 0);
        while began.elapsed() < self.args.duration && !self.stop.load(Ordering::Relaxed) {
            let written = self.written(&mut client, n).await?;
            n += 1;
            times.seen(&mut watch, written, &mut news).await;
            let share = began.elapsed().as_secs_f64() / self.args.duration.as_secs_f64();
            self.line.show(|| format!("{} stream: {n} done", bar(share)));
        }
        let (took, after) = (began.elapsed(), Costs::read(&self.processes));
        tasks.abort_all();
        self.report.ports_acknowledged += n;
        let spent = before.until(&after);
        let name = "stream, since the write was asked for";
        let phase = Phase::of(name, followers, took, times.since_asked, &spent);
        self.report.phases.push(phase);
        let name = "stream, since its answer came";
        let phase = Phase::of(name, followers, took, times.since_answered, &Costs::default());
        self.report.phases.push(phase);
        Ok(())
    }

    /// Makes a port; which, when that was asked for, and when it was answered.
    async fn written(&self, client: &mut Client, number: u64) -> Result<Written, Failure> {
        let ask = self.network.on(SWITCH, &format!("f{number}"));
        let asked = Instant::now();
        client.answer(ask).await?;
        Ok(Written {
            number,
            asked,
            answered: Instant::now(),
        })
    }
}

/// A write that is to be seen.
#[derive(Clone, Copy)]
struct Written {
    number: u64,
    asked: Instant,
    answered: Instant,
}

impl Times {
    /// Until every follower has seen the write, has missed it, or takes too long.
    async fn seen(&mut self, watch: &mut Watch, written: Written, news: &mut UnboundedReceiver<News>) {
        self.since_asked.requests += 1;
        self.since_answered.requests += 1;
        let end = Instant::now() + PATIENCE;
        while watch.waits_for(written.number) {
            let Ok(Some((follower, told, at))) = timeout_at(end.into(), news.recv()).await else {
                for words in watch.late(written.number) {
                    self.since_asked.fail(words);
                }
                return;
            };
            match watch.hear(follower, told) {
                Ok(Some(number)) if number == written.number => {
                    self.since_asked.time(at - written.asked);
                    let after = at.saturating_duration_since(written.answered);
                    self.since_answered.time(after);
                    self.since_asked.done += 1;
                    self.since_answered.done += 1;
                }
                // An earlier write, for which it was found late.
                Ok(_) => {}
                Err(words) => self.since_asked.fail(words),
            }
        }
    }
}

/// Tells of every port of the run, and why it ends.
async fn follow(number: usize, mut socket: Socket, mark: Arc<str>, news: UnboundedSender<News>) {
    loop {
        let text = socket.text().await;
        let at = Instant::now();
        let told = match text {
            Ok(Some(text)) => made(&text, &mark),
            Ok(None) => vec![Told::Ended("the node closed it".to_owned())],
            Err(cause) => vec![Told::Ended(cause.to_string())],
        };
        for told in told {
            let ends = matches!(told, Told::Ended(_));
            if news.send((number, told, at)).is_err() || ends {
                return;
            }
        }
    }
}
