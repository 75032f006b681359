//! The rig for the contract of claims: a database of its own on a server that may be restarted and failed over.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use purlin_fabric::port::contract::claims::ClaimsRig;
use purlin_fabric::port::{ClaimStore, Later};
use purlin_store_postgres::Postgres;

use super::{Mode, Proxy, Server, Stop, empty, settings};

pub(crate) struct ClaimsOn<'a> {
    server: &'a Server,
    database: String,
    proxy: Proxy,
    copy: Mutex<Option<PathBuf>>,
}

impl<'a> ClaimsOn<'a> {
    pub(crate) async fn new(server: &'a Server, database: &str) -> Self {
        empty(server, database).await;
        Self {
            server,
            database: database.to_owned(),
            proxy: Proxy::to(server.port()).await,
            copy: Mutex::default(),
        }
    }
}

impl ClaimsRig for ClaimsOn<'_> {
    fn store(&self) -> Later<'_, Arc<dyn ClaimStore>> {
        Box::pin(async {
            let store = Postgres::connect(settings(self.proxy.port(), &self.database), |_| {}).await;
            Arc::new(store.expect("the server answers")) as Arc<dyn ClaimStore>
        })
    }

    fn replicate(&self) -> Later<'_, bool> {
        Box::pin(async {
            *self.copy.lock().expect("no check panics with it") = Some(self.server.keep_copy());
            true
        })
    }

    fn fail_over(&self, lose: bool) -> Later<'_, bool> {
        Box::pin(async move {
            let copy = self.copy.lock().expect("no check panics with it").take();
            self.server.fail_over(copy.filter(|_| lose)).await;
            true
        })
    }

    fn restart(&self) -> Later<'_, bool> {
        Box::pin(async {
            self.server.stop(Stop::Fast);
            self.server.start();
            true
        })
    }

    fn cut(&self, cut: bool) -> Later<'_, bool> {
        Box::pin(async move {
            self.proxy.set(if cut { Mode::Cut } else { Mode::Pass });
            true
        })
    }
}
