//! A TCP connection's state as an onlooker can know it: Zeek's endpoint states, its
//! `conn_state` and its `history` (<https://docs.zeek.org>, `base/protocols/conn`).

use arrayvec::ArrayVec;

use super::{Direction, Extra, Flow, UNKNOWN, count_one};
use crate::decode::Tcp;
use crate::packet::Nanos;

/// Where one end of a TCP connection stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EndState {
    /// Has said nothing.
    #[default]
    Inactive,
    /// Has sent a SYN.
    SynSent,
    /// Has sent a SYN with an ACK.
    SynAckSent,
    /// Was heard in mid-stream, without a handshake.
    Partial,
    /// Has finished the handshake.
    Established,
    /// Has sent a FIN.
    Closed,
    /// Has sent a RST.
    Reset,
}

/// Letters of a history; long ones end where the space does.
pub type History = ArrayVec<u8, 14>;

/// The bit of each letter that is written once a direction.
mod letter {
    pub(super) const SYN: u8 = 1;
    pub(super) const SYN_ACK: u8 = 2;
    pub(super) const ACK: u8 = 4;
    pub(super) const DATA: u8 = 8;
    pub(super) const FIN: u8 = 16;
    pub(super) const RST: u8 = 32;
    pub(super) const INCONSISTENT: u8 = 64;
    pub(super) const MULTI_FLAG: u8 = 128;
}

impl Flow {
    /// Writes a letter; lower case for the called end.
    pub(super) fn note(&mut self, direction: Direction, letter: u8) {
        let letter = match direction {
            Direction::Up => letter.to_ascii_uppercase(),
            Direction::Down => letter,
        };
        // A full history keeps its beginning.
        let _ = self.history.try_push(letter);
    }

    /// Writes a letter for the 1st, 10th, 100th … time something has happened.
    pub(super) fn note_count(&mut self, direction: Direction, letter: u8, count: u32) {
        if count > 0 && 10_u32.pow(count.ilog10()) == count {
            self.note(direction, letter);
        }
    }

    fn note_once(&mut self, direction: Direction, bit: u8, letter: u8) {
        let side = self.side_mut(direction);
        if side.letters & bit == 0 {
            side.letters |= bit;
            self.note(direction, letter);
        }
    }

    /// Writes that a direction has carried data; UDP and ICMP have this letter too.
    #[inline]
    pub(super) fn note_data(&mut self, direction: Direction) {
        self.note_once(direction, letter::DATA, b'd');
    }

    /// Takes a TCP header into state, history, round-trip times and windows.
    #[inline]
    pub(super) fn tcp_header(&mut self, direction: Direction, tcp: &Tcp, payload: u32, ts: Nanos) {
        // Most segments of a settled connection change nothing here.
        let plain = tcp.flags & (Tcp::SYN | Tcp::FIN | Tcp::RST) == 0;
        let (up, down) = (self.up.state, self.down.state);
        self.side_mut(direction).flags |= tcp.flags;
        self.letters_of(direction, tcp.flags, payload);
        if !plain || up != EndState::Established || down != EndState::Established {
            self.round_trip(direction, tcp.flags, ts);
            self.transition(direction, tcp.flags);
        }
        self.window(direction, tcp);
    }

    #[inline]
    fn letters_of(&mut self, direction: Direction, flags: u8, payload: u32) {
        // What most segments would write has been written.
        let usual = if payload > 0 { letter::DATA } else { letter::ACK };
        if flags & (Tcp::SYN | Tcp::FIN | Tcp::RST | Tcp::ACK) == Tcp::ACK
            && self.side_mut(direction).letters & usual != 0
        {
            return;
        }
        self.new_letters(direction, flags, payload);
    }

    fn new_letters(&mut self, direction: Direction, flags: u8, payload: u32) {
        let has = |bits: u8| flags & bits == bits;
        if has(Tcp::SYN | Tcp::FIN) || has(Tcp::SYN | Tcp::RST) {
            self.note_once(direction, letter::MULTI_FLAG, b'q');
        } else if has(Tcp::FIN | Tcp::RST) {
            self.note_once(direction, letter::INCONSISTENT, b'i');
        }
        if has(Tcp::SYN | Tcp::ACK) {
            self.note_once(direction, letter::SYN_ACK, b'h');
        } else if has(Tcp::SYN) {
            self.note_once(direction, letter::SYN, b's');
        }
        if payload > 0 {
            self.note_once(direction, letter::DATA, b'd');
        }
        if has(Tcp::RST) {
            self.note_once(direction, letter::RST, b'r');
        } else if has(Tcp::FIN) {
            self.note_once(direction, letter::FIN, b'f');
        } else if has(Tcp::ACK) && !has(Tcp::SYN) && payload == 0 {
            self.note_once(direction, letter::ACK, b'a');
        }
    }

    fn transition(&mut self, direction: Direction, flags: u8) {
        use EndState::{Closed, Established, Inactive, Partial, Reset, SynAckSent, SynSent};
        let has = |bits: u8| flags & bits != 0;
        if !has(Tcp::SYN) && (self.up.state, self.down.state) == (SynSent, SynAckSent) {
            // The SYN was answered: whatever comes now ends the handshake, a RST too.
            (self.up.state, self.down.state) = (Established, Established);
        }
        let me = self.side_mut(direction).state;
        let peer = self.side_mut(direction.reverse());
        let closes = has(Tcp::FIN) && !has(Tcp::RST) && me != Reset;
        if closes && peer.state == Reset && peer.flags & Tcp::FIN != 0 {
            // It sent a RST behind its FIN, which makes the end no less regular.
            peer.state = Closed;
        }
        let peer = peer.state;
        let next = if me == Reset || (me, peer) == (Closed, Closed) {
            me
        } else if has(Tcp::RST) {
            Reset
        } else if has(Tcp::SYN) {
            match (me, has(Tcp::ACK)) {
                (Inactive | SynSent, true) => SynAckSent,
                (Inactive, false) => SynSent,
                (state, _) => state,
            }
        } else if has(Tcp::FIN) {
            Closed
        } else {
            match (direction, me, peer) {
                // Of this handshake only the SYN was missed.
                (Direction::Up, Inactive, SynAckSent | Established) if has(Tcp::ACK) => Established,
                (_, Inactive, _) => Partial,
                // The answer to its SYN went another way, or the SYN that it answered did.
                (_, SynSent | SynAckSent, _) => Established,
                (_, state, _) => state,
            }
        };
        self.side_mut(direction).state = next;
    }

    fn round_trip(&mut self, direction: Direction, flags: u8, ts: Nanos) {
        let handshake = flags & (Tcp::SYN | Tcp::ACK | Tcp::RST);
        match (direction, handshake) {
            // A repeated SYN leaves it open which of them was answered (Karn's rule).
            (Direction::Down, both) if both == Tcp::SYN | Tcp::ACK => {
                let one_syn = self.up.packets == 1 && self.up.state == EndState::SynSent;
                if one_syn && self.down.state == EndState::Inactive {
                    self.rtt_server = ts.saturating_sub(self.first);
                }
            }
            (Direction::Up, Tcp::ACK) => {
                let syn_ack = match self.rtt_server {
                    UNKNOWN if self.up.packets > 1 => return,
                    UNKNOWN => self.first,
                    rtt => self.first.saturating_add(rtt),
                };
                if self.down.state == EndState::SynAckSent
                    && self.down.packets == 1
                    && self.rtt_client == UNKNOWN
                {
                    self.rtt_client = ts.saturating_sub(syn_ack);
                }
            }
            _ => {}
        }
    }

    fn window(&mut self, direction: Direction, tcp: &Tcp) {
        let closed = tcp.window == 0 && tcp.flags & (Tcp::RST | Tcp::SYN) == 0;
        if closed && !self.side_mut(direction).closed_window {
            let count = count_one(&mut Extra::of(self).zero_windows, direction);
            self.note_count(direction, b'w', count);
        }
        self.side_mut(direction).closed_window = closed;
    }
}

/// Zeek's summary of how a connection opened and closed.
pub fn conn_state(flow: &Flow) -> &'static str {
    use EndState::{Closed, Established, Inactive, Partial, Reset, SynAckSent, SynSent};
    match flow.key.proto {
        6 => {}
        17 => return udp_state(flow),
        _ => return "OTH",
    }
    let silent = |state| matches!(state, Inactive | Partial);
    let no_payload = flow.up.payload == 0 && flow.down.payload == 0;
    match (flow.up.state, flow.down.state) {
        (SynSent | SynAckSent, Reset) => "REJ",
        (Reset, Reset) if no_payload => "REJ",
        (up, Reset) if silent(up) => "RSTRH",
        (_, Reset) => "RSTR",
        (Reset, down) if silent(down) => "RSTOS0",
        (Reset, _) => "RSTO",
        (Closed, Closed) => "SF",
        (Closed, down) if silent(down) => "SH",
        (Closed, _) => "S2",
        (up, Closed) if silent(up) => "SHR",
        (_, Closed) => "S3",
        (SynSent | Established, Inactive) => "S0",
        (Established, Established) | (SynSent, SynAckSent) => "S1",
        _ => "OTH",
    }
}

fn udp_state(flow: &Flow) -> &'static str {
    match (flow.up.packets > 0, flow.down.packets > 0) {
        (true, true) => "SF",
        (true, false) => "S0",
        (false, true) => "SHR",
        (false, false) => "OTH",
    }
}
