//! Programs by pid and generation: a fork or an exec begins a new one, and what was read of a
//! process belongs to the generation that was alive both before and after the reading.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::record::Program;

/// Programs kept; beyond it the ended ones go first, then the older half.
const MAX_PROGRAMS: usize = 65_536;
/// Bytes of a name, path or command line that are kept.
pub(crate) const MAX_TEXT: usize = 4096;
/// Length of a command's name at which the kernel cuts it.
const COMM: usize = 15;
/// How far the start time in /proc may lie from the fork's event: it counts in ticks of 10 ms.
const SLACK: u64 = 30_000_000;

/// What /proc says of one process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Nanoseconds since boot.
    pub(crate) started: u64,
    pub(crate) parent: u32,
    pub(crate) comm: String,
    pub(crate) path: Option<String>,
    pub(crate) cmdline: Option<String>,
    pub(crate) uid: Option<u32>,
    pub(crate) cgroup: Option<String>,
    pub(crate) net: Option<u64>,
    /// When the reading ended, nanoseconds since boot.
    pub(crate) read: u64,
    /// A thread of the kernel.
    pub(crate) kernel: bool,
}

/// Where facts come from.
pub(crate) trait Reader {
    /// Everything about the process, unless it is gone; `Err(true)` where it is refused.
    fn read(&mut self, pid: u32) -> Result<Facts, bool>;
}

#[derive(Clone, Debug)]
struct Entry {
    program: Program,
    /// Fork or start, nanoseconds since boot.
    started: u64,
    /// Whether `program` holds what was read of this very generation, and when.
    read: Option<u64>,
    net: Option<u64>,
    ended: Option<u64>,
    /// What the kernel calls it since its exec, if we saw that.
    comm: Option<String>,
    told: bool,
    changed: bool,
    kernel: bool,
    /// Of which time between losses it is.
    epoch: u64,
}

/// All programs known.
#[derive(Debug, Default)]
pub(crate) struct Programs {
    by_pid: HashMap<u32, Entry>,
    ended: VecDeque<(u32, u64)>,
    next: u64,
    epoch: u64,
    /// Programs told before of which less is true than was told.
    withdrawn: Vec<Program>,
}

impl Programs {
    pub(crate) fn len(&self) -> usize {
        self.by_pid.len()
    }

    /// Events were lost, or none are told: no pid is believed again before /proc agreed.
    pub(crate) fn doubt(&mut self) {
        self.epoch += 1;
    }

    /// A process was made: it is what its parent is, until it says otherwise.
    pub(crate) fn fork(&mut self, parent: u32, child: u32, at: u64, reader: &mut dyn Reader) {
        let same = |entry: &Entry| {
            entry.started.abs_diff(at) <= SLACK && entry.read.is_some_and(|read| read >= at)
        };
        if self.by_pid.get(&child).is_some_and(same) {
            // It was read before its event was.
            return;
        }
        self.close(child, at);
        if !self.by_pid.contains_key(&parent) {
            self.learn(parent, reader);
        }
        let id = self.new_id();
        let from = self.by_pid.get(&parent);
        let program = Program {
            id,
            pid: child,
            started: Some(at as i64),
            parent_pid: Some(parent),
            parent: Some(from.map_or_else(destroyed, |from| Arc::clone(&from.program.name))),
            uid: None,
            name: from.map_or_else(|| Arc::from(""), |from| Arc::clone(&from.program.name)),
            path: from.and_then(|from| from.program.path.clone()),
            cmdline: from.and_then(|from| from.program.cmdline.clone()),
            cgroup: from.and_then(|from| from.program.cgroup.clone()),
        };
        let net = from.and_then(|from| from.net);
        let kernel = from.is_some_and(|from| from.kernel);
        let entry = Entry {
            program,
            started: at,
            read: None,
            net,
            ended: None,
            comm: from.and_then(|from| from.comm.clone()),
            told: false,
            changed: false,
            kernel,
            epoch: self.epoch,
        };
        self.insert(child, entry);
    }

    /// A process became another program.
    pub(crate) fn exec(&mut self, pid: u32, file: &[u8], at: u64, reader: &mut dyn Reader) {
        let before = self.by_pid.get(&pid).cloned();
        self.close(pid, at);
        let id = self.new_id();
        let mut entry = before.unwrap_or_else(|| Entry::unknown(pid, at, self.epoch));
        entry.program.id = id;
        let name = base_name(&text(file)).to_owned();
        // A program run by descriptor has no name of its own here.
        entry.comm = (!file.starts_with(b"/dev/fd/")).then(|| cut(&name));
        entry.program.name = Arc::from(name);
        entry.program.path = file.starts_with(b"/").then(|| Arc::from(text(file)));
        entry.program.cmdline = None;
        // A set-user-id file changes it.
        entry.program.uid = None;
        (entry.read, entry.ended, entry.told, entry.changed) = (None, None, false, false);
        entry.epoch = self.epoch;
        entry.kernel = false;
        self.insert(pid, entry);
        self.freshen(pid, reader);
    }

    /// A process ended; its program stays known for rows that come later. The program's id, if it was told.
    pub(crate) fn exit(&mut self, pid: u32, at: u64) -> Option<u64> {
        let entry = self.by_pid.get_mut(&pid).filter(|entry| entry.ended.is_none())?;
        entry.ended = Some(at);
        self.ended.push_back((pid, entry.program.id));
        entry.told.then_some(entry.program.id)
    }

    /// The network namespace a process is in from now on; a new process had its parent's. Where
    /// one of its threads is elsewhere, nobody knows where a socket of it is.
    pub(crate) fn namespace(&mut self, pid: u32, net: u64, thread: bool) {
        if let Some(entry) = self.by_pid.get_mut(&pid) {
            entry.net = (!thread || entry.net == Some(net)).then_some(net);
        }
    }

    /// The network namespace of a process as far as known.
    pub(crate) fn net(&self, pid: u32) -> Option<u64> {
        self.by_pid.get(&pid).and_then(|entry| entry.net)
    }

    /// The program a process is now (or was when it ended), read if need be; `None` where nothing
    /// sure is known. `uid` is the user the kernel told, if it did.
    pub(crate) fn find(&mut self, pid: u32, reader: &mut dyn Reader) -> Option<u64> {
        let known = self.by_pid.get(&pid).map(|entry| entry.epoch == self.epoch);
        match known {
            Some(true) => self.freshen(pid, reader),
            Some(false) => self.recheck(pid, reader),
            None => self.learn(pid, reader),
        }
        let entry = self.by_pid.get(&pid)?;
        (entry.epoch == self.epoch && !entry.kernel && !entry.program.name.is_empty())
            .then_some(entry.program.id)
    }

    /// The program as it is to be told now, unless it was told so already.
    pub(crate) fn untold(&mut self, pid: u32) -> Option<Program> {
        let entry = self.by_pid.get_mut(&pid)?;
        if entry.told && !entry.changed {
            return None;
        }
        (entry.told, entry.changed) = (true, false);
        Some(entry.program.clone())
    }

    /// Has a program told again the next time.
    pub(crate) fn retell(&mut self, pid: u32) {
        if let Some(entry) = self.by_pid.get_mut(&pid) {
            entry.told = false;
        }
    }

    /// Programs to be told again, with less than before.
    pub(crate) fn withdrawn(&mut self) -> Vec<Program> {
        std::mem::take(&mut self.withdrawn)
    }

    /// Takes up a process that was there before.
    pub(crate) fn learn(&mut self, pid: u32, reader: &mut dyn Reader) {
        let Ok(facts) = reader.read(pid) else { return };
        let parent = self.parent_name(facts.parent, reader);
        let mut entry = Entry::unknown(pid, facts.started, self.epoch);
        entry.program.id = self.new_id();
        entry.program.parent = parent;
        entry.take(facts);
        self.close(pid, entry.started);
        self.insert(pid, entry);
    }

    fn parent_name(&mut self, pid: u32, reader: &mut dyn Reader) -> Option<Arc<str>> {
        if pid == 0 {
            return None;
        }
        if let Some(entry) = self.by_pid.get(&pid) {
            return Some(Arc::clone(&entry.program.name));
        }
        match reader.read(pid) {
            Ok(facts) => Some(Arc::from(facts.name())),
            Err(true) => Some(Arc::from("AccessDenied")),
            Err(false) => Some(destroyed()),
        }
    }

    /// Reads what is missing of a process that lives, if it is the one we know.
    fn freshen(&mut self, pid: u32, reader: &mut dyn Reader) {
        let Some(entry) = self.by_pid.get_mut(&pid) else { return };
        if entry.read.is_some() || entry.ended.is_some() {
            return;
        }
        if let Ok(facts) = reader.read(pid)
            && facts.started.abs_diff(entry.started) <= SLACK
        {
            entry.take(facts);
        }
    }

    /// In doubt: the same program as before, as it is now, or another one by now.
    fn recheck(&mut self, pid: u32, reader: &mut dyn Reader) {
        let Some(entry) = self.by_pid.get_mut(&pid) else { return };
        match reader.read(pid) {
            Ok(facts)
                if facts.started.abs_diff(entry.started) <= SLACK
                    && entry.program.path.as_deref() == facts.path.as_deref() =>
            {
                (entry.epoch, entry.net) = (self.epoch, facts.net);
                entry.take(facts);
            }
            Ok(_) => self.learn(pid, reader),
            Err(_) => {}
        }
    }

    /// The generation of a pid is over since `at`: what was read later was another's.
    fn close(&mut self, pid: u32, at: u64) {
        let Some(entry) = self.by_pid.get_mut(&pid) else { return };
        if entry.told && entry.read.is_some_and(|read| read >= at) {
            let mut less = entry.program.clone();
            (less.cmdline, less.uid) = (None, None);
            self.withdrawn.push(less);
        }
    }

    fn insert(&mut self, pid: u32, entry: Entry) {
        self.by_pid.insert(pid, entry);
        while self.by_pid.len() > MAX_PROGRAMS {
            let Some((pid, id)) = self.ended.pop_front() else {
                // Ends are not told, or were lost. Who lives is read again when it is needed.
                let middle = median(self.by_pid.values().map(|entry| entry.program.id));
                self.by_pid.retain(|_, entry| entry.program.id > middle);
                break;
            };
            if self.by_pid.get(&pid).is_some_and(|entry| entry.program.id == id) {
                self.by_pid.remove(&pid);
            }
        }
        while self.ended.len() > 2 * MAX_PROGRAMS {
            self.ended.pop_front();
        }
    }

    fn new_id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

impl Entry {
    fn unknown(pid: u32, started: u64, epoch: u64) -> Self {
        let program = Program {
            id: 0,
            pid,
            started: None,
            parent_pid: None,
            parent: None,
            uid: None,
            name: Arc::from(""),
            path: None,
            cmdline: None,
            cgroup: None,
        };
        let (net, ended, read) = (None, None, None);
        let (comm, told, changed, kernel) = (None, false, false, false);
        Self { program, started, read, net, ended, comm, told, changed, kernel, epoch }
    }

    fn take(&mut self, facts: Facts) {
        let program = &mut self.program;
        program.started = Some(facts.started as i64);
        program.parent_pid.get_or_insert(facts.parent);
        program.uid = facts.uid.or(program.uid);
        // By now it may have become yet another program, whose event is still to come.
        if self.comm.as_ref().is_none_or(|comm| *comm == facts.comm) {
            program.name = Arc::from(facts.name());
            program.path = facts.path.map(Arc::from).or(program.path.take());
            program.cmdline = facts.cmdline.map(Arc::from).or(program.cmdline.take());
        }
        program.cgroup = facts.cgroup.map(Arc::from).or(program.cgroup.take());
        (self.started, self.kernel) = (facts.started, facts.kernel);
        self.net = self.net.or(facts.net);
        (self.read, self.changed) = (Some(facts.read), true);
    }
}

impl Facts {
    /// The name: the kernel's, made whole from the file's where the kernel cut it.
    fn name(&self) -> String {
        let comm = self.comm.as_str();
        let whole = |text: &str| text.len() > comm.len() && text.starts_with(comm);
        if comm.len() < COMM {
            return comm.to_owned();
        }
        let words = self.cmdline.iter().flat_map(|line| line.split(' ').take(2));
        let names = self.path.iter().map(String::as_str).chain(words).map(base_name);
        names.into_iter().find(|name| whole(name)).unwrap_or(comm).to_owned()
    }
}

/// The value in the middle; 0 of none.
pub(crate) fn median(values: impl Iterator<Item = u64>) -> u64 {
    let mut values: Vec<u64> = values.collect();
    let middle = values.len() / 2;
    if values.is_empty() { 0 } else { *values.select_nth_unstable(middle).1 }
}

/// Text from bytes of any kind, of bounded length.
pub(crate) fn text(bytes: &[u8]) -> String {
    let bytes = bytes.get(..MAX_TEXT).unwrap_or(bytes);
    String::from_utf8_lossy(bytes).into_owned()
}

/// A name as the kernel cuts it.
fn cut(name: &str) -> String {
    String::from_utf8_lossy(name.as_bytes().get(..COMM).unwrap_or(name.as_bytes())).into_owned()
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn destroyed() -> Arc<str> {
    Arc::from("_destroyed_")
}
