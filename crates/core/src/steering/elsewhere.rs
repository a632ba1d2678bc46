//! Where there is no Linux: each port takes a socket of its own.

use super::{Refused, Wanted};

/// Nothing that exists here.
#[derive(Debug)]
pub enum SkLookup {}

impl SkLookup {
    /// Always refused.
    pub fn attach(_: &Wanted, _: i32) -> Result<Self, Refused> {
        Err(Refused("only Linux has it".into()))
    }
}
