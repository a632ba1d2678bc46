//! A DNS message, as far as it can be read (RFC 1035, section 4; EDNS: RFC 6891).

use super::name::Reader;
use super::types;
use crate::protocols::Violation;

/// Questions of a message that are read. Two are rare; mDNS has dozens.
const MOST_QUESTIONS: u16 = 64;

/// Bytes of a header.
pub(super) const HEADER: usize = 12;

/// The first twelve bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    /// The identifier.
    pub(super) id: u16,
    /// The second word.
    flags: u16,
    /// How many questions, answers, authorities and others it announces.
    pub(super) counts: [u16; 4],
}

/// A question.
#[derive(Clone, Debug, Default)]
pub(super) struct Question {
    /// The name as text.
    pub(super) name: Vec<u8>,
    /// The type.
    pub(super) qtype: u16,
    /// The class.
    pub(super) class: u16,
}

/// A resource record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    /// Where its name begins.
    pub(super) name: usize,
    /// Its type.
    pub(super) rtype: u16,
    /// Its class.
    pub(super) class: u16,
    /// Its time to live in seconds.
    pub(super) ttl: u32,
    /// Where its data begins and ends.
    pub(super) data: (usize, usize),
}

/// What EDNS says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edns {
    /// Bytes of a UDP payload that the sender takes.
    pub(super) size: u16,
    /// The upper eight bits of the response code.
    extended_rcode: u8,
    /// Whether DNSSEC records are wanted.
    pub(super) dnssec_ok: bool,
}

/// A message.
pub(super) struct Message<'a> {
    /// All of it.
    pub(super) bytes: &'a [u8],
    /// Its header.
    pub(super) header: Header,
    /// Its questions.
    pub(super) questions: Vec<Question>,
    /// Its answer section.
    pub(super) answers: Vec<Record>,
    /// Addresses in its additional section.
    pub(super) addresses: Vec<Record>,
    /// What EDNS says, if it is used.
    pub(super) edns: Option<Edns>,
    /// Whether all questions were read.
    pub(super) asked_whole: bool,
    /// Why it was not read to its end.
    pub(super) fault: Option<Violation>,
    /// Bytes after its end.
    pub(super) left: usize,
}

impl Header {
    /// Reads one.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Violation> {
        let (id, flags) = (reader.u16()?, reader.u16()?);
        let counts = [reader.u16()?, reader.u16()?, reader.u16()?, reader.u16()?];
        Ok(Self { id, flags, counts })
    }

    /// Whether it is a reply (QR).
    pub(super) fn is_reply(self) -> bool {
        self.flags & 0x8000 != 0
    }

    /// The operation.
    pub(super) fn opcode(self) -> u8 {
        (self.flags >> 11 & 15) as u8
    }

    /// Whether an authority speaks (AA).
    pub(super) fn authoritative(self) -> bool {
        self.flags & 0x400 != 0
    }

    /// Whether the message was cut to fit (TC).
    pub(super) fn truncated(self) -> bool {
        self.flags & 0x200 != 0
    }

    /// Whether recursion is desired (RD).
    pub(super) fn recursion_desired(self) -> bool {
        self.flags & 0x100 != 0
    }

    /// Whether recursion is available (RA).
    pub(super) fn recursion_available(self) -> bool {
        self.flags & 0x80 != 0
    }

    /// The bit that nobody may set (Z).
    pub(super) fn reserved(self) -> bool {
        self.flags & 0x40 != 0
    }

    /// The lower four bits of the response code.
    pub(super) fn rcode(self) -> u16 {
        self.flags & 15
    }
}

impl Question {
    /// Reads one.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Violation> {
        let mut name = Vec::with_capacity(32);
        reader.name(&mut name)?;
        Ok(Self { name, qtype: reader.u16()?, class: reader.u16()? })
    }
}

impl Record {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Violation> {
        let name = reader.at();
        reader.skip_name()?;
        let (rtype, class, ttl) = (reader.u16()?, reader.u16()?, reader.u32()?);
        let length = reader.u16()?;
        let begin = reader.at();
        reader.take(usize::from(length))?;
        Ok(Self { name, rtype, class, ttl, data: (begin, reader.at()) })
    }

    /// What EDNS says, in the one record that is none (RFC 6891, section 6.1).
    fn edns(&self) -> Edns {
        let [extended_rcode, _, flags, _] = self.ttl.to_be_bytes();
        Edns { size: self.class, extended_rcode, dnssec_ok: flags & 0x80 != 0 }
    }
}

impl<'a> Message<'a> {
    /// Reads as much as there is; fails if that is not even a header.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Violation> {
        let mut reader = Reader::new(bytes);
        let header = Header::read(&mut reader)?;
        let mut message = Self {
            bytes,
            header,
            questions: Vec::new(),
            answers: Vec::new(),
            addresses: Vec::new(),
            edns: None,
            asked_whole: false,
            fault: None,
            left: 0,
        };
        message.fault = message.sections(&mut reader).err();
        message.left = reader.rest().len();
        Ok(message)
    }

    /// The response code, its upper bits included.
    pub(super) fn rcode(&self) -> u16 {
        let upper = self.edns.map_or(0, |edns| u16::from(edns.extended_rcode));
        upper << 4 | self.header.rcode()
    }

    fn sections(&mut self, reader: &mut Reader<'_>) -> Result<(), Violation> {
        let [questions, answers, authorities, others] = self.header.counts;
        for _ in 0..questions.min(MOST_QUESTIONS) {
            self.questions.push(Question::read(reader)?);
        }
        self.asked_whole = true;
        if questions > MOST_QUESTIONS {
            return Err(Violation("dns message with too many questions"));
        }
        for _ in 0..answers {
            self.answers.push(Record::read(reader)?);
        }
        for _ in 0..authorities {
            Record::read(reader)?;
        }
        for _ in 0..others {
            let record = Record::read(reader)?;
            match record.rtype {
                types::OPT => self.edns = Some(record.edns()),
                types::A | types::AAAA => self.addresses.push(record),
                _ => {}
            }
        }
        Ok(())
    }
}
