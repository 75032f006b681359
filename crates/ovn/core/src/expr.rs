//! OVN's match expressions: the text of an ACL, a routing policy, a QoS rule.
//!
//! ```text
//!  text ──lexer──► tokens ──parser──► Match { Syntax, uses }      as it was written, names with their places
//!                                        │ names: which ports, sets and groups are not there
//!                                        │ lower: sets and groups by their members
//!                                        ▼
//!                                     Formula                     OVN's own form, negation pushed to the leaves
//!                                        │ annotate: what each field needs (`tcp.dst` needs `tcp` needs `ip`)
//!                                        ▼
//!                                     Formula over whole fields ──► evaluate(packet)
//!                                                               └─► solve: never true, covered by others, a witness
//! ```
//!
//! What is accepted and refused is what OVN 23.03 accepts and refuses; where this differs, the place in the code says so.
//!
//! Source: ovn-sb(5), table `Logical_Flow`, column `match`; ovn-nb(5), tables `ACL`, `QoS`, `Logical_Router_Policy`.

mod annotate;
mod check;
mod constraint;
mod fault;
mod formula;
mod lexer;
mod lower;
mod names;
mod number;
mod packet;
mod parser;
mod print;
mod solve;
mod symbol;
mod syntax;
mod token;

pub use annotate::annotate;
pub use fault::{Fault, Span};
pub use formula::Formula;
pub use lower::lower;
pub use names::{Kind, Names, NoNames, Use, unknown};
pub use number::{Format, Number};
pub use packet::Packet;
pub use parser::{DEPTH_MAX, Match, TEXT_MAX, parse};
pub use solve::{Answer, Goal, STEPS_MAX, ask, covered, satisfiable};
pub use symbol::{Level, Meaning, Symbol, symbol, symbols};
pub use syntax::{Comparison, Constant, Field, Relation, Syntax, Test};
