//! How a connection is made and watched, with TLS or without.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_postgres::{AsyncMessage, CancelToken, Client, Config, Connection, NoTls};

use crate::failure::Failure;
use crate::settings::{Settings, Target};

/// For a request to cancel to reach the server.
const CANCEL: Duration = Duration::from_secs(2);

/// The channel on which the server tells of commits.
macro_rules! bell {
    () => {
        "purlin_records"
    };
}
pub(crate) use bell;

/// Set when the server has warned of something since it was last cleared.
pub(crate) type Warned = Arc<AtomicBool>;

/// What connections are made with.
#[derive(Clone)]
pub(crate) struct Lines {
    runtime: Handle,
    /// Counts what the server has told of by itself.
    bell: Arc<watch::Sender<u64>>,
    #[cfg(feature = "tls")]
    tls: Option<tokio_postgres_rustls::MakeRustlsConnect>,
}

impl Lines {
    /// Connections live on the runtime `runtime`, whoever uses them.
    pub(crate) fn new(runtime: Handle, settings: &Settings) -> Result<Self, Failure> {
        let wanted =
            settings.primary.demands_tls() || settings.replica.as_ref().is_some_and(Target::demands_tls);
        #[cfg(feature = "tls")]
        let has = settings.tls.is_some();
        #[cfg(not(feature = "tls"))]
        let has = false;
        if wanted && !has {
            return Err(Failure::Unusable(
                "the PostgreSQL address demands TLS, for which this node has no certificates".to_owned(),
            ));
        }
        Ok(Self {
            runtime,
            bell: Arc::new(watch::Sender::new(0)),
            #[cfg(feature = "tls")]
            tls: settings
                .tls
                .clone()
                .map(tokio_postgres_rustls::MakeRustlsConnect::new),
        })
    }

    pub(crate) async fn connect(&self, config: &Config) -> Result<(Client, Warned), tokio_postgres::Error> {
        let warned = Warned::default();
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            let (client, connection) = config.connect(tls.clone()).await?;
            self.drive(connection, &warned);
            return Ok((client, warned));
        }
        let (client, connection) = config.connect(NoTls).await?;
        self.drive(connection, &warned);
        Ok((client, warned))
    }

    fn drive<S, T>(&self, connection: Connection<S, T>, warned: &Warned)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (warned, bell) = (warned.clone(), Arc::clone(&self.bell));
        self.runtime.spawn(attend(connection, warned, bell));
    }

    /// Changes when the server tells of a commit; see [`Session::open`](crate::session::Session::open).
    pub(crate) fn bell(&self) -> watch::Receiver<u64> {
        self.bell.subscribe()
    }

    /// Ends what the server is doing for `client`, then the connection. A backend that waits for a standby looks at
    /// nothing else: without the request it would stay until the standby comes back.
    pub(crate) fn cancel(&self, client: Client) {
        let lines = self.clone();
        let _task = self.runtime.spawn(async move {
            let token = client.cancel_token();
            // The server may be gone; then there is nothing to end.
            let _ = tokio::time::timeout(CANCEL, lines.request(token)).await;
            drop(client);
        });
    }

    async fn request(&self, token: CancelToken) -> Result<(), tokio_postgres::Error> {
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            return token.cancel_query(tls.clone()).await;
        }
        token.cancel_query(NoTls).await
    }
}

/// Drives a connection to its end. A warning is noted before the answer that follows it is handed over: that is how a
/// commit whose wait for the standby was cancelled differs from one that is confirmed (the server calls both done).
async fn attend<S, T>(mut connection: Connection<S, T>, warned: Warned, bell: Arc<watch::Sender<u64>>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        match std::future::poll_fn(|context| connection.poll_message(context)).await {
            Some(Ok(AsyncMessage::Notice(notice))) => {
                if notice.severity() == "WARNING" {
                    warned.store(true, Ordering::Release);
                }
            }
            Some(Ok(AsyncMessage::Notification(_))) => bell.send_modify(|count| *count += 1),
            Some(Ok(_)) => {}
            // Whoever has a request under way is told by the client.
            Some(Err(_)) | None => return,
        }
    }
}
