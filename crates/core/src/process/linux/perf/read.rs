//! From a ring's records to events, by the layouts that the format files gave.

use std::io;

use super::format::{Field, Format};
use crate::process::ends::{Ends, TCP, UDP, address};
use crate::process::event::{Event, Told, What, slice_at, u16_at, u32_at, u64_at};
use crate::process::record::{Action, Method};

const LOST: u32 = 2;
const EXIT: u32 = 4;
const FORK: u32 = 7;
const SAMPLE: u32 = 9;
const NAMESPACES: u32 = 16;
/// Pid, thread id and time that come before a sample's raw part, and its length.
const RAW: usize = 20;
/// The same at the end of every other record, without the length.
const TRAILER: usize = 16;
/// Contexts in which the current process is a stranger: hard and soft interrupts.
const INTERRUPTED: u8 = 0x08 | 0x10;
/// IPv6, in `inet_sock_set_state`.
const INET6: u16 = 10;

/// The layouts of all wanted tracepoints.
pub(crate) struct Layouts(Vec<(u32, Layout)>);

enum Layout {
    Exec {
        file: Field,
    },
    State {
        socket: Field,
        old: Field,
        new: Field,
        family: Field,
        ports: [Field; 2],
        four: [Field; 2],
        six: [Field; 2],
    },
    Route {
        flags: Field,
        ports: [Field; 2],
        ends: [Field; 2],
    },
}

impl Layouts {
    pub(crate) fn new(formats: Vec<Format>) -> io::Result<Self> {
        let read = |format: Format| Ok((format.id, Layout::new(&format)?));
        Ok(Self(formats.into_iter().map(read).collect::<io::Result<_>>()?))
    }

    /// Reads one record; what is not understood is no event.
    pub(crate) fn read(&self, kind: u32, body: &[u8], events: &mut Vec<Event>) {
        let event = match kind {
            SAMPLE => self.sample(body),
            FORK | EXIT => task(kind, body),
            NAMESPACES => namespaces(body),
            LOST => lost(body),
            _ => None,
        };
        events.extend(event);
    }

    fn sample(&self, body: &[u8]) -> Option<Event> {
        let (pid, at) = (u32_at(body, 0)?, u64_at(body, 8)?);
        let raw = slice_at(body, RAW, u32_at(body, 16)? as usize)?;
        let id = u32::from(u16_at(raw, 0)?);
        let layout = self.0.iter().find(|(known, _)| *known == id)?;
        Some(Event { at, what: layout.1.read(pid, raw)? })
    }
}

impl Layout {
    fn new(format: &Format) -> io::Result<Self> {
        let field = |name: &str, size: usize| format.field(name, &[size]);
        let pair =
            |a: &str, b: &str, size: usize| Ok::<_, io::Error>([field(a, size)?, field(b, size)?]);
        Ok(match format.name.rsplit('/').next().unwrap_or_default() {
            "sched_process_exec" => Self::Exec { file: field("filename", 4)? },
            "inet_sock_set_state" => Self::State {
                socket: field("skaddr", size_of::<usize>())?,
                old: field("oldstate", 4)?,
                new: field("newstate", 4)?,
                family: field("family", 2)?,
                ports: pair("sport", "dport", 2)?,
                four: pair("saddr", "daddr", 4)?,
                six: pair("saddr_v6", "daddr_v6", 16)?,
            },
            "fib_table_lookup" => Self::route(format, 4)?,
            _ => Self::route(format, 16)?,
        })
    }

    fn route(format: &Format, size: usize) -> io::Result<Self> {
        Ok(Self::Route {
            flags: format.field("common_flags", &[1])?,
            ports: [format.field("sport", &[2])?, format.field("dport", &[2])?],
            ends: [format.field("src", &[size])?, format.field("dst", &[size])?],
        })
    }

    fn read(&self, pid: u32, raw: &[u8]) -> Option<What> {
        match self {
            Self::Exec { file } => {
                // `__data_loc`: where the text lies in the record, and its length with the final zero.
                let place = u32_at(raw, file.offset)?;
                let text = slice_at(raw, (place & 0xffff) as usize, (place >> 16) as usize)?;
                let file = text.split(|&byte| byte == 0).next()?.to_vec();
                Some(What::Exec { pid, file })
            }
            Self::State { socket, old, new, family, ports, four, six } => {
                let places = if u16_at(raw, family.offset)? == INET6 { six } else { four };
                Some(What::State {
                    socket: u64_at(raw, socket.offset)?,
                    pid,
                    old: u32_at(raw, old.offset)?,
                    new: u32_at(raw, new.offset)?,
                    ends: ends(raw, TCP, ports, places)?,
                })
            }
            Self::Route { flags, ports, ends: places } => {
                let ends = Ends { both: false, ..ends(raw, UDP, ports, places)? };
                let interrupted = *raw.get(flags.offset)? & INTERRUPTED != 0;
                let (action, method) = (Action::Send, Method::Tracepoint);
                let told = Told { action, pid, ends, uid: None, net: None, method, cookie: 0 };
                (!interrupted).then_some(What::Socket(told))
            }
        }
    }
}

fn ends(raw: &[u8], proto: u8, ports: &[Field; 2], places: &[Field; 2]) -> Option<Ends> {
    let [local_port, remote_port] = *ports;
    let [local, remote] = *places;
    let local = address(slice_at(raw, local.offset, local.size)?)?;
    Some(Ends {
        proto,
        local,
        local_port: u16_at(raw, local_port.offset)?,
        remote: address(slice_at(raw, remote.offset, remote.size)?)?,
        remote_port: u16_at(raw, remote_port.offset)?,
        both: local.is_ipv6(),
    })
}

/// Processes only: a thread bears another number than its process.
fn task(kind: u32, body: &[u8]) -> Option<Event> {
    let (pid, parent, thread) = (u32_at(body, 0)?, u32_at(body, 4)?, u32_at(body, 8)?);
    let at = u64_at(body, 16)?;
    let what = match kind {
        FORK if pid != parent => What::Fork { parent, child: pid },
        EXIT if pid == thread => What::Exit { pid },
        _ => return None,
    };
    Some(Event { at, what })
}

/// The network namespace is the first of the list.
fn namespaces(body: &[u8]) -> Option<Event> {
    let (pid, thread) = (u32_at(body, 0)?, u32_at(body, 4)?);
    let net = (u64_at(body, 8)? > 0).then(|| u64_at(body, 24)).flatten()?;
    let at = u64_at(body, body.len().checked_sub(TRAILER)? + 8)?;
    Some(Event { at, what: What::Namespace { pid, net, thread: pid != thread } })
}

fn lost(body: &[u8]) -> Option<Event> {
    let at = u64_at(body, body.len().checked_sub(TRAILER)? + 8)?;
    Some(Event { at, what: What::Lost(u64_at(body, 8)?) })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const EXEC: &str =
        "ID: 7\n\tfield:__data_loc char[] filename;\toffset:8;\tsize:4;\tsigned:0;\n";

    fn read(kind: u32, body: &[u8]) -> Vec<Event> {
        let layouts = Layouts::new(vec![Format::parse("sched/sched_process_exec", EXEC).unwrap()]);
        let mut events = Vec::new();
        layouts.unwrap().read(kind, body, &mut events);
        events
    }

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_ne_bytes()).collect()
    }

    #[test]
    fn an_exec_is_read_by_its_layout() {
        let mut raw = vec![7, 0, 0, 0, 0, 0, 0, 0];
        raw.extend((0x0006_000c_u32).to_ne_bytes());
        raw.extend(b"/a/bc\0\0\0");
        let mut body = words(&[10, 11, 5, 0, raw.len() as u32]);
        body.extend(&raw);
        let what = What::Exec { pid: 10, file: b"/a/bc".to_vec() };
        assert_eq!(read(SAMPLE, &body), [Event { at: 5, what }]);
    }

    #[test]
    fn whatever_is_cut_off_is_no_event() {
        let mut body = words(&[10, 11, 5, 0, 20]);
        body.extend([7, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]);
        for len in 0..=body.len() {
            for kind in [SAMPLE, FORK, EXIT, NAMESPACES, LOST, 99] {
                let events = read(kind, body.get(..len).unwrap());
                assert!(events.iter().all(|event| !matches!(event.what, What::Exec { .. })));
            }
        }
    }

    #[test]
    fn threads_are_no_processes() {
        assert_eq!(read(FORK, &words(&[10, 10, 12, 10, 9, 0])), []);
        let what = What::Fork { parent: 10, child: 12 };
        assert_eq!(read(FORK, &words(&[12, 10, 12, 10, 9, 0])), [Event { at: 9, what }]);
        assert_eq!(read(EXIT, &words(&[10, 1, 12, 1, 9, 0])), []);
    }
}
