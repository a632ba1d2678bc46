//! Live capture against real interfaces, real programs and the kernel's own counters.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(unreachable_pub)]

#[path = "live/net.rs"]
mod net;
#[path = "live/seen.rs"]
mod seen;

use net::{Net, SEND, pair};
use seen::{
    Watch, counts_a_pair_once, counts_what_is_not_read_in_time, filter, refuses_in_clear_words,
};
use tidegate_core::LinkType;
use tidegate_core::capture::InterfaceState;
use tidegate_core::capture::interfaces::interfaces;
use tidegate_core::capture::live::LiveSource;

#[test]
fn a_filter_gives_the_packets_of_ping() {
    let Some((a, b)) = pair() else { return };
    b.enter(|| {
        let mut watch = Watch::new(&["right", "right"], filter("icmp"));
        a.exec("ping -q -c 5 -i 0.01 10.9.0.2");
        watch.until(|w| w.packets.len() == 10);
        watch.rest();
        assert_eq!(watch.names, ["right"]);
        assert_eq!(watch.packets.len(), 10);
        assert!(watch.packets.iter().all(|p| p.data.len() == 98 && p.wire_len == 98));
        // Ten stamps that all end in three zeroes would be microseconds.
        assert!(watch.packets.iter().any(|p| p.ts % 1000 != 0));
        assert_eq!(watch.stats().kernel_dropped, [0]);
    });
}

#[test]
fn a_transfer_has_as_many_packets_as_the_kernel_counts_and_large_ones_whole() {
    let Some((a, b)) = pair() else { return };
    b.enter(|| {
        let mut watch = Watch::new(&["right"], |config| config.ring_bytes = 64 << 20);
        let before = b.packets("right");
        b.exec("iperf3 -s -D -1");
        while !b.exec("ss -Hltn").contains(":5201") {}
        a.exec("iperf3 -c 10.9.0.2 -n 20M");
        let count = (b.packets("right") - before) as usize;
        watch.until(|w| w.packets.len() >= count);
        watch.rest();
        assert_eq!(watch.stats().kernel_dropped, [0]);
        assert_eq!(watch.packets.len(), (b.packets("right") - before) as usize);
        assert!(watch.packets.iter().any(|p| p.data.len() > 60_000));
        assert!(watch.packets.iter().all(|p| p.data.len() == p.wire_len as usize));
    });
}

#[test]
fn what_is_not_read_in_time_is_counted_as_dropped() {
    let Some((a, b)) = pair() else { return };
    b.enter(|| {
        let watch = Watch::new(&["right"], |config| config.ring_bytes = 0);
        counts_what_is_not_read_in_time(&a, &b, watch);
    });
}

#[test]
fn a_snap_length_cuts_packets_but_not_their_wire_length() {
    let Some((a, b)) = pair() else { return };
    for expression in [None, Some("icmp".to_owned())] {
        b.enter(|| {
            let mut watch = Watch::new(&["right"], |config| {
                config.snaplen = 40;
                config.filter = expression;
            });
            a.exec("ping -q -c 1 10.9.0.2");
            watch.until(|w| w.packets.iter().filter(|p| p.wire_len == 98).count() == 2);
            assert!(watch.packets.iter().all(|p| p.data.len() <= 40));
        });
    }
}

#[test]
fn vlan_tags_are_put_back_and_filtered_by() {
    let Some((a, b)) = pair() else { return };
    let send = format!(
        "{SEND}
send('left', [frame(tcp(80, n), (0x8100, 7)) for n in range(3)]
     + [frame(tcp(80, 3), (0x8100, 8)), frame(tcp(80, 4)), frame(tcp(81, 5), (0x8100, 7))]
     + [frame(tcp(80, 6), (0x88a8, 9), (0x8100, 7))])"
    );
    b.enter(|| {
        let mut all = Watch::new(&["right"], |_| ());
        let mut some = Watch::new(&["right"], filter("vlan 7 and tcp port 80"));
        let mut inner = Watch::new(&["right"], filter("vlan 9 and vlan 7"));
        a.python(&send);
        let tcp =
            |w: &Watch| w.packets.iter().filter(|p| p.data[0] == 0xff && p.wire_len >= 54).count();
        all.until(|w| tcp(w) == 7);
        some.until(|w| w.packets.len() == 3);
        inner.until(|w| w.packets.len() == 1);
        some.rest();
        assert_eq!(some.packets.len(), 3);
        assert!(some.packets.iter().all(|p| p.data[12..16] == [0x81, 0, 0, 7] && p.wire_len == 58));
        assert_eq!(inner.packets[0].data[12..22], [0x88, 0xa8, 0, 9, 0x81, 0, 0, 7, 8, 0]);
    });
}

#[test]
fn an_interface_that_is_down_at_first_is_waited_for() {
    let Some((a, b)) = pair() else { return };
    b.ip("link set right down");
    b.ip("link set lo down");
    b.enter(|| {
        // Nothing is up that libpcap could compile for, so we filter ourselves.
        let mut watch = Watch::new(&["right"], filter("vlan 7"));
        assert!(!watch.source.interfaces().is_empty());
        watch.rest();
        b.ip("link set right up");
        a.python(&format!(
            "{SEND}\nsend('left', [frame(tcp(80, 1)), frame(tcp(80, 2), (0x8100, 7))])"
        ));
        watch.until(|w| w.packets.len() == 1);
        assert_eq!(watch.packets[0].data[12..16], [0x81, 0, 0, 7]);
        watch.until_said("right: came up, watched since ");
        assert_eq!(watch.stats().warnings.len(), 1);
    });
}

#[test]
fn an_interface_that_goes_down_and_comes_back_is_watched_on() {
    let Some((a, b)) = pair() else { return };
    b.enter(|| {
        let mut watch = Watch::new(&["right", "lo"], filter("icmp"));
        for _ in 0..2 {
            let before = watch.packets.len();
            b.ip("link set right down");
            watch.until(|w| !w.ended);
            b.exec("ping -q -c 1 127.0.0.1");
            watch.until(|w| w.packets.len() == before + 2);
            b.ip("link set right up");
            a.exec("ping -q -c 1 -w 5 10.9.0.2");
            watch.until(|w| w.packets.len() >= before + 4);
            watch.rest();
        }
        let up = watch.until_said("right: came up, watched since ");
        assert!(up.ends_with(" UTC"));
        let down = watch.said("right: the interface is down since ");
        assert!(down.ends_with(" UTC; waiting for it"));
    });
}

#[test]
fn an_interface_deleted_in_mid_capture_ends_alone() {
    let Some((a, b)) = pair() else { return };
    b.enter(|| {
        let mut watch = Watch::new(&["right", "lo"], filter("icmp"));
        a.exec("ping -q -c 2 -i 0.01 10.9.0.2");
        b.ip("link del right");
        b.exec("ping -q -c 1 127.0.0.1");
        watch.until(|w| w.packets.len() == 6);
        watch.rest();
        assert_eq!(watch.packets.iter().filter(|p| p.iface == 0).count(), 4);
        assert!(!watch.ended);
        assert!(watch.said("right: the interface is gone since ").ends_with("; waiting for it"));
    });
}

#[test]
fn the_last_interface_deleted_is_waited_for() {
    let Some((a, b)) = pair() else { return };
    b.enter(|| {
        let mut watch = Watch::new(&["right"], filter("icmp"));
        a.exec("ping -q -c 2 -i 0.01 10.9.0.2");
        b.ip("link del right");
        watch.until(|w| w.packets.len() == 4);
        watch.until_said("right: the interface is gone since ");
        assert!(!watch.ended);
        assert_eq!(watch.packets.len(), 4);
        assert_eq!(watch.stats().kernel_dropped, [0]);
        assert_eq!(watch.stats().states, [InterfaceState::Gone]);
    });
}

#[test]
fn loopback_counts_once() {
    let Some(net) = Net::new() else { return };
    net.ip("link set lo up");
    net.enter(|| {
        let mut watch = Watch::new(&[], |_| ());
        net.exec("ping -q -c 3 -i 0.01 127.0.0.1");
        watch.until(|w| w.packets.len() == 6);
        watch.rest();
        assert_eq!((watch.names.as_slice(), watch.packets.len()), (&["lo".to_owned()][..], 6));
    });
}

#[test]
fn a_bridge_and_its_ports_count_once() {
    let (Some(host), Some(a), Some(b)) = (Net::new(), Net::new(), Net::new()) else {
        return;
    };
    host.ip("link add br0 type bridge");
    host.ip("addr add 10.9.0.3/24 dev br0");
    for (net, port, address) in [(&a, "port1", "10.9.0.1/24"), (&b, "port2", "10.9.0.2/24")] {
        host.ip(&format!("link add {port} type veth peer name eth0 netns {}", net.name()));
        host.ip(&format!("link set {port} master br0 up"));
        net.ip(&format!("addr add {address} dev eth0"));
        net.ip("link set eth0 up");
    }
    host.ip("link set br0 up");
    host.enter(|| {
        let ports = &["br0", "port1", "port2"];
        let mut once = Watch::new(ports, filter("icmp"));
        let mut all = Watch::new(ports, |config| {
            config.filter = Some("icmp".to_owned());
            config.dedup = false;
        });
        a.exec("ping -q -c 20 -i 0.002 10.9.0.2");
        a.exec("ping -q -c 10 -i 0.002 10.9.0.3");
        once.until(|w| w.packets.len() == 60);
        all.until(|w| w.packets.len() >= 120);
        once.rest();
        all.rest();
        assert_eq!(once.packets.len(), 60);
        let duplicates: u64 = once.stats().duplicates.iter().sum();
        assert_eq!(duplicates, all.packets.len() as u64 - 60);
    });
}

#[test]
fn both_ends_of_a_veth_pair_count_once_repeats_included() {
    counts_a_pair_once(|| Watch::new(&["one", "two"], filter("tcp")));
}

/// Makes a TUN device of a hardware type, and once the kernel routes to it, reads a packet.
fn tun(hardware: u16) -> String {
    format!(
        "
import fcntl, os, struct, subprocess
fd = os.open('/dev/net/tun', os.O_RDWR)
fcntl.ioctl(fd, 0x400454ca, struct.pack('16sH22x', b'tun7', 0x1001))
fcntl.ioctl(fd, 0x400454cd, {hardware})
fcntl.ioctl(fd, 0x400454cb, 1)
"
    )
}

#[test]
fn a_tunnel_gives_bare_ip_and_an_unknown_type_a_cooked_header() {
    const SEND: &str = "import os, fcntl, struct
fd = os.open('/dev/net/tun', os.O_RDWR)
fcntl.ioctl(fd, 0x400454ca, struct.pack('16sH22x', b'tun7', 0x1001))
os.write(fd, bytes.fromhex('4500001c00010000401100000a0900010a0900020035003500080000'))";
    for (hardware, link) in [(0xfffe_u16, LinkType::RAW), (32, LinkType::LINUX_SLL)] {
        let Some(net) = Net::new() else { return };
        net.python(&tun(hardware));
        net.ip("link set tun7 up");
        net.enter(|| {
            let mut watch = Watch::new(&["tun7"], filter("udp port 53"));
            net.python(SEND);
            watch.until(|w| w.packets.len() == 1);
            let packet = &watch.packets[0];
            assert_eq!(packet.link, link);
            let ip = packet.data.len() - 28;
            assert_eq!(packet.data[ip..ip + 4], [0x45, 0, 0, 28]);
            if ip > 0 {
                assert_eq!(packet.data[..16], [0, 0, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0]);
            }
            assert_eq!(packet.wire_len as usize, packet.data.len());
        });
    }
}

#[test]
fn errors_say_what_to_do() {
    let Some((_a, b)) = pair() else { return };
    b.enter(|| refuses_in_clear_words(LiveSource::open));
}

#[test]
fn interfaces_are_listed_with_state_and_addresses() {
    let Some((_a, b)) = pair() else { return };
    b.until_up("right");
    let listed = b.enter(|| interfaces().unwrap());
    let right = listed.iter().find(|i| i.name == "right").unwrap();
    assert!(right.up && right.running && !right.loopback && right.index > 1);
    assert_eq!(right.link, "ETHERNET");
    assert_eq!(right.addresses, ["10.9.0.2".parse::<std::net::IpAddr>().unwrap()]);
    assert!(listed[0].loopback && listed[0].name == "lo");
}

#[test]
fn a_wait_can_be_ended_from_another_thread() {
    let Some((_a, b)) = pair() else { return };
    b.enter(|| {
        let mut watch = Watch::new(&["right"], filter("tcp"));
        let waker = watch.source.waker();
        watch.until(|w| w.names.len() == 1);
        let other = std::thread::spawn(move || waker.wake());
        let wait = std::time::Duration::from_mins(1);
        let polled = tidegate_core::capture::Source::poll(&mut watch.source, wait).unwrap();
        assert!(matches!(polled, tidegate_core::capture::Polled::Idle));
        other.join().unwrap();
    });
}
