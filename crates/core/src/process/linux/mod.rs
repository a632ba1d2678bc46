//! Linux: the ladder of methods, and the thread that listens.

mod bpf;
mod ladder;
mod netlink;
mod perf;
mod procfs;
mod queue;
mod table;
mod watch;

pub use watch::Watch;
