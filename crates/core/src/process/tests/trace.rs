//! Events to records: joined by the socket, other namespaces left out, nothing unsure said.

use super::Paper;
use crate::process::ends::{TCP, UDP};
use crate::process::event::{Event, Told, What, state};
use crate::process::trace::{Found, Trace};
use crate::process::{Action, Ends, Method, Record, Socket};

fn ends(proto: u8, local_port: u16) -> Ends {
    let (local, remote) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
    Ends { proto, local, local_port, remote, remote_port: 80, both: false }
}

/// A watch over namespace 1 with two programs, one of them in namespace 2.
fn trace(method: Method) -> Trace<Paper> {
    let mut paper = Paper::default().with(10, 0, 1, "here").with(20, 0, 1, "there");
    paper.facts.get_mut(&20).unwrap().net = Some(2);
    let mut trace = Trace::new(method, 1, 1_000_000, paper);
    for pid in [10, 20] {
        trace.learn(pid);
    }
    trace
}

fn told(trace: &mut Trace<Paper>, events: impl IntoIterator<Item = (u64, What)>) -> Vec<Socket> {
    let mut records = Vec::new();
    for (at, what) in events {
        trace.event(Event { at, what }, &mut records);
    }
    let socket = |record| match record {
        Record::Socket(socket) => Some(socket),
        _ => None,
    };
    records.into_iter().filter_map(socket).collect()
}

fn change(socket: u64, pid: u32, old: u32, new: u32, local_port: u16) -> What {
    What::State { socket, pid, old, new, ends: ends(TCP, local_port) }
}

fn sent(pid: u32, cookie: u64) -> What {
    let (action, method) = (Action::Send, Method::Bpf);
    let net = Some(1);
    What::Socket(Told { action, pid, ends: ends(UDP, 5353), uid: Some(7), net, method, cookie })
}

#[test]
fn the_port_comes_later_and_in_a_stranger_s_context() {
    let mut trace = trace(Method::Tracepoint);
    let found = told(
        &mut trace,
        [
            (5, change(0xa, 10, state::CLOSE, state::SYN_SENT, 0)),
            (9, change(0xa, 0, state::SYN_SENT, 1, 40000)),
        ],
    );
    let [one] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((one.action, one.ends.local_port, one.ts), (Action::Connect, 40000, 1_000_005));
    assert_ne!(one.program, 0);
}

#[test]
fn the_same_ends_in_another_namespace_are_not_ours() {
    let mut trace = trace(Method::Tracepoint);
    let found = told(
        &mut trace,
        [
            (5, change(0xa, 20, state::CLOSE, state::SYN_SENT, 0)),
            (6, change(0xb, 10, state::CLOSE, state::SYN_SENT, 0)),
            (7, change(0xa, 10, state::SYN_SENT, 1, 40000)),
            (8, change(0xb, 20, state::SYN_SENT, 1, 40000)),
        ],
    );
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].ts, 1_000_006);
    assert_eq!(trace.stats.foreign, 1);
}

#[test]
fn a_program_whose_thread_is_elsewhere_is_not_believed() {
    let mut trace = trace(Method::Tracepoint);
    let found = told(
        &mut trace,
        [
            (4, What::Namespace { pid: 10, net: 2, thread: true }),
            (5, change(0xa, 10, state::CLOSE, state::SYN_SENT, 0)),
            (9, change(0xa, 0, state::SYN_SENT, 1, 40000)),
        ],
    );
    assert_eq!(found, []);
    assert_eq!(trace.stats.unsure, 1);
}

#[test]
fn where_nobody_is_known_the_socket_is_told_as_nobody_s() {
    let mut trace = trace(Method::Bpf);
    let found = told(&mut trace, [(5, sent(99, 1))]);
    assert_eq!(found.iter().map(|one| one.program).collect::<Vec<_>>(), [0]);
}

#[test]
fn listeners_are_told_at_both_ends_of_their_life() {
    let mut trace = trace(Method::Tracepoint);
    let found = told(
        &mut trace,
        [
            (5, change(0xa, 10, state::CLOSE, state::LISTEN, 80)),
            // A connection that comes in is a copy of its listener.
            (6, change(0xb, 10, state::LISTEN, 3, 80)),
            (7, change(0xa, 10, state::LISTEN, state::CLOSE, 80)),
        ],
    );
    let actions: Vec<_> = found.iter().map(|one| one.action).collect();
    assert_eq!(actions, [Action::Listen, Action::Close]);
}

#[test]
fn datagrams_are_told_once_and_their_socket_s_end_is_told() {
    let mut trace = trace(Method::Bpf);
    let found = told(
        &mut trace,
        [
            (5, sent(10, 1)),
            (6, sent(10, 1)),
            (7, What::Released { cookie: 2 }),
            (8, What::Released { cookie: 1 }),
        ],
    );
    let actions: Vec<_> = found.iter().map(|one| one.action).collect();
    assert_eq!(actions, [Action::Send, Action::Close]);
    assert_eq!(found[0].uid, Some(7));
}

#[test]
fn another_program_s_datagram_between_the_same_ends_is_told() {
    let mut trace = trace(Method::Bpf);
    trace.reader().write(30, 0, 1, "other");
    let found = told(&mut trace, [(5, sent(10, 1)), (6, sent(30, 1)), (7, sent(10, 1))]);
    assert_eq!(found.len(), 3);
}

#[test]
fn a_loss_is_told_and_half_open_connections_are_forgotten() {
    let mut trace = trace(Method::Tracepoint);
    let mut records = Vec::new();
    trace.event(Event { at: 5, what: change(0xa, 10, 7, 2, 0) }, &mut records);
    trace.event(Event { at: 6, what: What::Lost(3) }, &mut records);
    trace.event(Event { at: 7, what: change(0xa, 10, 2, 1, 40000) }, &mut records);
    assert_eq!(records.last(), Some(&Record::Lost { ts: 1_000_006, events: 3 }));
    assert_eq!(trace.stats.lost, 3);
}

#[test]
fn connections_that_never_open_do_not_pile_up() {
    let mut trace = trace(Method::Tracepoint);
    let mut records = Vec::new();
    for socket in 0..70_000 {
        let what = change(socket, 10, state::CLOSE, state::SYN_SENT, 0);
        trace.event(Event { at: socket, what }, &mut records);
    }
    assert!(trace.stats.evicted > 0);
}

/// The names told of the programs that hold a socket.
fn names(records: &[Record]) -> Vec<String> {
    let name = |record: &Record| match record {
        Record::Program(one) => Some(one.name.to_string()),
        _ => None,
    };
    records.iter().filter_map(name).collect()
}

#[test]
fn who_is_asked_for_where_no_exec_is_told_is_read_again() {
    // By the connector it would have been told.
    for (method, now) in [
        (Method::SockDiag, Some("other")),
        (Method::Scan, Some("other")),
        (Method::Connector, Some("here")),
    ] {
        let mut trace = trace(method);
        let (action, ends) = (Action::Hold, ends(TCP, 40000));
        let found = Found { at: 5, action, method, pid: 10, ends, cookie: 0 };
        assert_eq!(names(&trace.asked(vec![found])), ["here"]);
        trace.reader().write(10, 0, 1, "other");
        assert_eq!(names(&trace.asked(vec![found])).first().map(String::as_str), now);
        assert!(trace.programs.withdrawn().is_empty());
    }
}

#[test]
fn another_script_of_the_same_interpreter_is_told() {
    let mut trace = trace(Method::SockDiag);
    let (action, ends, method) = (Action::Hold, ends(TCP, 40000), Method::SockDiag);
    let found = Found { at: 5, action, method, pid: 10, ends, cookie: 0 };
    trace.asked(vec![found]);
    trace.reader().facts.get_mut(&10).unwrap().cmdline = Some("here -y".to_owned());
    let records = trace.asked(vec![found]);
    let [Record::Program(one), Record::Socket(_)] = records.as_slice() else {
        panic!("{records:?}")
    };
    assert_eq!(one.cmdline.as_deref(), Some("here -y"));
}
