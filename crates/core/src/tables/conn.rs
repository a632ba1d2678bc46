//! Table `conn`: one row per connection, and interim rows while a long one is watched.

use super::{Opt, Seconds, Text, Time, U8, U16, U32, U64, table};

table! {
    /// One connection: everything two ends said to each other over one pair of ports. "up" is what the opener sent, "down" what came back.
    "conn", ConnRow, ConnTable {
        /// When its first packet was seen (UTC, nanoseconds).
        ts: Time,
        /// When its last packet was seen.
        last_ts: Time,
        /// Names the connection and joins all tables; the same capture gives the same one.
        uid: Text,
        /// Community ID v1: the same for every tool that sees the same addresses, ports and protocol.
        community_id: Opt<Text>,
        /// Name of the observer.
        sensor: Text,
        /// Interface it was first seen on.
        iface: Text,
        /// Transport: tcp, udp, icmp, icmp6, sctp, or the IP protocol's name or number.
        proto: Text,
        /// Address of the end that opened it.
        src_ip: Text,
        /// Port of the end that opened it; the type for ICMP.
        src_port: U16,
        /// Address of the end that was called.
        dst_ip: Text,
        /// Port of the end that was called; for ICMP the type that answers, or the code where none does.
        dst_port: U16,
        /// 802.1Q VLAN of the first packet.
        vlan: Opt<U16>,
        /// What carried it: ipip, 6in4, gre, vxlan.
        tunnel: Opt<Text>,
        /// The connection that carried it.
        tunnel_uid: Opt<Text>,
        /// Application protocol, by what was said.
        service: Opt<Text>,
        /// What the called end is called, as far as somebody said it.
        name: Opt<Text>,
        /// Who said it: sni, quic, http (the Host header), dns (an answer seen before), ech (in clear beside an Encrypted Client Hello: the site, or a name that hides it); of machines of the local network dhcp, mdns, llmnr, or arp and ndp (what another address of the same hardware is called); rdns (the name server, asked by Tidegate).
        name_source: Opt<Text>,
        /// How old what was said was when the connection began, in seconds; 0 where the connection said the name itself, or it was said later.
        name_age: Opt<Seconds>,
        /// active while it is watched, closed in its last row.
        state: Text,
        /// How opening and closing went, in Zeek's terms: S0, S1, SF, REJ, S2, S3, RSTO, RSTR, RSTOS0, RSTRH, SH, SHR, OTH.
        conn_state: Text,
        /// What happened in order, in Zeek's letters; upper case for the opener.
        history: Text,
        /// Why it counts as over: fin, rst, idle, evicted, eof, reused, relay (the relay ended it, as relay_cause says).
        end_reason: Opt<Text>,
        /// Seconds from first to last packet.
        duration: Seconds,
        /// IP packets from the opener; missing where no packets were seen (relay).
        up_packets: Opt<U64>,
        /// IP bytes from the opener, headers included; missing where no packets were seen (relay).
        up_bytes: Opt<U64>,
        /// Transport payload bytes from the opener, retransmissions included.
        up_payload: U64,
        /// Segments from the opener whose data was all sent before.
        up_retransmits: U32,
        /// Segments from the opener that came after later ones.
        up_out_of_order: U32,
        /// Times the opener closed its receive window.
        up_zero_windows: U32,
        /// Bytes from the opener that were acknowledged but never seen; all of them where only the other direction was captured.
        up_missed: U64,
        /// TCP flags the opener has set, as letters of FSRPAUEC.
        up_flags: Opt<Text>,
        /// Time to live of the opener's first packet.
        up_ttl: Opt<U8>,
        /// IP packets from the called end; missing where no packets were seen (relay).
        down_packets: Opt<U64>,
        /// IP bytes from the called end, headers included; missing where no packets were seen (relay).
        down_bytes: Opt<U64>,
        /// Transport payload bytes from the called end, retransmissions included.
        down_payload: U64,
        /// Segments from the called end whose data was all sent before.
        down_retransmits: U32,
        /// Segments from the called end that came after later ones.
        down_out_of_order: U32,
        /// Times the called end closed its receive window.
        down_zero_windows: U32,
        /// Bytes from the called end that were acknowledged but never seen; all of them where only the other direction was captured.
        down_missed: U64,
        /// TCP flags the called end has set, as letters of FSRPAUEC.
        down_flags: Opt<Text>,
        /// Time to live of the called end's first packet.
        down_ttl: Opt<U8>,
        /// Seconds between the observer and the opener and back (SYN-ACK to ACK).
        rtt_client: Opt<Seconds>,
        /// Seconds between the observer and the called end and back (SYN to SYN-ACK).
        rtt_server: Opt<Seconds>,
        /// Relayed by Tidegate: the service that took it.
        relay_service: Opt<Text>,
        /// Relayed by Tidegate: the rule that chose its backend; missing where none did.
        relay_rule: Opt<Text>,
        /// Relayed by Tidegate: why it ended: fin, client_reset, backend_reset, idle, half_closed, write_stall, lifetime, drain, stop, killed, rejected, connect_refused, connect_timeout, unreachable, no_backend, rule, port, proxy_header, files.
        relay_cause: Opt<Text>,
        later {
            /// This machine's program, the opener's where both ends are here: process number.
            process_pid: Opt<U32>,
            /// This machine's program, the opener's where both ends are here: name.
            process_name: Opt<Text>,
            /// This machine's program, the opener's where both ends are here: path of the executable.
            process_path: Opt<Text>,
            /// This machine's program, the opener's where both ends are here: command line, words separated by spaces.
            process_cmdline: Opt<Text>,
            /// This machine's program, the opener's where both ends are here: name of the program that started it; _destroyed_ if it was gone, AccessDenied if we may not know.
            process_parent: Opt<Text>,
            /// This machine's program, the opener's where both ends are here: user it runs as.
            process_user: Opt<Text>,
            /// This machine's program, the opener's where both ends are here: when it was started.
            process_started: Opt<Time>,
            /// This machine's program, the opener's where both ends are here: container it runs in.
            process_container: Opt<Text>,
            /// This machine's program, the opener's where both ends are here: how it was found: tracepoint, bpf, sock_diag, connector, scan, psutil.
            process_method: Opt<Text>,
            /// This machine's program, the opener's where both ends are here: how sure that is: event (the kernel said so), lookup (a table at that time), listener (who holds the port), none.
            process_confidence: Opt<Text>,
            /// The called program, where both ends are on this machine: process number.
            peer_process_pid: Opt<U32>,
            /// The called program, where both ends are on this machine: name.
            peer_process_name: Opt<Text>,
            /// The called program, where both ends are on this machine: path of the executable.
            peer_process_path: Opt<Text>,
            /// The called program, where both ends are on this machine: command line, words separated by spaces.
            peer_process_cmdline: Opt<Text>,
            /// The called program, where both ends are on this machine: name of the program that started it; _destroyed_ if it was gone, AccessDenied if we may not know.
            peer_process_parent: Opt<Text>,
            /// The called program, where both ends are on this machine: user it runs as.
            peer_process_user: Opt<Text>,
            /// The called program, where both ends are on this machine: when it was started.
            peer_process_started: Opt<Time>,
            /// The called program, where both ends are on this machine: container it runs in.
            peer_process_container: Opt<Text>,
            /// The called program, where both ends are on this machine: how it was found: tracepoint, bpf, sock_diag, connector, scan, psutil.
            peer_process_method: Opt<Text>,
            /// The called program, where both ends are on this machine: how sure that is: event (the kernel said so), lookup (a table at that time), listener (who holds the port), none.
            peer_process_confidence: Opt<Text>,
            /// Place of the opener's public address: country, as ISO 3166-1 code.
            src_country: Opt<Text>,
            /// Place of the opener's public address: city.
            src_city: Opt<Text>,
            /// Place of the opener's public address: number of its autonomous system.
            src_asn: Opt<U32>,
            /// Place of the opener's public address: organisation of its autonomous system.
            src_as_org: Opt<Text>,
            /// Place of the called public address: country, as ISO 3166-1 code.
            dst_country: Opt<Text>,
            /// Place of the called public address: city.
            dst_city: Opt<Text>,
            /// Place of the called public address: number of its autonomous system.
            dst_asn: Opt<U32>,
            /// Place of the called public address: organisation of its autonomous system.
            dst_as_org: Opt<Text>,
        }
    }
}
