//! Open files: how many this process may have.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft limit to the hard one; how many files may be open from here on.
pub(in crate::relay) fn raise() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).is_ok();
    let limit = if raised { maximum } else { current };
    limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

/// Whether a client and the way to its backend would both find one.
pub(in crate::relay) fn room() -> bool {
    let open = || std::fs::File::open("/dev/null");
    matches!((open(), open()), (Ok(_), Ok(_)))
}

/// How many are open now, by the kernel's list; none where there is no such list.
pub(in crate::relay) fn open() -> usize {
    std::fs::read_dir("/dev/fd").map_or(0, Iterator::count)
}
