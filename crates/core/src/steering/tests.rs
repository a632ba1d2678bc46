//! Steering by the real kernel, in a network namespace of its own. Run as root.
#![allow(unsafe_code, reason = "the test's thread goes into a namespace of its own")]
#![allow(clippy::unwrap_used)]

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::process::Command;
use std::thread;

use super::{PortRange, SkLookup, Wanted};

/// Runs `test` in a new namespace whose loopback interface is up.
fn alone(test: impl FnOnce() + Send + 'static) {
    thread::spawn(|| {
        // SAFETY: takes and returns integers; only this thread changes its namespace.
        if unsafe { libc::unshare(libc::CLONE_NEWNET) } != 0 {
            eprintln!("skipped: no network namespace can be made here; run as root");
            return;
        }
        assert!(Command::new("ip").args(["link", "set", "lo", "up"]).status().unwrap().success());
        test();
    })
    .join()
    .unwrap();
}

fn steer(listener: &TcpListener, ip: &str, ports: &[PortRange], spared: &[&str]) -> SkLookup {
    let wanted = Wanted {
        ip: ip.parse().unwrap(),
        ports: ports.to_vec(),
        spared: spared.iter().map(|one| one.parse().unwrap()).collect(),
    };
    SkLookup::attach(&wanted, listener.as_raw_fd()).unwrap()
}

/// The address that a steered connection asked for, as the socket that accepted it says.
fn arrives(listener: &TcpListener, at: &str) -> SocketAddr {
    let _client = TcpStream::connect(at).unwrap();
    listener.accept().unwrap().0.local_addr().unwrap()
}

fn refused(at: &str) -> bool {
    TcpStream::connect(at).is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}

#[test]
fn all_ports_come_to_one_socket_that_knows_which() {
    alone(|| {
        for (any, ip) in [("0.0.0.0", "127.0.0.1"), ("::", "::1")] {
            let host: IpAddr = ip.parse().unwrap();
            let listener = TcpListener::bind((host, 0)).unwrap();
            let own = listener.local_addr().unwrap().port();
            let steered = steer(&listener, any, &[(1, 21), (23, 65_535)], &[]);
            for port in [1, 21, 23, 80, 8_191, 65_472, 65_535, own] {
                let at = SocketAddr::new(host, port);
                assert_eq!(arrives(&listener, &at.to_string()), at);
            }
            assert!(refused(&SocketAddr::new(host, 22).to_string()));
            drop(steered);
            assert!(refused(&SocketAddr::new(host, 80).to_string()));
        }
    });
}

#[test]
fn one_address_is_told_from_another() {
    alone(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let _steered = steer(&listener, "127.0.0.200", &[(1, 1000)], &[]);
        assert_eq!(arrives(&listener, "127.0.0.200:80").to_string(), "127.0.0.200:80");
        assert!(refused("127.0.0.1:80"));
        let six = TcpListener::bind("[::1]:0").unwrap();
        let _other = steer(&six, "::2", &[(1, 1000)], &[]);
        assert!(refused("[::1]:80"));
    });
}

#[test]
fn backends_of_this_machine_stay_reachable() {
    alone(|| {
        for (ip, any) in [("127.0.0.1", "0.0.0.0"), ("[::1]", "::")] {
            let (backend, at) = (format!("{ip}:8080"), format!("{ip}:81"));
            let listener = TcpListener::bind(format!("{ip}:0")).unwrap();
            let behind = TcpListener::bind(&backend).unwrap();
            let _steered = steer(&listener, any, &[(1, 65_535)], &[&backend]);
            assert_eq!(arrives(&behind, &backend).to_string(), backend);
            assert_eq!(arrives(&listener, &at).to_string(), at);
        }
    });
}

#[test]
fn a_listener_that_is_gone_leaves_the_ports_as_they_were() {
    alone(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let _steered = steer(&listener, "0.0.0.0", &[(1, 65_535)], &[]);
        drop(listener);
        assert!(refused("127.0.0.1:80"));
        let other = TcpListener::bind("127.0.0.1:80").unwrap();
        assert_eq!(arrives(&other, "127.0.0.1:80").port(), 80);
    });
}
