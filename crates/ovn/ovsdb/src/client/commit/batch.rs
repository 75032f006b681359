//! Transactions that travel as one, from the first sending to their answers.

use super::gather::Gathered;
use super::guard::Guard;
use super::{CommitError, Committed, Job};
use crate::client::cluster::{Chosen, Cluster};
use crate::client::config::Config;
use crate::operation::Operation;
use crate::outcome::{Done, Failure, Outcome, Refusal};
use crate::session::methods::Transact;
use crate::uuid::Uuid;
use std::pin::Pin;
use std::sync::Arc;
use tokio::time::{Instant, timeout_at};

pub(super) struct Batch {
    jobs: Vec<Job>,
    config: Arc<Config>,
    cluster: Cluster,
    sendings: u32,
    /// Whether names within the transactions are told apart.
    scoped: bool,
    id: Uuid,
}

/// What one sending came to.
enum Answer {
    Done(Outcome, u64),
    Already(u64),
    Refused(Refusal),
    Lost,
}

impl Batch {
    pub(super) fn new(jobs: Vec<Job>, config: Arc<Config>, cluster: Cluster) -> Self {
        Self {
            jobs,
            config,
            cluster,
            sendings: 0,
            scoped: false,
            id: Uuid::from_random(random()),
        }
    }

    /// Sends, again if need be, and answers all jobs.
    pub(super) async fn run(mut self) {
        let deadline = self
            .jobs
            .iter()
            .map(Job::deadline)
            .min()
            .unwrap_or_else(Instant::now);
        let mut unsure = false;
        loop {
            let Ok(chosen) = timeout_at(deadline, self.cluster.await_chosen(!self.config.forward)).await
            else {
                return self.give_up(unsure);
            };
            let guard = self.guard(&chosen);
            if unsure && !guard.may_repeat() {
                return self.fail(&CommitError::Unknown);
            }
            let Ok(answer) = timeout_at(deadline, self.send(&chosen, &guard)).await else {
                return self.give_up(true);
            };
            match answer {
                Answer::Done(outcome, connection) => return self.succeed(outcome, connection),
                Answer::Already(connection) => return self.recognise(connection),
                Answer::Lost => unsure = true,
                Answer::Refused(refusal) if refusal.failure.is_passing() => {
                    // The member will tell itself that it leads no more; until then it must not be flooded.
                    unsure = true;
                    self.cluster.pause(self.config.back_off.0).await;
                }
                Answer::Refused(_) if self.jobs.len() > 1 => return self.each_alone().await,
                Answer::Refused(refusal) => return self.fail(&CommitError::Refused(refusal)),
            }
        }
    }

    fn guard(&mut self, chosen: &Chosen) -> Guard {
        let uuids = chosen.status.chooses_uuids;
        if uuids {
            let mut random = Random::default();
            let choose = |job: &mut Job| job.transaction.choose_uuids(|| random.next());
            self.jobs.iter_mut().for_each(choose);
        } else if self.jobs.len() > 1 && !self.scoped {
            self.scoped = true;
            let jobs = self.jobs.iter_mut().enumerate();
            jobs.for_each(|(scope, job)| job.transaction.scope(scope));
        }
        let transactions: Vec<_> = self.jobs.iter().map(|job| &job.transaction).collect();
        Guard::of(&transactions, uuids, &self.config.marker, self.id)
    }

    async fn send(&mut self, chosen: &Chosen, guard: &Guard) -> Answer {
        self.sendings += 1;
        let (before, after) = (guard.before(self.sendings), guard.after());
        // One transaction goes as it was given.
        let asked = self.jobs.iter().flat_map(|job| job.transaction.operations());
        let gathered = (self.jobs.len() > 1).then(|| Gathered::new(asked.clone()));
        let mut operations: Vec<&Operation> = before.iter().collect();
        match &gathered {
            Some(gathered) => operations.extend(gathered.operations.iter().map(AsRef::as_ref)),
            None => operations.extend(asked),
        }
        operations.extend(&after);
        let params = Transact {
            database: &self.config.database,
            operations: &operations,
        };
        let connection = chosen.connection.id;
        let reply = tokio::select! {
            reply = chosen.connection.call("transact", &params) => reply,
            // A leader that was cut off would let us wait for ever.
            () = self.cluster.await_other_leader(connection), if chosen.status.leader => return Answer::Lost,
        };
        let Ok(reply) = reply else { return Answer::Lost };
        let all = operations.len();
        let leading = usize::from(before.is_some());
        match reply.map_or_else(
            |error| Err(rejected(&error)),
            |results| Outcome::parse(&results, all),
        ) {
            Ok(mut outcome) => {
                outcome.done.drain(..leading);
                outcome
                    .done
                    .truncate(all - leading - usize::from(after.is_some()));
                if let Some(gathered) = &gathered {
                    outcome.done = gathered.answers(&outcome.done);
                }
                Answer::Done(outcome, connection)
            }
            Err(refusal)
                if leading == 1 && refusal.operation == Some(0) && refusal.failure == Failure::TimedOut =>
            {
                Answer::Already(connection)
            }
            Err(mut refusal) => {
                refusal.operation = refusal.operation.map(|at| at.saturating_sub(leading));
                Answer::Refused(refusal)
            }
        }
    }

    fn succeed(self, outcome: Outcome, connection: u64) {
        let (together, sendings) = (self.jobs.len(), self.sendings);
        let mut done = outcome.done.into_iter();
        for job in self.jobs {
            let outcome = Outcome {
                done: done.by_ref().take(job.transaction.len()).collect(),
            };
            job.answer(Ok(Committed {
                outcome,
                together,
                sendings,
                connection,
            }));
        }
    }

    /// It happened with a sending whose answer was lost: what we know of it stands in the request.
    fn recognise(self, connection: u64) {
        let (together, sendings) = (self.jobs.len(), self.sendings);
        for job in self.jobs {
            let outcome = Outcome {
                done: job.transaction.operations().iter().map(known).collect(),
            };
            job.answer(Ok(Committed {
                outcome,
                together,
                sendings,
                connection,
            }));
        }
    }

    /// One of them is at fault. Nothing happened: each goes again, and only the one at fault is refused.
    fn each_alone(self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let Self {
            jobs,
            config,
            cluster,
            sendings,
            ..
        } = self;
        Box::pin(async move {
            let mut tasks = tokio::task::JoinSet::new();
            for job in jobs {
                let mut alone = Self::new(vec![job], config.clone(), cluster.clone());
                alone.sendings = sendings;
                tasks.spawn(alone.run());
            }
            while tasks.join_next().await.is_some() {}
        })
    }

    fn give_up(self, sent: bool) {
        let error = |job: &Job| {
            let harmless = job.transaction.is_read();
            if sent && !harmless {
                CommitError::Unknown
            } else {
                CommitError::Unreachable(job.time)
            }
        };
        for job in self.jobs {
            let error = error(&job);
            job.answer(Err(error));
        }
    }

    fn fail(self, error: &CommitError) {
        for job in self.jobs {
            job.answer(Err(error.clone()));
        }
    }
}

fn known(operation: &Operation) -> Done {
    match operation {
        Operation::Insert(insert) => Done {
            uuid: insert.uuid,
            ..Done::default()
        },
        _ => Done::default(),
    }
}

/// The whole request was turned away, not an operation of it.
fn rejected(error: &[u8]) -> Refusal {
    let json: serde_json::Value = serde_json::from_slice(error).unwrap_or_default();
    let text = |name: &str| json[name].as_str().map(str::to_owned);
    match (json.as_str(), text("error")) {
        (Some(error), _) => Refusal::new(None, error, None, None),
        (None, Some(error)) => Refusal::new(None, &error, text("details"), text("syntax")),
        (None, None) => Refusal::protocol(String::from_utf8_lossy(error).chars().take(500).collect()),
    }
}

/// Random octets, taken from the kernel for many rows at once.
#[derive(Default)]
struct Random {
    octets: Vec<[u8; 16]>,
}

impl Random {
    const BLOCK: usize = 32;

    fn next(&mut self) -> [u8; 16] {
        if self.octets.is_empty() {
            self.octets.resize(Self::BLOCK, [0; 16]);
            getrandom::fill(self.octets.as_flattened_mut()).expect("the kernel gives random octets");
        }
        self.octets.pop().expect("filled just now")
    }
}

fn random() -> [u8; 16] {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the kernel gives random octets");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_rows_get_the_same_octets() {
        let mut random = Random::default();
        let all: std::collections::HashSet<_> = (0..Random::BLOCK * 3).map(|_| random.next()).collect();
        assert_eq!(all.len(), Random::BLOCK * 3);
        assert!(!all.contains(&[0; 16]));
    }

    #[test]
    fn a_request_turned_away_says_why() {
        assert_eq!(rejected(b"\"canceled\"").failure, Failure::NotLeader);
        assert_eq!(
            rejected(br#"{"error":"unknown database"}"#).failure,
            Failure::UnknownDatabase
        );
        assert_eq!(rejected(b"7").failure, Failure::Protocol);
    }
}
