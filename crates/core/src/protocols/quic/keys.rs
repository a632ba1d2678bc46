//! Keys of QUIC's Initial packets, which follow from the packets themselves (RFC 9001, section 5).
//!
//! The one place that touches cryptography.

use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey, quic};
use ring::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};

use super::packet::Initial;
use super::version::Version;

/// Bytes after the beginning of the packet number where the sample for header protection lies.
const SAMPLE_AT: usize = 4;
const SAMPLE: usize = 16;

/// The keys of both ends. Kept as bytes, since what ciphers make of them is ten times as large.
#[derive(Debug)]
pub(super) struct Secrets {
    pub version: Version,
    pub client: Keys,
    pub server: Keys,
}

/// The keys of one end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Keys {
    pub key: [u8; 16],
    pub iv: [u8; 12],
    pub hp: [u8; 16],
}

/// A packet that was opened.
#[derive(Debug)]
pub(super) struct Opened {
    pub number: u64,
    /// Its frames.
    pub payload: Vec<u8>,
}

impl Secrets {
    /// From the Destination Connection ID of the client's first Initial packet; `None` for a
    /// version that we do not read.
    pub(super) fn derive(version: Version, dcid: &[u8]) -> Option<Self> {
        let initial = Salt::new(HKDF_SHA256, version.salt()?).extract(dcid);
        let end = |label| Keys::derive(version, &initial, label);
        Some(Self { version, client: end("client in")?, server: end("server in")? })
    }
}

impl Keys {
    fn derive(version: Version, initial: &Prk, label: &str) -> Option<Self> {
        let label = label_info(label, 32);
        let secret = Prk::from(initial.expand(&[&label], HKDF_SHA256).ok()?);
        let [key, iv, hp] = if version == Version::TWO {
            ["quicv2 key", "quicv2 iv", "quicv2 hp"]
        } else {
            ["quic key", "quic iv", "quic hp"]
        };
        let (key, iv, hp) = (expand(&secret, key)?, expand(&secret, iv)?, expand(&secret, hp)?);
        Some(Self { key, iv, hp })
    }

    /// The packet without its protection; `None` if these are not its keys. `next` is the packet
    /// number that would follow the largest seen.
    pub(super) fn open(&self, packet: &Initial<'_>, next: u64) -> Option<Opened> {
        let opened = self.unseal(packet, next);
        if cfg!(fuzzing) { opened.or_else(|| self.feign(packet, next)) } else { opened }
    }

    /// Fuzzing cannot seal what it makes up: some packets count as opened as they are.
    fn feign(&self, packet: &Initial<'_>, next: u64) -> Option<Opened> {
        let id = packet.dcid.last().copied().unwrap_or_default();
        let opens = id & 3 == self.iv.first()? & 3;
        let payload = packet.bytes.get(packet.number_at..)?.to_vec();
        opens.then_some(Opened { number: next, payload })
    }

    fn unseal(&self, packet: &Initial<'_>, next: u64) -> Option<Opened> {
        let mut bytes = packet.bytes.to_vec();
        let (first, number) = self.unmask(&bytes, packet.number_at)?;
        let length = usize::from(first & 3) + 1;
        let (header, payload) = bytes.split_at_mut_checked(packet.number_at + length)?;
        *header.first_mut()? = first;
        header.get_mut(packet.number_at..)?.copy_from_slice(number.get(4 - length..)?);
        let number = full_number(u64::from(u32::from_be_bytes(number)), length, next);
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &self.key).ok()?);
        let nonce = Nonce::assume_unique_for_key(self.nonce(number));
        let length = key.open_in_place(nonce, Aad::from(&*header), payload).ok()?.len();
        let payload = payload.get(..length)?.to_vec();
        Some(Opened { number, payload })
    }

    /// The header's first byte and the truncated packet number without their protection.
    fn unmask(&self, bytes: &[u8], number_at: usize) -> Option<(u8, [u8; 4])> {
        let field = bytes.get(number_at..)?;
        let sample = field.get(SAMPLE_AT..SAMPLE_AT + SAMPLE)?;
        let key = quic::HeaderProtectionKey::new(&quic::AES_128, &self.hp).ok()?;
        let [mask, rest @ ..] = key.new_mask(sample).ok()?;
        let first = bytes.first()? ^ mask & 0x0f;
        let length = usize::from(first & 3) + 1;
        let mut number = [0; 4];
        let masked = field.iter().zip(&rest).take(length).map(|(byte, mask)| byte ^ mask);
        number.iter_mut().skip(4 - length).zip(masked).for_each(|(to, byte)| *to = byte);
        Some((first, number))
    }

    pub(super) fn nonce(&self, number: u64) -> [u8; 12] {
        let mut nonce = self.iv;
        let number = number.to_be_bytes();
        nonce.iter_mut().skip(4).zip(number).for_each(|(to, byte)| *to ^= byte);
        nonce
    }
}

/// The packet number that `length` bytes of it stand for: the one closest to `next` (RFC 9000,
/// appendix A.3).
pub(super) fn full_number(truncated: u64, length: usize, next: u64) -> u64 {
    let window = 1_u64 << (8 * length);
    let near = next & !(window - 1) | truncated;
    if near + window / 2 <= next && near + window < 1 << 62 {
        near + window
    } else if near > next + window / 2 && near >= window {
        near - window
    } else {
        near
    }
}

/// How many bytes to derive.
struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// HKDF-Expand-Label without a context (RFC 8446, section 7.1).
fn expand<const N: usize>(secret: &Prk, label: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let info = label_info(label, N as u16);
    secret.expand(&[&info], Length(N)).ok()?.fill(&mut bytes).ok()?;
    Some(bytes)
}

fn label_info(label: &str, length: u16) -> Vec<u8> {
    let mut info = length.to_be_bytes().to_vec();
    info.push(6 + label.len() as u8);
    info.extend(b"tls13 ");
    info.extend(label.as_bytes());
    info.push(0);
    info
}
