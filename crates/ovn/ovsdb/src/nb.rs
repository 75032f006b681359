//! Typed rows of OVN's Northbound database, made from the schema in `schemas/` when the crate is built.

use crate::cache::RowRef;
use crate::schema::Wanted;
use crate::typed::{Boolean, Column, Integer, Kind, Map, Optional, Reference, Set, Text, TypedRow};

include!(concat!(env!("OUT_DIR"), "/nb.rs"));
