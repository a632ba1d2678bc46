//! Tests of the flow room: conversations played segment by segment, on made-up time.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used)]

mod identity;
mod key;
mod play;
mod reassembly;
mod states;
mod streams;
mod table;
