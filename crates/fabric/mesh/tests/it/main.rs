//! Nodes with real sockets and real TLS over one store, and everybody who must not get in.

mod calling;
mod hints;
mod joining;
mod refusing;
mod renewing;
mod rig;
mod strangers;
