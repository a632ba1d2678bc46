//! Own network namespaces for tests: made, entered, and removed with all that is in them.
#![allow(unsafe_code)]

use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// Sends Ethernet frames of a kind: `send(name, frames)` in Python.
pub const SEND: &str = "
import socket, struct
def tcp(port, n):
    return (bytes([0x45, 0]) + struct.pack('>HHHBBH', 40, n, 0, 64, 6, 0) + bytes([10,9,0,1,10,9,0,2])
            + struct.pack('>HHIIBBHHH', 40000 + n, port, n, 0, 0x50, 2, 1000, 0, 0))
def icmp():
    return (bytes([0x45, 0]) + struct.pack('>HHHBBH', 28, 1, 0, 64, 1, 0) + bytes([10,9,0,1,10,9,0,2])
            + bytes([8, 0, 0, 0, 0, 0, 0, 0]))
def frame(payload, *tags):
    head = bytes([0xff] * 6 + [2, 0, 0, 0, 0, 1])
    for tpid, vlan in tags: head += struct.pack('>HH', tpid, vlan)
    return head + b'\\x08\\x00' + payload
def send(name, frames):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind((name, 0))
    for f in frames: s.send(f)
";

/// A namespace; nothing outside of it is touched.
pub struct Net(String);

impl Net {
    /// `None`, said on stderr, where we may not make one.
    pub fn new() -> Option<Self> {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let net = Self(format!("tg{}-{number}", std::process::id()));
        let made = Command::new("ip").args(["netns", "add", &net.0]).output();
        if made.is_ok_and(|out| out.status.success()) {
            net.exec(
                "sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1",
            );
            return Some(net);
        }
        std::mem::forget(net);
        // Not eprintln, which is hidden when a test passes.
        let _ = std::io::stderr().write_all(b"\nSKIPPED: no root or no `ip netns` here\n");
        None
    }

    pub fn name(&self) -> &str {
        &self.0
    }

    /// `ip` inside of it; has to succeed.
    pub fn ip(&self, arguments: &str) {
        let out = run(Command::new("ip").args(["-n", &self.0]).args(arguments.split(' ')));
        assert!(out.status.success(), "ip {arguments}: {out:?}");
    }

    /// Many lines of `ip` at once; have to succeed.
    #[allow(dead_code, reason = "not every test needs it")]
    pub fn batch(&self, lines: &str) {
        let mut command = Command::new("ip");
        command.args(["-n", &self.0, "-batch", "-"]).stdin(std::process::Stdio::piped());
        let mut running = command.spawn().unwrap();
        running.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        assert!(running.wait().unwrap().success(), "{lines}");
    }

    /// A command inside of it; has to succeed.
    pub fn exec(&self, command: &str) -> String {
        let mut words = vec!["netns", "exec", &self.0];
        words.extend(command.split(' '));
        let out = run(Command::new("ip").args(words));
        assert!(out.status.success(), "{command}: {out:?}");
        String::from_utf8(out.stdout).unwrap()
    }

    /// Waits for an interface's carrier, which the kernel sees a little later than the command.
    pub fn until_up(&self, interface: &str) {
        let state = format!("cat /sys/class/net/{interface}/operstate");
        let up = (0..1000).any(|_| self.exec(&state) == "up\n");
        assert!(up, "{interface} does not come up");
    }

    /// A Python program inside of it; has to succeed.
    pub fn python(&self, program: &str) {
        let mut command = Command::new("ip");
        let out = run(command.args(["netns", "exec", &self.0, "python3", "-c", program]));
        assert!(out.status.success(), "{program}: {out:?}");
    }

    /// Packets that the interface has received and sent, as the kernel counts them.
    pub fn packets(&self, interface: &str) -> u64 {
        ["rx", "tx"]
            .map(|way| {
                let path = format!("/sys/class/net/{interface}/statistics/{way}_packets");
                self.exec(&format!("cat {path}")).trim().parse::<u64>().unwrap()
            })
            .iter()
            .sum()
    }

    /// Runs `work` on a thread that is in the namespace.
    pub fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let work = || {
            let file = File::open(format!("/run/netns/{}", self.0)).unwrap();
            // SAFETY: moves this thread, which ends below, to the namespace of an open file.
            assert_eq!(unsafe { libc::setns(file.as_raw_fd(), libc::CLONE_NEWNET) }, 0);
            work()
        };
        std::thread::scope(|scope| match scope.spawn(work).join() {
            Ok(value) => value,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).output();
    }
}

/// Two namespaces with a veth pair, `left` at 10.9.0.1/24 in the one, `right` at 10.9.0.2/24.
pub fn pair() -> Option<(Net, Net)> {
    let (a, b) = (Net::new()?, Net::new()?);
    a.ip(&format!("link add left type veth peer name right netns {}", b.name()));
    for (net, interface, address) in [(&a, "left", "10.9.0.1/24"), (&b, "right", "10.9.0.2/24")] {
        net.ip(&format!("addr add {address} dev {interface}"));
        net.ip("link set lo up");
        net.ip(&format!("link set {interface} up"));
    }
    Some((a, b))
}

/// Drops what this thread may do beyond what anyone may.
pub fn drop_privileges() {
    const NOBODY: libc::uid_t = 65534;
    // SAFETY: the bare system call changes this thread only (glibc's function changes all).
    let done = unsafe { libc::syscall(libc::SYS_setresuid, NOBODY, NOBODY, NOBODY) };
    assert_eq!(done, 0);
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap()
}
