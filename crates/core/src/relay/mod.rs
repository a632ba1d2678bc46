//! The relay: connections taken in, let in or not, routed by what they say first, and carried to where they belong.

pub mod plan;
