//! All fronts of a process.

use crate::members::{MemberPorts, Members, follow};
use crate::pool::{BackendView, Pool};
use crate::tcp::{TcpFront, TcpSettings};
use crate::udp::{UdpFront, UdpSettings};
use crate::{Clock, Counters};
use purlin_fabric::balance::Algorithm;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;

/// A front to be started.
#[derive(Debug, Clone)]
pub struct FrontSpec {
    /// Unique in its process.
    pub name: String,
    /// What is spoken, in one word.
    pub service: &'static str,
    pub kind: FrontKind,
    /// Where the backends of the cluster's nodes are, in place of listed ones.
    pub members: Option<MemberPorts>,
}

/// Datagrams or connections.
#[derive(Debug, Clone)]
pub enum FrontKind {
    Udp(UdpSettings),
    Tcp(TcpSettings),
}

/// A front that runs.
#[derive(Debug)]
pub struct Front {
    pub name: String,
    pub service: &'static str,
    pub algorithm: Algorithm,
    line: Line,
}

#[derive(Debug)]
enum Line {
    Udp(UdpFront),
    Tcp(TcpFront),
}

/// Fronts that run. Clones share them; they end with the last clone, or by [`Fronts::stop`].
#[derive(Debug, Clone, Default)]
pub struct Fronts(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    fronts: Vec<Front>,
    followers: Mutex<JoinSet<()>>,
}

/// A front that could not be started.
#[derive(Debug)]
pub struct StartFault {
    pub front: String,
    pub listen: SocketAddr,
    pub cause: io::Error,
}

/// A name that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoSuch {
    Front,
    Backend,
}

impl Fronts {
    /// Starts them all, within a tokio runtime.
    ///
    /// # Errors
    /// With the first that cannot listen; none keeps running then.
    pub async fn start(
        specs: Vec<FrontSpec>,
        members: &Arc<dyn Members>,
        clock: &Clock,
    ) -> Result<Self, StartFault> {
        let (mut fronts, mut followers) = (Vec::new(), JoinSet::new());
        for spec in specs {
            let (listen, algorithm) = match &spec.kind {
                FrontKind::Udp(settings) => (settings.listen, settings.pool.algorithm),
                FrontKind::Tcp(settings) => (settings.listen, settings.pool.algorithm),
            };
            let line = match spec.kind {
                FrontKind::Udp(settings) => UdpFront::bind(&settings, Arc::clone(clock)).map(Line::Udp),
                FrontKind::Tcp(settings) => TcpFront::bind(settings, Arc::clone(clock)).await.map(Line::Tcp),
            };
            let front = spec.name.clone();
            let line = line.map_err(|cause| StartFault { front, listen, cause })?;
            let front = Front {
                name: spec.name,
                service: spec.service,
                algorithm,
                line,
            };
            if let Some(ports) = spec.members {
                followers.spawn(follow(Arc::clone(front.pool()), Arc::clone(members), ports));
            }
            fronts.push(front);
        }
        let followers = Mutex::new(followers);
        Ok(Self(Arc::new(Inner { fronts, followers })))
    }

    /// In the order of the configuration.
    #[must_use]
    pub fn all(&self) -> &[Front] {
        &self.0.fronts
    }

    /// Gives a backend no new clients, or gives it clients again; how it stands then.
    ///
    /// # Errors
    /// When there is no such front, or no such backend behind it.
    pub fn drain(&self, front: &str, backend: &str, draining: bool) -> Result<BackendView, NoSuch> {
        let front = self.all().iter().find(|known| known.name == front);
        let pool = front.ok_or(NoSuch::Front)?.pool();
        if !pool.drain(backend, draining) {
            return Err(NoSuch::Backend);
        }
        let views = pool.views();
        let view = views.into_iter().find(|view| view.backend.name == backend);
        view.ok_or(NoSuch::Backend)
    }

    /// Takes nobody new and lets connections end within `grace`; whether all did.
    pub async fn stop(&self, grace: Duration) -> bool {
        self.0
            .followers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .abort_all();
        let mut left = 0;
        for front in self.all() {
            match &front.line {
                Line::Udp(front) => front.close(),
                // The first may take all of the time: nothing new comes anywhere then.
                Line::Tcp(front) => left += front.close(grace).await,
            }
        }
        left == 0
    }
}

impl Front {
    /// Where it listens.
    #[must_use]
    pub fn listen(&self) -> SocketAddr {
        match &self.line {
            Line::Udp(front) => front.local_addr(),
            Line::Tcp(front) => front.local_addr(),
        }
    }

    #[must_use]
    pub fn pool(&self) -> &Arc<Pool> {
        match &self.line {
            Line::Udp(front) => front.pool(),
            Line::Tcp(front) => front.pool(),
        }
    }

    #[must_use]
    pub fn counters(&self) -> &Counters {
        match &self.line {
            Line::Udp(front) => front.counters(),
            Line::Tcp(front) => front.counters(),
        }
    }
}

impl fmt::Display for StartFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "front {} cannot listen at {}", self.front, self.listen)
    }
}

impl std::error::Error for StartFault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}
