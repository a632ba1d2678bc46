//! Waiting for packets, and ending that wait from another thread.

#[cfg(any(not(unix), test))]
#[cfg_attr(unix, allow(unreachable_pub, reason = "only tested here"))]
mod stepping;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub use stepping::Waker;
#[cfg(not(unix))]
pub(crate) use stepping::{Fd, Wakeup};
#[cfg(unix)]
pub use unix::Waker;
#[cfg(unix)]
pub(crate) use unix::{Fd, Wakeup};
