mod bench;
mod cached;
mod http;
mod limits;
mod reads;
mod targets;
mod writes;
