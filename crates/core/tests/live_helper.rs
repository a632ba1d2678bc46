//! Live capture without any privilege, over sockets that somebody else opened.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(unreachable_pub, unsafe_code)]

#[allow(dead_code, reason = "shared with other tests")]
#[path = "live/net.rs"]
mod net;
#[allow(dead_code, reason = "shared with other tests")]
#[path = "live/seen.rs"]
mod seen;

use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use net::{Net, SEND, drop_privileges, pair};
use seen::Watch;
use tidegate_core::capture::live::{LiveConfig, LiveSource, Opener};

/// Two ends of a connection that keeps messages apart.
fn channel() -> (OwnedFd, OwnedFd) {
    let mut ends = [0; 2];
    // SAFETY: room for two descriptors.
    let made =
        unsafe { libc::socketpair(libc::AF_UNIX, libc::SOCK_SEQPACKET, 0, ends.as_mut_ptr()) };
    assert_eq!(made, 0);
    // SAFETY: both were just made.
    unsafe { (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])) }
}

/// Answers every question with a socket of `net`, until the asker is gone.
fn serve(net: &Net, here: OwnedFd) {
    let net = format!("/run/netns/{}", net.name());
    std::thread::spawn(move || {
        let file = File::open(net).unwrap();
        // SAFETY: moves this thread to the namespace of an open file.
        assert_eq!(unsafe { libc::setns(file.as_raw_fd(), libc::CLONE_NEWNET) }, 0);
        let mut question = [0_u8; 512];
        loop {
            let room = question.as_mut_ptr().cast();
            // SAFETY: room for 512 bytes.
            let got = unsafe { libc::recv(here.as_raw_fd(), room, 512, 0) };
            let Ok(len @ 1..) = usize::try_from(got) else { return };
            let kind = match &question[..len] {
                br#"{"ask":"packet","kind":"raw"}"# => libc::SOCK_RAW,
                br#"{"ask":"packet","kind":"cooked"}"# => libc::SOCK_DGRAM,
                other => panic!("{other:?}"),
            };
            // SAFETY: no pointers.
            let socket = unsafe { libc::socket(libc::AF_PACKET, kind, 0) };
            answer(here.as_raw_fd(), br#"{"ok":true}"#, socket);
            // SAFETY: it is ours.
            unsafe { libc::close(socket) };
        }
    });
}

fn answer(to: RawFd, text: &[u8], descriptor: RawFd) {
    let mut control = [0_u64; 4];
    let mut part = libc::iovec { iov_base: text.as_ptr().cast_mut().cast(), iov_len: text.len() };
    // SAFETY: the message names live buffers; one descriptor fits into the control buffer.
    unsafe {
        let mut message: libc::msghdr = std::mem::zeroed();
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = libc::CMSG_SPACE(4) as _;
        let head = libc::CMSG_FIRSTHDR(&raw const message);
        (*head).cmsg_level = libc::SOL_SOCKET;
        (*head).cmsg_type = libc::SCM_RIGHTS;
        (*head).cmsg_len = libc::CMSG_LEN(4) as _;
        libc::CMSG_DATA(head).cast::<RawFd>().write_unaligned(descriptor);
        assert_eq!(libc::sendmsg(to, &raw const message, 0), text.len() as isize);
    }
}

/// Opens a watch over the helper on a thread without privileges and hands it to `work`.
fn unprivileged(net: &Net, change: fn(&mut LiveConfig), work: impl FnOnce(&mut Watch) + Send) {
    let (there, here) = channel();
    serve(net, here);
    net.enter(|| {
        drop_privileges();
        let mut watch = Watch::new(&["right"], |config| {
            change(config);
            config.opener = Opener::Helper(Arc::new(there));
        });
        work(&mut watch);
    });
}

/// What needs privileges while the watch, which has none, goes on.
fn beside(work: impl FnOnce() + Send + 'static) -> std::thread::JoinHandle<()> {
    std::thread::spawn(work)
}

#[test]
fn bound_filtered_and_promiscuous() {
    let Some((a, b)) = pair() else { return };
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let name = b.name().to_owned();
    let sender = beside(move || {
        wait.recv().unwrap();
        let show = ["netns", "exec", &name, "ip", "-d", "link", "show", "right"];
        let shown = std::process::Command::new("ip").args(show).output().unwrap();
        assert!(String::from_utf8(shown.stdout).unwrap().contains("promiscuity 1 "));
        a.python(&format!(
            "{SEND}\nsend('left', [frame(tcp(80, 1)), frame(icmp()), frame(tcp(81, 1))])"
        ));
    });
    let change = |config: &mut LiveConfig| {
        config.filter = Some("tcp port 80".to_owned());
        config.promiscuous = true;
    };
    unprivileged(&b, change, |watch| {
        watch.step();
        go.send(()).unwrap();
        watch.until(|w| !w.packets.is_empty());
        watch.rest();
        assert_eq!(watch.packets.len(), 1);
        assert_eq!(watch.stats().kernel_dropped, [0]);
    });
    sender.join().unwrap();
}

#[test]
fn a_filter_for_vlan_tags_needs_no_privilege_either() {
    let Some((a, b)) = pair() else { return };
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let sender = beside(move || {
        wait.recv().unwrap();
        let tagged =
            "frame(tcp(80, 1), (0x8100, 7)), frame(tcp(80, 2)), frame(tcp(81, 3), (0x8100, 7))";
        a.python(&format!("{SEND}\nsend('left', [{tagged}])"));
    });
    let change = |config: &mut LiveConfig| {
        config.filter = Some("vlan 7 and tcp port 80".to_owned());
    };
    unprivileged(&b, change, |watch| {
        watch.step();
        go.send(()).unwrap();
        watch.until(|w| !w.packets.is_empty());
        watch.rest();
        assert_eq!(watch.packets.len(), 1);
        assert_eq!(watch.packets[0].data[12..16], [0x81, 0, 0, 7]);
    });
    sender.join().unwrap();
}

#[test]
fn one_that_comes_back_is_opened_by_the_helper_too() {
    let Some((_a, b)) = pair() else { return };
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let name = b.name().to_owned();
    let changer = beside(move || {
        for line in ["link del right", "link add right type veth peer name x", "link set right up"]
        {
            wait.recv().unwrap();
            let done =
                std::process::Command::new("ip").args(["-n", &name]).args(line.split(' ')).status();
            assert!(done.unwrap().success());
        }
    });
    unprivileged(
        &b,
        |_| (),
        |watch| {
            go.send(()).unwrap();
            watch.until_said("right: the interface is gone since ");
            go.send(()).unwrap();
            go.send(()).unwrap();
            watch.until_said("right: came up, watched since ");
        },
    );
    changer.join().unwrap();
}

#[test]
fn a_helper_that_is_gone_is_told_and_what_is_open_goes_on() {
    let Some((_a, b)) = pair() else { return };
    let (there, here) = channel();
    drop(here);
    b.enter(|| {
        drop_privileges();
        let mut config = seen::config(&["right"]);
        config.opener = Opener::Helper(Arc::new(there));
        let refused = LiveSource::open(&config).err().unwrap().to_string();
        assert_eq!(refused, "right: the privileged helper is gone; start the watch anew");
    });
}
