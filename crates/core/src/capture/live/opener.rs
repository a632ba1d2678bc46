//! Who opens packet sockets: we ourselves, or a helper that kept the right to.

#[cfg(target_os = "linux")]
use std::os::fd::OwnedFd;
#[cfg(target_os = "linux")]
use std::sync::Arc;

/// Where packet sockets come from. Only Linux's rings need one.
#[derive(Clone, Debug, Default)]
pub enum Opener {
    /// We open them, which takes `CAP_NET_RAW`.
    #[default]
    Own,
    /// A helper at the other end of this socket (`SOCK_SEQPACKET`) opens them. Asked
    /// `{"ask":"packet","kind":"raw"}` (or `"cooked"`) it answers `{"ok":true}` with the
    /// descriptor of an unbound socket, or an object with `"errno"`, in one message each.
    #[cfg(target_os = "linux")]
    Helper(Arc<OwnedFd>),
}
