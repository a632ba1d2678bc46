//! Small parts of the relay, each alone.

mod lists;
mod proxy;
