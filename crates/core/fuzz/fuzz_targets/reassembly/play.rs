//! Segments, made of bytes or taken from a capture, put to a flow table that is watched.

use std::time::Duration;

use tidegate_core::capture::files::CaptureFiles;
use tidegate_core::capture::{Polled, Source};
use tidegate_core::decode::{Decoded, Decoder, Segment, Tcp, Transport, Tunnel};
use tidegate_core::flow::{FlowKey, FlowTable, Slot};
use tidegate_core::{Config, PacketBatch};

use crate::watcher::{Events, Watcher};

/// Packets of a capture that are followed at most: packed ones expand a thousandfold.
const MAX_PACKETS: usize = 2_000;
/// Pieces that wait at most are fewer when bytes keep them apart: that many steps stay below.
const MAX_STEPS: usize = 200;

/// How the table is bounded, and what the segments are like.
#[derive(Clone, Copy)]
pub struct Settings {
    max_flows: u32,
    max_stream_buffer: usize,
    max_buffer_total: usize,
    numbered: bool,
    wants_streams: bool,
}

impl Settings {
    /// From a byte: the bounds in pairs of bits, then whether bytes tell their place.
    pub fn of(choice: u8, capture: bool) -> Self {
        let pick = |from: [usize; 4], shift: u8| from[usize::from(choice >> shift & 3)];
        Self {
            max_flows: pick([1, 2, 5, 1000], 0) as u32,
            max_stream_buffer: pick([0, 400, 2000, 1 << 20], 2),
            max_buffer_total: pick([0, 500, 3000, 64 << 20], 4),
            numbered: !capture && choice & 64 == 0,
            wants_streams: true,
        }
    }

    /// The same with nobody who reads streams.
    pub fn unread(self) -> Self {
        Self { wants_streams: false, ..self }
    }

    /// Whether no buffer is ever full.
    pub fn roomy(&self) -> bool {
        self.max_stream_buffer >= 1 << 20 && self.max_buffer_total >= 64 << 20
    }

    /// Plays to a new table and ends it.
    pub fn play(&self, what: impl Fn(&mut Play)) -> Events {
        let config = Config {
            max_flows: self.max_flows,
            max_stream_buffer: self.max_stream_buffer,
            max_buffer_total: self.max_buffer_total,
            ..Config::default()
        };
        let watcher = Watcher::new(self.wants_streams, self.numbered);
        let table = FlowTable::new(&config);
        let mut play = Play { settings: *self, table, watcher, now: 0, given: 0, slot: None };
        what(&mut play);
        play.table.finish(&mut play.watcher);
        let stats = play.table.stats();
        assert_eq!((stats.flows, stats.buffered), (0, 0), "the end leaves nothing");
        play.watcher.finish()
    }
}

/// A table in use.
pub struct Play {
    settings: Settings,
    table: FlowTable,
    watcher: Watcher,
    now: i64,
    /// Bytes of payload given so far.
    given: usize,
    /// The last segment's connection, which may carry the next one.
    slot: Option<Slot>,
}

impl Play {
    /// Every packet of a capture file.
    pub fn capture(&mut self, bytes: &[u8]) {
        let mut files = CaptureFiles::from_stream("fuzz", std::io::Cursor::new(bytes.to_vec()));
        let mut decoder = Decoder::new(&Config::default());
        let (mut seen, mut failures) = (0, 0);
        while seen < MAX_PACKETS && failures < 10 {
            match files.poll(Duration::ZERO) {
                Ok(Polled::Packets(batch)) => {
                    seen += batch.len();
                    self.packets(&batch, &mut decoder);
                }
                Ok(Polled::End) => break,
                Ok(Polled::Interface(_)) => {}
                Ok(Polled::Idle) | Err(_) => failures += 1,
            }
        }
    }

    fn packets(&mut self, batch: &PacketBatch<'_>, decoder: &mut Decoder) {
        let mut found = Vec::new();
        for packet in batch {
            decoder.decode(packet, &mut found);
        }
        for item in &found {
            match item {
                Decoded::Segment(segment) => self.segment(segment),
                Decoded::Fragment(_) | Decoded::Arp(_) => {}
            }
        }
    }

    /// Steps of 10 bytes: kind, ends, sequence (2), acknowledgement (2), length, how much of it
    /// was cut, flags, time.
    pub fn steps(&mut self, input: &[u8]) {
        let mut rest = input;
        for _ in 0..MAX_STEPS {
            let Some((step, next)) = rest.split_first_chunk::<10>() else { break };
            rest = next;
            self.step(step);
        }
    }

    fn step(&mut self, step: &[u8; 10]) {
        let [kind, .., time] = *step;
        // Up to 2^60 ns at once, and now and then back.
        let span = 1_i64 << (time & 63).min(60);
        self.now =
            if time < 192 { self.now.saturating_add(span) } else { self.now.saturating_sub(span) };
        match kind {
            0 => self.table.advance(self.now, &mut self.watcher),
            1 => self.table.sweep(&mut self.watcher),
            _ => {
                let mut payload = Vec::new();
                let segment = self.made(step, &mut payload);
                self.segment(&segment);
            }
        }
        self.check();
    }

    fn made<'a>(&self, step: &[u8; 10], payload: &'a mut Vec<u8>) -> Segment<'a> {
        let [kind, ends, s0, s1, a0, a1, length, cut, flags, _] = *step;
        // Numbered bytes come in pairs, and nothing else moves a stream: no SYN, no FIN, and no
        // lone unseen byte that could be one.
        let numbered = self.settings.numbered;
        let (even, unit) = if numbered { (!1, 2) } else { (!0, 1) };
        let flags = if numbered { flags & !(Tcp::SYN | Tcp::FIN) } else { flags };
        // Near the wrap of sequence numbers; far off when the top bits are set.
        let number = |high: u8, low: u8| {
            let far = if high >= 0xf0 { 0x1fff_0000 * u32::from(high & 7) } else { 0 };
            (u32::MAX - 0x3fff)
                .wrapping_add(u32::from(high & 0x7f) << 8 | u32::from(low))
                .wrapping_add(far)
                & even
        };
        let (seq, length) = (number(s0, s1), u32::from(length) * unit);
        let syn = u32::from(flags & Tcp::SYN != 0);
        let captured = length - (u32::from(cut.saturating_sub(200)) * unit).min(length);
        *payload = (0..captured).map(|at| self.byte(kind, seq.wrapping_add(syn + at))).collect();
        let (src, dst) = (u16::from(ends & 7), u16::from(ends >> 3 & 7));
        Segment {
            ts: self.now,
            iface: 0,
            vlan: 0,
            src: [0; 16],
            dst: [0; 16],
            src_port: src,
            dst_port: dst,
            proto: if kind < 8 { 17 } else { 6 },
            ttl: 64,
            tunnel: if ends & 64 == 0 { Tunnel::None } else { Tunnel::Gre },
            packets: 1,
            ip_bytes: 40 + length,
            payload_len: length,
            payload,
            transport: match kind {
                2..8 => Transport::Udp,
                _ => {
                    Transport::Tcp(Tcp { seq, ack: number(a0, a1), flags, window: u16::from(kind) })
                }
            },
            checksum_ok: kind != 255,
        }
    }

    fn byte(&self, kind: u8, seq: u32) -> u8 {
        if self.settings.numbered {
            ((seq >> 1) as u16).to_be_bytes()[(seq & 1) as usize]
        } else {
            kind
        }
    }

    fn segment(&mut self, segment: &Segment<'_>) {
        let place = self.table.place(segment);
        let carrier = self.slot.filter(|_| segment.is_inner());
        self.given += segment.payload.len();
        let slot = self.table.segment(segment, &place, carrier, &mut self.watcher);
        assert!(self.table.flow(slot).is_some_and(|flow| flow.key == FlowKey::of(segment).0));
        self.slot = Some(slot);
        self.check();
    }

    fn check(&self) {
        let (stats, bounds) = (self.table.stats(), &self.settings);
        assert!(stats.flows <= bounds.max_flows);
        assert_eq!(stats.flows, self.watcher.opened - self.watcher.ended);
        assert!(stats.buffered <= bounds.max_buffer_total, "all buffers together");
        let each = 2 * stats.flows as usize * bounds.max_stream_buffer;
        assert!(stats.buffered <= each, "each buffer");
        assert!(self.watcher.handed <= self.given, "no byte is made up");
        if !bounds.wants_streams {
            assert_eq!(self.watcher.handed, 0);
        }
    }
}
