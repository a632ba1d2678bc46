//! The real kernel: each method that works here finds this very program. Run as root.

use std::net::{TcpListener, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use crate::process::{Action, Record, Socket, Watch};

fn open(method: &str) -> Option<Watch> {
    match Watch::open(Some(&[method.to_owned()])) {
        Ok(watch) => Some(watch),
        Err(error) => {
            eprintln!("skipped: {method} does not work here: {error}");
            None
        }
    }
}

/// The first socket that is wanted, and whether it is told as ours.
fn wait(watch: &Watch, mine: &mut Vec<u64>, wanted: impl Fn(&Socket) -> bool) -> bool {
    let deadline = Instant::now() + Duration::from_secs(10);
    while Instant::now() < deadline {
        for record in watch.poll(Duration::from_millis(100)).unwrap_or_default() {
            match record {
                Record::Program(one) if one.pid == std::process::id() => mine.push(one.id),
                Record::Socket(one) if wanted(&one) => return mine.contains(&one.program),
                _ => {}
            }
        }
    }
    false
}

#[test]
fn a_connection_is_told_with_its_program() {
    for method in ["bpf", "tracepoint"] {
        let Some(watch) = open(method) else { continue };
        let mut mine = Vec::new();
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let listener = TcpListener::bind(address).unwrap();
            let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let port = stream.local_addr().unwrap().port();
            assert!(
                wait(&watch, &mut mine, |one| one.action == Action::Connect
                    && one.ends.local_port == port),
                "{method} {address}"
            );
        }
    }
}

#[test]
fn a_datagram_is_told_with_its_program() {
    for method in ["bpf", "tracepoint"] {
        let Some(watch) = open(method) else { continue };
        let mut mine = Vec::new();
        for (address, connected) in
            [("127.0.0.1:0", false), ("[::1]:0", false), ("127.0.0.1:0", true), ("[::1]:0", true)]
        {
            let receiver = UdpSocket::bind(address).unwrap();
            let there = receiver.local_addr().unwrap();
            let sender = UdpSocket::bind(address).unwrap();
            if connected {
                sender.connect(there).unwrap();
                sender.send(b"x").unwrap();
            } else {
                sender.send_to(b"x", there).unwrap();
            }
            let port = sender.local_addr().unwrap().port();
            assert!(
                wait(&watch, &mut mine, |one| one.action == Action::Send
                    && one.ends.local_port == port),
                "{method} {address} {connected}"
            );
        }
    }
}

#[test]
fn who_holds_a_socket_can_be_asked() {
    for method in ["connector", "sock_diag", "scan"] {
        let Some(watch) = open(method) else { continue };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let here = listener.local_addr().unwrap();
        let stream = TcpStream::connect(here).unwrap();
        let mine = stream.local_addr().unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        let mut found = Vec::new();
        while found.is_empty() && Instant::now() < deadline {
            found = watch.lookup("tcp", (mine.ip(), mine.port()), Some((here.ip(), here.port())));
        }
        let pid = std::process::id();
        let named = |record: &Record| matches!(record, Record::Program(one) if one.pid == pid);
        assert!(found.iter().any(named), "{method}: {found:?}");
    }
}

#[test]
fn it_stops_and_says_so() {
    let Some(watch) = open("scan") else { return };
    watch.stop();
    while let Some(records) = watch.poll(Duration::from_secs(1)) {
        assert!(!records.is_empty());
    }
}

#[test]
fn a_method_that_does_not_exist_is_an_error() {
    let error = Watch::open(Some(&["magic".to_owned()])).err().unwrap();
    assert!(error.to_string().contains("magic"));
}
