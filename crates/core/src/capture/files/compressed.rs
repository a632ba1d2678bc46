//! A stream of bytes, plain, gzip or zstd: told apart by how it begins, not by its name.

use std::io::{self, BufReader, Chain, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;
use zstd::stream::read::Decoder as ZstdDecoder;

/// Compressed bytes read at a time.
const PIECE: usize = 256 << 10;

/// Bytes unpacked at a time: a decoder that meets damage keeps back what it unpacked in the
/// same call, so that at most this much is lost before the damage.
const UNPACKED: usize = 4 << 10;

/// Bytes that tell the kinds apart.
const MAGIC: usize = 4;

/// What the bytes come from before anything is unpacked.
pub(super) type Raw = Box<dyn Read + Send>;

/// Reads and unpacks. Holds at most a decoder's state: 64 KiB for gzip; for zstd the
/// window its frame asks for, up to 128 MiB (frames that ask for more are refused).
pub(super) struct Input {
    stage: Stage,
    /// What ended the unpacking, to be told once what came before it is used.
    failed: Option<io::Error>,
}

enum Stage {
    Sniffing { source: Option<Counted>, prefix: Vec<u8> },
    Plain(Prefixed),
    Gzip(Box<MultiGzDecoder<BufReader<Prefixed>>>),
    Zstd(ZstdDecoder<'static, BufReader<Prefixed>>),
}

type Prefixed = Chain<Cursor<Vec<u8>>, Counted>;

/// Counts what is read, as it lies on disk.
struct Counted {
    raw: Raw,
    count: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.raw.read(buffer)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl Input {
    /// Reads nothing yet; `count` grows by each byte read later.
    pub(super) fn new(raw: Raw, count: Arc<AtomicU64>) -> Self {
        let source = Some(Counted { raw, count });
        Self { stage: Stage::Sniffing { source, prefix: Vec::new() }, failed: None }
    }

    /// How the bytes are packed, if they are.
    pub(super) fn compression(&self) -> Option<&'static str> {
        match self.stage {
            Stage::Gzip(_) => Some("gzip"),
            Stage::Zstd(_) => Some("zstd"),
            Stage::Sniffing { .. } | Stage::Plain(_) => None,
        }
    }

    /// Reads until it is clear what this is. An interruption loses nothing.
    fn sniff(&mut self) -> io::Result<()> {
        let Stage::Sniffing { source, prefix } = &mut self.stage else {
            return Ok(());
        };
        while let Some(counted) = source
            && prefix.len() < MAGIC
        {
            let mut bytes = [0; MAGIC];
            let space = bytes.get_mut(prefix.len()..).unwrap_or_default();
            let read = counted.read(space)?;
            prefix.extend_from_slice(space.get(..read).unwrap_or_default());
            if read == 0 {
                break;
            }
        }
        if let Some(counted) = source.take() {
            self.stage = Stage::of(std::mem::take(prefix), counted)?;
        }
        Ok(())
    }
}

impl Stage {
    fn of(prefix: Vec<u8>, source: Counted) -> io::Result<Self> {
        let magic = prefix.first_chunk::<MAGIC>().copied();
        let stream = Cursor::new(prefix).chain(source);
        Ok(match magic {
            Some([0x1f, 0x8b, ..]) => {
                let packed = BufReader::with_capacity(PIECE, stream);
                Self::Gzip(Box::new(MultiGzDecoder::new(packed)))
            }
            // A frame, or one of the sixteen kinds of frames to skip (RFC 8878).
            Some([0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18]) => {
                let packed = BufReader::with_capacity(PIECE, stream);
                Self::Zstd(ZstdDecoder::with_buffer(packed)?)
            }
            _ => Self::Plain(stream),
        })
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.sniff()?;
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let (count, failed) = match &mut self.stage {
            Stage::Sniffing { .. } => (0, None),
            Stage::Plain(stream) => return stream.read(buffer),
            Stage::Gzip(stream) => unpack(stream.as_mut(), buffer),
            Stage::Zstd(stream) => unpack(stream, buffer),
        };
        match failed {
            Some(error) if count == 0 => return Err(error),
            // An interruption comes again if it matters.
            Some(error) if error.kind() == io::ErrorKind::Interrupted => {}
            failed => self.failed = failed,
        }
        Ok(count)
    }
}

/// Unpacks into `buffer` until it is full, the stream ends or something is wrong.
fn unpack(stream: &mut impl Read, buffer: &mut [u8]) -> (usize, Option<io::Error>) {
    let mut count = 0;
    for piece in buffer.chunks_mut(UNPACKED) {
        match stream.read(piece) {
            Ok(read) => {
                count += read;
                if read < piece.len() {
                    break;
                }
            }
            Err(error) => return (count, Some(error)),
        }
    }
    (count, None)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::Write;

    fn unpack(bytes: Vec<u8>) -> (Vec<u8>, Option<&'static str>, u64) {
        let count = Arc::new(AtomicU64::new(0));
        let mut input = Input::new(Box::new(Cursor::new(bytes)), Arc::clone(&count));
        let mut out = Vec::new();
        input.read_to_end(&mut out).unwrap();
        (out, input.compression(), count.load(Ordering::Relaxed))
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(text).unwrap();
        packer.finish().unwrap()
    }

    #[test]
    fn plain_bytes_pass_however_few() {
        assert_eq!(unpack(b"a".to_vec()), (b"a".to_vec(), None, 1));
        assert_eq!(unpack(Vec::new()), (Vec::new(), None, 0));
    }

    #[test]
    fn gzip_members_follow_each_other() {
        let packed = [gzip(b"one "), gzip(b"two")].concat();
        let size = packed.len() as u64;
        assert_eq!(unpack(packed), (b"one two".to_vec(), Some("gzip"), size));
    }

    #[test]
    fn what_comes_before_damage_is_unpacked() {
        let noise = |n: u32| n.wrapping_mul(0x9e37_79b9) >> 22;
        let text: Vec<u8> = (0..200_000).flat_map(|n| noise(n).to_string().into_bytes()).collect();
        for mut packed in [gzip(&text), zstd::encode_all(&text[..], 1).unwrap()] {
            let intact = packed.len() * 9 / 10;
            packed.truncate(intact);
            packed.extend([0xff; 1000]);
            let mut input = Input::new(Box::new(Cursor::new(packed)), Arc::default());
            let mut out = Vec::new();
            assert!(input.read_to_end(&mut out).is_err());
            assert!(out.starts_with(text.get(..text.len() / 2).unwrap()));
        }
    }

    #[test]
    fn zstd_frames_follow_each_other() {
        let skip = [0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 9].to_vec();
        let packed = [
            skip,
            zstd::encode_all(&b"one "[..], 1).unwrap(),
            zstd::encode_all(&b"two"[..], 1).unwrap(),
        ];
        assert_eq!(unpack(packed.concat()).0, b"one two");
    }
}
