//! Keeps this node connected with one other, for as long as that is wanted.

use crate::backoff::Backoff;
use crate::shared::Shared;
use crate::unmet::{Unmet, Why};
use crate::wish::Wish;
use crate::{Direction, connection, meeting};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{sleep, timeout};

/// An address at which this node reached itself is not tried again before.
const ITSELF: Duration = Duration::from_secs(60);
/// Addresses of one name that are tried one after another.
const ADDRESSES_MAX: usize = 16;

/// Dials and dials again, until the wish is given up or the node stops.
pub(crate) struct Keeper {
    pub(crate) shared: Arc<Shared>,
    pub(crate) wish: Arc<Wish>,
    /// An operator's wish: it stands above the limit, and giving it up ends the connection. Else one of the addresses
    /// of a name.
    pub(crate) wished: bool,
}

impl Keeper {
    pub(crate) async fn keep(self) {
        let pace = &self.shared.settings.pace;
        let mut backoff = Backoff::new(pace.redial_min, pace.redial_max);
        let mut told = None;
        while self.idle(self.wanted()).await.is_some() {
            let Some(met) = self.idle(self.meet()).await else {
                return;
            };
            let wait = match met {
                Ok(met) => {
                    told = None;
                    if self.stay(met).await >= pace.silence {
                        backoff.reset();
                    }
                    backoff.wait()
                }
                Err(unmet) => {
                    self.tell(&mut told, &unmet);
                    if let Some(id) = unmet.id {
                        self.wish.learn(id);
                    }
                    match unmet.why {
                        Why::Itself => ITSELF,
                        _ => backoff.wait(),
                    }
                }
            };
            if self.idle(sleep(wait)).await.is_none() {
                return;
            }
        }
    }

    /// Something that may be left at any time; `None`: it was.
    async fn idle<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.shared.stopped() => None,
            () = self.wish.given_up() => None,
            done = work => Some(done),
        }
    }

    /// Returns when the node is not connected and, for one that a name gave, there is room.
    async fn wanted(&self) {
        let mut changed = self.shared.changed.subscribe();
        while !self.is_wanted() {
            // The sender is part of `shared`: waiting cannot fail.
            let _ = changed.changed().await;
        }
    }

    fn is_wanted(&self) -> bool {
        let table = self.shared.table();
        let up = self.wish.id().is_some_and(|id| table.get(id).is_some());
        !up && (self.wished || table.has_room())
    }

    /// Tries the addresses of the name, as they are now, until somebody is met.
    async fn meet(&self) -> Result<meeting::Met, Unmet> {
        let address = &self.wish.address;
        let most = self.shared.settings.connect_timeout;
        let found = timeout(most, lookup_host((address.host.as_str(), address.port))).await;
        let found = found
            .map_err(|_| Unmet::other(format!("its name was not found within {most:?}")))?
            .map_err(|error| Unmet::other(format!("its name is not found: {error}")))?;
        let mut last = Unmet::other("its name has no address");
        for address in found.take(ADDRESSES_MAX) {
            match self.try_one(address, most).await {
                Ok(met) => return Ok(met),
                Err(unmet) => last = unmet,
            }
        }
        Err(last)
    }

    async fn try_one(&self, address: SocketAddr, most: Duration) -> Result<meeting::Met, Unmet> {
        let connected = timeout(most, TcpStream::connect(address)).await;
        let stream = connected.map_err(|_| Unmet::other(format!("it did not answer within {most:?}")))??;
        let met = meeting::call(&self.shared, stream, self.wish.address.id, self.wished);
        timeout(most, met)
            .await
            .map_err(|_| Unmet::other(format!("it did not show who it is within {most:?}")))?
    }

    /// Serves the connection to its end; how long it lasted.
    async fn stay(&self, (seat, stream): meeting::Met) -> Duration {
        let (line, start) = (Arc::clone(&seat.line), Instant::now());
        self.wish.learn(line.id());
        let run = connection::run(seat, stream);
        if self.wished && self.wish.is_given_up() {
            // It was given up before it was known whom it meant.
            line.end(GIVEN_UP);
        }
        run.await;
        start.elapsed()
    }

    /// What repeats itself is told once, and that there is a connection already is as it should be.
    fn tell(&self, told: &mut Option<String>, unmet: &Unmet) {
        let quiet = match unmet.why {
            Why::Already => true,
            Why::Itself => !self.wished,
            Why::Other(_) => false,
        };
        let why = unmet.why.to_string();
        let news = !quiet && told.as_ref() != Some(&why);
        let address = self.wish.address.to_string();
        self.shared.refused(Direction::Outbound, address, unmet, news);
        if !quiet {
            *told = Some(why);
        }
    }
}

/// Told to a peer that is not dialled any more.
pub(crate) const GIVEN_UP: &str = "the operator wants this connection no more";
