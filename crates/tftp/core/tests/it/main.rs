//! Conversations with the transfer engine: time is stepped, files are in memory, packets are text.

mod chaos;
mod clients;
mod faults;
mod floods;
mod limits;
mod link;
mod options;
mod reads;
mod records;
mod repeated;
mod rig;
mod scale;
mod timers;
mod uploads;
