//! The embedded store on real files and on a disk that crashes.

mod contract;
mod rigs;
