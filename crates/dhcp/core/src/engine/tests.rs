//! Conversations with the engine: packets in, answers and records out, time under the test's hand.

mod conversation;
mod keeping;
mod rules;
mod serving;
