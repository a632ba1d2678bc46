//! A system that does not tell us: who wants to know looks again and again.

/// Never any news.
#[allow(dead_code, reason = "made where the system tells of changes")]
pub(crate) struct LinkChanges;

impl LinkChanges {
    /// There is nothing to listen to.
    pub(crate) fn open() -> Option<Self> {
        None
    }

    /// Whether something may have changed since the last call.
    #[allow(clippy::unused_self, reason = "it reads what was told, elsewhere")]
    pub(crate) fn take(&mut self) -> bool {
        false
    }
}
