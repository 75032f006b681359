mod bench;
mod http;
mod limits;
mod reads;
mod targets;
mod writes;
