mod bench;
mod cached;
mod events;
mod http;
mod limits;
mod reads;
mod targets;
mod writes;
