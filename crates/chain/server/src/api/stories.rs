//! What became of a transaction, as the chain's part of a story.

use crate::handle::Handle;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use purlin_api::story::{Chapter, Subject, Teller, Who};
use purlin_chain_proto::B256;
use serde_json::json;

/// Tells what became of a transaction.
#[derive(Debug)]
pub struct TransactionTeller(Handle);

impl TransactionTeller {
    #[must_use]
    pub const fn new(handle: Handle) -> Self {
        Self(handle)
    }

    async fn chapter(&self, subject: &Subject) -> Chapter {
        let Ok(hash) = subject.text().parse::<B256>() else {
            return Chapter::default();
        };
        let handle = self.0.clone();
        let told = tokio::task::spawn_blocking(move || handle.why(hash)).await;
        match told {
            Ok(Ok(told)) => Chapter {
                seen: told.known,
                summary: format!("transaction {hash}: {}", told.says),
                checks: if told.known { Vec::new() } else { forgotten() },
                more: [("block".to_owned(), json!(told.block))].into_iter().collect(),
                ..Chapter::default()
            },
            Ok(Err(fault)) => unread(fault.message()),
            Err(_) => unread("reading it panicked; see the log"),
        }
    }
}

fn forgotten() -> Vec<String> {
    vec![
        "whether it was sent to this chain: `purlin chain status` says its id".to_owned(),
        "the answer to eth_sendRawTransaction: what is refused is not kept".to_owned(),
    ]
}

fn unread(why: &str) -> Chapter {
    Chapter {
        summary: format!("the chain cannot be read: {why}"),
        checks: vec!["purlin doctor".to_owned()],
        ..Chapter::default()
    }
}

impl Teller for TransactionTeller {
    fn service(&self) -> &'static str {
        "chain"
    }

    fn minds(&self, subject: &Subject) -> bool {
        subject.is_transaction()
    }

    fn who<'a>(&'a self, _: &'a Subject) -> BoxFuture<'a, Who> {
        async { Who::default() }.boxed()
    }

    fn tell<'a>(&'a self, subject: &'a Subject, _: &'a Who, _: usize) -> BoxFuture<'a, Chapter> {
        self.chapter(subject).boxed()
    }
}
