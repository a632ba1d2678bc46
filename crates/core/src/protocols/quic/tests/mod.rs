//! QUIC without packets: clients and servers that say what a test wants.

mod connection;
mod parts;
mod vectors;

use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey, quic};

use super::keys::{Keys, Secrets};
use super::version::Version;

/// The connection ID of the examples in RFC 9001, appendix A, and RFC 9369, appendix A.
const DCID: [u8; 8] = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];
/// That of the server.
const SCID: [u8; 8] = [0xf0, 0x67, 0xa5, 0x50, 0x2a, 0x42, 0x62, 0xb5];

/// The `ClientHello` of RFC 9001, appendix A.2, as a message; it asks for example.com.
const CLIENT_HELLO: &str = "\
    010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c000004130113\
    02010000c000000010000e00000b6578616d706c652e636f6dff01000100000a00080006001d001700180010\
    0007000504616c706e000500050100000000003300260024001d00209370b2c9caa47fbabaf4559fedba753d\
    e171fa71f50f1ce15d43e994ec74d748002b0003020304000d0010000e0403050306030203080408050806002d\
    00020101001c00024001003900320408ffffffffffffffff05048000ffff07048000ffff08011001048000753\
    00901100f088394c8f03e51570806048000ffff";

/// The `ServerHello` of appendix A.3.
const SERVER_HELLO: &str = "\
    020000560303eefce7f7b37ba1d1632e96677825ddf73988cfc79825df566dc5430b9a045a12001301000\
    02e00330024001d00209d3c940d89690b84d08a60993c144eca684d1081287c834d5311bcf32bb9da1a002b\
    00020304";

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}

/// One end's Initial packets.
#[derive(Clone)]
struct End {
    version: Version,
    /// What the keys follow from.
    origin: Vec<u8>,
    server: bool,
    dcid: Vec<u8>,
    scid: Vec<u8>,
    token: Vec<u8>,
    number: u32,
}

impl End {
    fn client(version: Version, dcid: &[u8]) -> Self {
        let (origin, dcid) = (dcid.to_vec(), dcid.to_vec());
        Self { version, origin, server: false, dcid, scid: vec![], token: vec![], number: 0 }
    }

    /// The server that answers a client.
    fn server(client: &Self) -> Self {
        let (dcid, scid) = (client.scid.clone(), SCID.to_vec());
        Self { server: true, dcid, scid, token: vec![], number: 0, ..client.clone() }
    }

    fn keys(&self) -> Keys {
        let secrets = Secrets::derive(self.version, &self.origin).unwrap();
        if self.server { secrets.server } else { secrets.client }
    }

    /// A long header up to the source connection ID. `kind` is that of version 1.
    fn long(&self, kind: u8, low: u8) -> Vec<u8> {
        let kind = if self.version == Version::TWO { (kind + 1) & 3 } else { kind };
        let mut header = vec![0xc0 | kind << 4 | low];
        header.extend(self.version.0.to_be_bytes());
        for id in [&self.dcid, &self.scid] {
            header.push(id.len() as u8);
            header.extend(id);
        }
        header
    }

    /// An Initial packet of these frames, with a packet number of so many bytes.
    fn packet(&mut self, frames: &[u8], length: usize) -> Vec<u8> {
        let mut header = self.long(0, length as u8 - 1);
        header.extend(two_bytes(self.token.len()));
        header.extend(&self.token);
        header.extend(two_bytes(length + frames.len() + 16));
        let at = header.len();
        header.extend(&self.number.to_be_bytes()[4 - length..]);
        let sealed = seal(&self.keys(), header, at, u64::from(self.number), frames);
        self.number += 1;
        sealed
    }

    /// A datagram with one Initial packet, padded as it must be.
    fn initial(&mut self, frames: &[u8]) -> Vec<u8> {
        let overhead = self.packet(&[], 4).len();
        self.number -= 1;
        let mut frames = frames.to_vec();
        frames.resize(frames.len().max(1200 - overhead), 0);
        self.packet(&frames, 4)
    }

    /// A Handshake packet or one of 0-RTT, whose inside nobody can read.
    fn shut(&self, kind: u8) -> Vec<u8> {
        let mut packet = self.long(kind, 0);
        packet.extend(two_bytes(40));
        packet.extend([0x5a; 40]);
        packet
    }

    /// A client's first datagram, with a whole `ClientHello`.
    fn hello(&mut self) -> Vec<u8> {
        self.initial(&crypto(0, &hex(CLIENT_HELLO)))
    }

    /// A server's first datagram.
    fn reply(&mut self) -> Vec<u8> {
        let mut frames = hex("0200000000");
        frames.extend(crypto(0, &hex(SERVER_HELLO)));
        [self.packet(&frames, 2), self.shut(2)].concat()
    }
}

/// A CRYPTO frame.
fn crypto(offset: usize, data: &[u8]) -> Vec<u8> {
    [&[6][..], &two_bytes(offset), &two_bytes(data.len()), data].concat()
}

fn two_bytes(number: usize) -> [u8; 2] {
    (0x4000 | number as u16).to_be_bytes()
}

/// A packet with a short header.
fn one_rtt() -> Vec<u8> {
    vec![0x4b; 40]
}

fn seal(keys: &Keys, mut header: Vec<u8>, at: usize, number: u64, frames: &[u8]) -> Vec<u8> {
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &keys.key).unwrap());
    let nonce = Nonce::assume_unique_for_key(keys.nonce(number));
    let mut payload = frames.to_vec();
    key.seal_in_place_append_tag(nonce, Aad::from(&header), &mut payload).unwrap();
    let length = header.len() - at;
    let hp = quic::HeaderProtectionKey::new(&quic::AES_128, &keys.hp).unwrap();
    let field: Vec<u8> = [&header[at..], &payload].concat();
    let Some(sample) = field.get(4..20) else { return [header, payload].concat() };
    let mask = hp.new_mask(sample).unwrap();
    header[0] ^= mask[0] & 0x0f;
    header[at..].iter_mut().zip(&mask[1..=length]).for_each(|(byte, mask)| *byte ^= mask);
    [header, payload].concat()
}
