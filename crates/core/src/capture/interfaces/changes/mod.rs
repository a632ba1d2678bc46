//! News that an interface came, went or changed, where the system tells of it.

#[cfg(target_os = "linux")]
mod rtnetlink;
#[cfg(not(target_os = "linux"))]
mod silent;

#[cfg(target_os = "linux")]
pub(crate) use rtnetlink::LinkChanges;
#[cfg(not(target_os = "linux"))]
pub(crate) use silent::LinkChanges;
