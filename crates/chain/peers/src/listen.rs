//! Those who dial this node.

use crate::shared::Shared;
use crate::unmet::{Unmet, Why};
use crate::{Direction, connection, meeting};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

/// How long accepting rests after an error such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

pub(crate) async fn listen(shared: Arc<Shared>, listener: TcpListener) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shared.stopped() => return,
        };
        match accepted {
            Ok((stream, from)) => {
                let task = guest(Arc::clone(&shared), stream, from);
                shared.spawn(task);
            }
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn guest(shared: Arc<Shared>, stream: TcpStream, from: SocketAddr) {
    match meet(&shared, stream, from).await {
        Ok((seat, stream)) => connection::run(seat, stream).await,
        Err(unmet) => {
            // A second connection with a peer, and reaching oneself through a name of all nodes, are no news.
            let news = !matches!(unmet.why, Why::Already | Why::Itself);
            shared.refused(Direction::Inbound, from.to_string(), &unmet, news);
        }
    }
}

async fn meet(shared: &Arc<Shared>, stream: TcpStream, from: SocketAddr) -> Result<meeting::Met, Unmet> {
    let most = shared.settings.connect_timeout;
    let mut place = shared.pending.enter();
    tokio::select! {
        // Who is displaced in the moment in which he is met stays.
        biased;
        met = timeout(most, meeting::answer(shared, stream, from)) => {
            met.unwrap_or_else(|_| Err(Unmet::other(format!("it did not show who it is within {most:?}"))))
        }
        () = place.displaced() => Err(Unmet::other("it had not shown who it is when too many others came")),
        () = shared.stopped() => Err(Unmet::other(crate::shared::STOPS)),
    }
}
