//! The relay: connections taken in, let in or not, routed by what they say first, and carried to where they belong.

pub mod limits;
pub mod lists;
pub mod plan;
pub mod proxy;
