//! Live capture by libpcap gives what the packet rings give: real interfaces, real programs.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(unreachable_pub)]

#[path = "live/net.rs"]
mod net;
#[path = "live/seen.rs"]
mod seen;

use std::time::{Duration, Instant};

use net::{Net, SEND, pair};
use seen::{
    Watch, config, counts_a_pair_once, counts_what_is_not_read_in_time, filter,
    refuses_in_clear_words,
};
use tidegate_core::LinkType;
use tidegate_core::capture::interfaces::{interfaces, interfaces_by_libpcap};
use tidegate_core::capture::live::{LINGER, LiveConfig, LiveSource};
use tidegate_core::capture::{Polled, Source};

fn watch(interfaces: &[&str], change: impl FnOnce(&mut LiveConfig)) -> Watch {
    let mut config = config(interfaces);
    change(&mut config);
    Watch::of(LiveSource::open_libpcap(&config, None).unwrap())
}

/// What a watch saw, in an order that another one can share.
fn sorted(watch: &Watch) -> Vec<(u16, LinkType, u32, &[u8])> {
    let packets = watch.packets.iter();
    let mut all: Vec<_> =
        packets.map(|p| (p.iface, p.link, p.wire_len, p.data.as_slice())).collect();
    all.sort_by_key(|&(iface, _, wire_len, data)| (iface, wire_len, data));
    all
}

#[test]
fn a_filter_gives_the_packets_of_ping() {
    let Some((a, b)) = pair() else { return };
    b.enter(|| {
        let mut watch = watch(&["right", "right"], filter("icmp"));
        a.exec("ping -q -c 5 -i 0.01 10.9.0.2");
        watch.until(|w| w.packets.len() == 10);
        watch.rest();
        assert_eq!(watch.names, ["right"]);
        assert_eq!(watch.packets.len(), 10);
        let whole = |p: &seen::Seen| p.data.len() == 98 && p.wire_len == 98;
        assert!(watch.packets.iter().all(whole));
        assert_eq!(watch.stats().kernel_dropped, [0]);
        assert_eq!(watch.stats().warnings, [""; 0]);
    });
}

#[test]
fn ping_and_curl_give_the_same_packets_as_with_rings() {
    const SERVE: &str = "
import http.server, threading, subprocess
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header('Content-Length', '300000')
        self.end_headers()
        self.wfile.write(b'x' * 300000)
    def log_message(self, *_): pass
server = http.server.HTTPServer(('127.0.0.1', 8000), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
subprocess.run('curl -sfo /dev/null http://127.0.0.1:8000/', shell=True, check=True)
";
    let Some((a, b)) = pair() else { return };
    b.enter(|| {
        let expression = "(tcp or icmp) and not port 53";
        let names = ["lo", "right"];
        let mut rings = Watch::new(&names, filter(expression));
        let mut libpcap = watch(&names, filter(expression));
        b.python(SERVE);
        a.exec("ping -q -c 3 -i 0.01 10.9.0.2");
        rings.rest();
        libpcap.rest();
        assert_eq!(rings.names, libpcap.names);
        assert!(rings.packets.len() > 6 + 8);
        assert!(libpcap.packets.iter().any(|p| p.data.len() > 10_000));
        assert_eq!(sorted(&rings), sorted(&libpcap));
        assert_eq!(libpcap.stats().kernel_dropped, [0, 0]);
    });
}

#[test]
fn a_stop_loses_nothing() {
    let Some((a, b)) = pair() else { return };
    b.enter(|| {
        let mut watch = watch(&["right"], |_| ());
        let before = b.packets("right");
        a.exec("ping -q -c 50 -i 0.002 10.9.0.2");
        watch.source.waker().wake();
        let stop = Instant::now();
        // As everyone who stops does it: read on for as long as the kernel may keep a packet.
        while stop.elapsed() < LINGER {
            watch.step();
        }
        let count = (b.packets("right") - before) as usize;
        assert!(count >= 100);
        assert_eq!(watch.packets.len(), count);
    });
}

#[test]
fn what_is_not_read_in_time_is_counted_as_dropped() {
    let Some((a, b)) = pair() else { return };
    b.enter(|| {
        let watch = watch(&["right"], |config| config.ring_bytes = 0);
        counts_what_is_not_read_in_time(&a, &b, watch);
    });
}

#[test]
fn a_snap_length_cuts_packets_and_time_is_in_nanoseconds() {
    let Some((a, b)) = pair() else { return };
    b.enter(|| {
        let mut watch = watch(&["right"], |config| {
            config.snaplen = 40;
            config.filter = Some("icmp".to_owned());
        });
        a.exec("ping -q -c 20 -i 0.002 10.9.0.2");
        watch.until(|w| w.packets.len() == 40);
        let cut = |p: &seen::Seen| p.data.len() == 40 && p.wire_len == 98;
        assert!(watch.packets.iter().all(cut));
        // Forty stamps that all end in three zeroes would be microseconds.
        assert!(watch.packets.iter().any(|p| p.ts % 1000 != 0));
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
        let age = now.as_nanos() as i64 - watch.packets[0].ts;
        assert!((0..3_600_000_000_000).contains(&age));
    });
}

#[test]
fn vlan_tags_are_there_and_filtered_by() {
    let Some((a, b)) = pair() else { return };
    let send = format!(
        "{SEND}
send('left', [frame(tcp(80, n), (0x8100, 7)) for n in range(3)]
     + [frame(tcp(80, 3), (0x8100, 8)), frame(tcp(80, 4)), frame(tcp(81, 5), (0x8100, 7))])"
    );
    b.enter(|| {
        let mut watch = watch(&["right"], filter("vlan 7 and tcp port 80"));
        a.python(&send);
        watch.until(|w| w.packets.len() == 3);
        watch.rest();
        assert_eq!(watch.packets.len(), 3);
        let tagged = |p: &seen::Seen| p.data[12..16] == [0x81, 0, 0, 7] && p.wire_len == 58;
        assert!(watch.packets.iter().all(tagged));
    });
}

#[test]
fn both_ends_of_a_veth_pair_count_once_repeats_included() {
    counts_a_pair_once(|| watch(&["one", "two"], filter("tcp")));
}

#[test]
fn a_tunnel_gives_bare_ip() {
    let Some(net) = Net::new() else { return };
    net.ip("tuntap add dev tun7 mode tun");
    net.ip("addr add 10.9.0.1/24 dev tun7");
    net.ip("link set tun7 up");
    let hold = "import fcntl, os, struct, socket
fd = os.open('/dev/net/tun', os.O_RDWR)
fcntl.ioctl(fd, 0x400454ca, struct.pack('16sH22x', b'tun7', 0x1001))
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(b'12345', ('10.9.0.2', 9))";
    net.enter(|| {
        let mut watch = watch(&["tun7"], filter("udp port 9"));
        net.python(hold);
        watch.until(|w| w.packets.len() == 1);
        let packet = &watch.packets[0];
        assert_eq!((packet.link, packet.data[0]), (LinkType::RAW, 0x45));
        assert_eq!(packet.wire_len, 33);
    });
}

#[test]
fn an_interface_that_is_down_at_first_is_waited_for() {
    let Some((a, b)) = pair() else { return };
    b.ip("link set right down");
    b.enter(|| {
        let open = |config| LiveSource::open_libpcap(&config, None);
        let mut bad = config(&["right"]);
        bad.filter = Some("tcp prot 80".to_owned());
        let said = open(bad).err().unwrap().to_string();
        assert!(said.starts_with("filter \"tcp prot 80\": "), "{said}");
        let mut watch = watch(&["right", "lo"], filter("icmp"));
        watch.rest();
        assert!(!watch.ended);
        b.ip("link set right up");
        // Echo requests come until the interface has been opened.
        for _ in 0..400 {
            if watch.packets.iter().any(|p| p.iface == 0) {
                break;
            }
            a.exec("ping -q -c 1 -w 5 10.9.0.2");
            watch.rest();
        }
        assert!(watch.packets.iter().any(|p| p.iface == 0));
        watch.until_said("right: came up, watched since ");
        assert_eq!(watch.stats().warnings.len(), 1);
    });
}

#[test]
fn an_interface_that_goes_down_and_comes_back_is_watched_on() {
    let Some((a, b)) = pair() else { return };
    b.enter(|| {
        let mut watch = watch(&["right", "lo"], filter("icmp"));
        for _ in 0..2 {
            let before = watch.packets.len();
            b.ip("link set right down");
            watch.rest();
            b.exec("ping -q -c 1 127.0.0.1");
            watch.until(|w| w.packets.len() == before + 2);
            b.ip("link set right up");
            a.exec("ping -q -c 1 -w 5 10.9.0.2");
            watch.until(|w| w.packets.len() >= before + 4);
            watch.rest();
        }
        watch.until_said("right: the interface is down since ");
        watch.until_said("right: came up, watched since ");
    });
}

#[test]
fn an_interface_deleted_in_mid_capture_is_waited_for_even_the_last_one() {
    let Some((a, b)) = pair() else { return };
    let ping = format!("{SEND}\nsend('other', [frame(icmp())])");
    b.enter(|| {
        let mut both = watch(&["right", "lo"], filter("icmp"));
        let mut alone = watch(&["right"], filter("icmp"));
        a.exec("ping -q -c 2 -i 0.01 10.9.0.2");
        b.ip("link del right");
        b.exec("ping -q -c 1 127.0.0.1");
        alone.until_said("right: the interface is gone since ");
        assert_eq!(alone.packets.len(), 4);
        both.until(|w| w.packets.len() == 6);
        both.rest();
        assert_eq!(both.packets.iter().filter(|p| p.iface == 0).count(), 4);
        assert!(!both.ended);
        both.until_said("right: the interface is gone since ");
        b.ip("link add right type veth peer name other");
        b.ip("link set right up");
        b.ip("link set other up");
        for watch in [&mut both, &mut alone] {
            watch.until_said("right: came up, watched since ");
            let before = watch.packets.len();
            b.python(&ping);
            watch.until(|w| w.packets.len() > before);
            assert_eq!(watch.packets.last().unwrap().iface, 0);
            assert!(!watch.ended);
        }
    });
}

#[test]
fn a_wait_can_be_ended_from_another_thread() {
    let Some((_a, b)) = pair() else { return };
    b.enter(|| {
        let mut watch = watch(&["right"], filter("tcp"));
        let waker = watch.source.waker();
        watch.until(|w| w.names.len() == 1);
        let other = std::thread::spawn(move || waker.wake());
        let polled = watch.source.poll(Duration::from_mins(1)).unwrap();
        assert!(matches!(polled, Polled::Idle));
        other.join().unwrap();
    });
}

#[test]
fn errors_say_what_to_do() {
    let missing = LiveSource::open_libpcap(&config(&["lo"]), Some("libpcap-of-nowhere.so"));
    assert_eq!(
        missing.err().unwrap().to_string(),
        "live capture by libpcap needs libpcap, which is not installed (Debian and Ubuntu: \
         libpcap0.8, Fedora and Alpine: libpcap, Windows: Npcap from npcap.com)"
    );
    let Some((_a, b)) = pair() else { return };
    b.enter(|| refuses_in_clear_words(|config| LiveSource::open_libpcap(config, None)));
}

#[test]
fn libpcap_lists_the_interfaces_that_the_system_lists() {
    let Some((_a, b)) = pair() else { return };
    b.until_up("right");
    let (all, listed) = b.enter(|| (interfaces().unwrap(), interfaces_by_libpcap().unwrap()));
    for own in all {
        let other = listed.iter().find(|i| i.name == own.name).unwrap();
        let state = |i: &tidegate_core::capture::interfaces::InterfaceInfo| {
            (i.up, i.running, i.loopback, i.addresses.clone())
        };
        assert_eq!(state(other), state(&own));
    }
}
