//! The embedded store on real files and on a disk that crashes.

mod backup;
mod contract;
mod crashes;
mod damage;
mod kill;
mod records;
mod rest;
mod rigs;
