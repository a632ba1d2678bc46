//! What signatures must look at in more than one place: lengths that must agree, fields that repeat.

use super::Guess;

/// The bytes not looked at yet. Reading beyond their end is a Maybe, finding something else a No.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

type Sure<T = ()> = Result<T, Guess>;

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Sure<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Guess::Maybe)?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Sure<u8> {
        let (byte, rest) = self.0.split_first().ok_or(Guess::Maybe)?;
        self.0 = rest;
        Ok(*byte)
    }

    /// A number of so many bytes, the highest first.
    fn number(&mut self, bytes: usize) -> Sure<usize> {
        Ok(self.take(bytes)?.iter().fold(0, |value, byte| value << 8 | usize::from(*byte)))
    }

    /// A number of so many bytes, the lowest first.
    fn little(&mut self, bytes: usize) -> Sure<usize> {
        let bytes = self.take(bytes)?.iter().rev();
        Ok(bytes.fold(0, |value, byte| value << 8 | usize::from(*byte)))
    }

    fn exactly(&mut self, bytes: &[u8]) -> Sure {
        let there = self.0.get(..bytes.len()).unwrap_or(self.0);
        sure(bytes.starts_with(there))?;
        self.take(bytes.len()).map(|_| ())
    }

    /// What stands before a byte, which is skipped too; at most so much.
    fn until(&mut self, end: u8, longest: usize) -> Sure<&'a [u8]> {
        let within = self.0.get(..=longest).unwrap_or(self.0);
        let Some(at) = within.iter().position(|byte| *byte == end) else {
            return Err(if within.len() > longest { Guess::No } else { Guess::Maybe });
        };
        let before = self.take(at)?;
        self.byte()?;
        Ok(before)
    }

    /// A decimal number before a byte, which is skipped too.
    fn decimal(&mut self, end: u8, longest: usize) -> Sure<usize> {
        let digits = self.until(end, longest)?;
        sure(!digits.is_empty() && digits.iter().all(u8::is_ascii_digit))?;
        Ok(digits.iter().fold(0, |value, digit| value * 10 + usize::from(digit - b'0')))
    }

    /// Tag and length of a BER element.
    fn element(&mut self, tag: u8) -> Sure<usize> {
        sure(self.byte()? == tag)?;
        match self.byte()? {
            short @ ..=0x7f => Ok(usize::from(short)),
            long @ 0x81..=0x84 => self.number(usize::from(long & 0x7f)),
            _ => Err(Guess::No),
        }
    }
}

fn sure(holds: bool) -> Sure {
    if holds { Ok(()) } else { Err(Guess::No) }
}

fn is_printable(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b' '..=b'~'))
}

/// MQTT CONNECT (MQTT 3.1.1, section 3.1): length, name, level, and flags that agree.
pub(super) fn mqtt(reader: &mut Reader<'_>) -> Sure {
    sure(reader.byte()? == 0x10)?;
    let mut length = 0;
    for place in 0..4 {
        let byte = reader.byte()?;
        length |= usize::from(byte & 0x7f) << (7 * place);
        if byte < 0x80 {
            break;
        }
        sure(place < 3)?;
    }
    sure(length >= 12)?;
    // The highest bit of the level says that a bridge connects.
    let level = match reader.number(2)? {
        4 => reader.exactly(b"MQTT").and_then(|()| reader.byte()),
        6 => reader.exactly(b"MQIsdp").and_then(|()| reader.byte()),
        _ => Err(Guess::No),
    }?;
    sure(matches!(level & 0x7f, 3..=5))?;
    let flags = reader.byte()?;
    let (reserved, will, will_flags) = (flags & 1, flags & 4, flags & 0x38);
    sure(reserved == 0 && (will != 0 || will_flags == 0) && will_flags & 0x18 != 0x18)
}

/// A Redis command as its clients send it: an array of strings, the first of which is a word.
pub(super) fn redis(reader: &mut Reader<'_>) -> Sure {
    reader.exactly(b"*")?;
    sure(reader.decimal(b'\r', 7)? > 0)?;
    reader.exactly(b"\n$")?;
    let length = reader.decimal(b'\r', 2)?;
    reader.exactly(b"\n")?;
    sure((2..=32).contains(&length))?;
    let word = reader.take(length)?;
    sure(word.iter().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'.' | b'_')))?;
    reader.exactly(b"\r\n")
}

/// The handshake packet of a `MySQL` server, protocol 10; or its refusal of a host or of one client
/// too many.
pub(super) fn mysql(reader: &mut Reader<'_>) -> Sure {
    let length = reader.little(3)?;
    sure((20..=600).contains(&length) && reader.byte()? == 0)?;
    match reader.byte()? {
        10 => {
            let version = reader.until(0, 80)?;
            sure(version.first().is_some_and(u8::is_ascii_digit) && is_printable(version))?;
            // Thread and the first half of the challenge, then a filler.
            reader.take(12)?;
            sure(reader.byte()? == 0)
        }
        0xff => {
            sure(matches!(reader.little(2)?, 1040 | 1129 | 1130))?;
            let text = reader.take(4)?;
            sure(matches!(text, b"Host" | b"Too " | b"#080"))
        }
        _ => Err(Guess::No),
    }
}

/// A connection request to Remote Desktop (MS-RDPBCGR 2.2.1.1): TPKT and X.224 whose lengths agree,
/// then a cookie or a negotiation request. Others that use TPKT send neither.
pub(super) fn rdp(reader: &mut Reader<'_>) -> Sure {
    reader.exactly(&[3, 0])?;
    let length = reader.number(2)?;
    let indicator = usize::from(reader.byte()?);
    sure(length == indicator + 5 && length >= 19)?;
    reader.exactly(&[0xe0, 0, 0])?;
    reader.take(2)?;
    reader.exactly(&[0])?;
    match reader.0 {
        [1, ..] => {
            reader.take(2)?;
            reader.exactly(&[8, 0])
        }
        _ => reader.exactly(b"Cookie: msts"),
    }
}

/// A PRELOGIN of Microsoft's SQL server (MS-TDS 2.2.6.5): its first option is the version.
pub(super) fn mssql(reader: &mut Reader<'_>) -> Sure {
    reader.exactly(&[0x12, 1])?;
    let length = reader.number(2)?;
    reader.exactly(&[0, 0])?;
    sure(reader.byte()? <= 1)?;
    reader.exactly(&[0, 0])?;
    let offset = reader.number(2)?;
    reader.exactly(&[0, 6, 1])?;
    sure(offset + 14 <= length && offset % 5 == 1)
}

/// What `MongoDB`'s clients begin with: `OP_MSG`, or `OP_QUERY` of a command.
pub(super) fn mongodb(reader: &mut Reader<'_>) -> Sure {
    let length = reader.little(4)?;
    sure((26..=48 << 20).contains(&length))?;
    reader.take(4)?;
    reader.exactly(&[0; 4])?;
    match reader.little(4)? {
        2013 => {
            sure(reader.little(4)? & !0x1_0003 == 0)?;
            reader.exactly(&[0])?;
            sure((5..length).contains(&reader.little(4)?) && (1..=0x13).contains(&reader.byte()?))
        }
        2004 => {
            reader.take(4)?;
            reader.exactly(b"admin.$cmd\0")
        }
        _ => Err(Guess::No),
    }
}

/// Bind, search or `StartTLS` (RFC 4511) as a client's first message.
pub(super) fn ldap(reader: &mut Reader<'_>) -> Sure {
    sure(reader.element(0x30)? >= 7)?;
    let number = reader.element(2)?;
    sure((1..=4).contains(&number))?;
    reader.take(number)?;
    match reader.0.first() {
        Some(&bind @ 0x60) => {
            reader.element(bind)?;
            reader.exactly(&[2, 1])?;
            sure(matches!(reader.byte()?, 2 | 3))?;
            reader.element(4).map(|_| ())
        }
        Some(&search @ 0x63) => {
            reader.element(search)?;
            let base = reader.element(4)?;
            reader.take(base)?;
            reader.exactly(&[0x0a, 1])?;
            sure(reader.byte()? <= 2)?;
            reader.exactly(&[0x0a, 1])?;
            sure(reader.byte()? <= 3)
        }
        Some(&extended @ 0x77) => {
            reader.element(extended)?;
            reader.exactly(b"\x80\x161.3.6.1.4.1.1466.20037")
        }
        Some(_) => Err(Guess::No),
        None => Err(Guess::Maybe),
    }
}

/// A Kerberos message (RFC 4120, section 5.4): its kind stands in three places.
pub(super) fn kerberos(reader: &mut Reader<'_>) -> Sure {
    let tag = *reader.0.first().ok_or(Guess::Maybe)?;
    sure(matches!(tag, 0x6a..=0x6d | 0x7e))?;
    reader.element(tag)?;
    reader.element(0x30)?;
    let request = matches!(tag, 0x6a | 0x6c);
    let (version, kind) = if request { (0xa1, 0xa2) } else { (0xa0, 0xa1) };
    reader.exactly(&[version, 3, 2, 1, 5, kind, 3, 2, 1, tag & 0x1f])
}

/// Kerberos over TCP: its length first.
pub(super) fn kerberos_stream(reader: &mut Reader<'_>) -> Sure {
    sure((32..1 << 20).contains(&reader.number(4)?))?;
    kerberos(reader)
}

/// SNMP (RFC 1157, RFC 3416, RFC 3412): a sequence as long as the datagram, version, what follows.
pub(super) fn snmp(reader: &mut Reader<'_>) -> Sure {
    sure(reader.element(0x30)? == reader.0.len())?;
    reader.exactly(&[2, 1])?;
    match reader.byte()? {
        0 | 1 => {
            let community = reader.element(4)?;
            reader.take(community)?;
            sure(matches!(reader.byte()?, 0xa0..=0xa8))
        }
        3 => {
            reader.element(0x30)?;
            sure(reader.byte()? == 2)
        }
        _ => Err(Guess::No),
    }
}

/// Two telnet negotiations (RFC 854) one after another.
pub(super) fn telnet(reader: &mut Reader<'_>) -> Sure {
    for _ in 0..2 {
        reader.exactly(&[0xff])?;
        sure((0xfb..=0xfe).contains(&reader.byte()?))?;
        sure(reader.byte()? <= 0x31)?;
    }
    Ok(())
}

/// An IRC client: both NICK and USER, with nothing but CAP and PASS beside them.
pub(super) fn irc(reader: &mut Reader<'_>) -> Sure {
    let (mut nick, mut user) = (false, false);
    loop {
        match reader.until(b' ', 4)? {
            b"NICK" => nick = true,
            b"USER" => user = true,
            b"CAP" | b"PASS" => {}
            _ => return Err(Guess::No),
        }
        if nick && user {
            return Ok(());
        }
        sure(is_printable(reader.until(b'\n', 200)?.trim_ascii_end()))?;
    }
}

/// syslog: priority, then version and year (RFC 5424) or a month (RFC 3164).
pub(super) fn syslog(reader: &mut Reader<'_>) -> Sure {
    const MONTHS: &[u8] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
    reader.exactly(b"<")?;
    sure(reader.decimal(b'>', 3)? <= 191)?;
    let next = reader.take(6)?;
    sure(match next {
        [b'1', b' ', year @ ..] => year.iter().all(u8::is_ascii_digit) || year.starts_with(b"- "),
        [month @ .., b' ', _, _] => MONTHS.chunks(3).any(|name| name == month),
        _ => false,
    })
}

/// RADIUS (RFC 2865): attributes that fill the datagram to its last byte.
pub(super) fn radius(reader: &mut Reader<'_>) -> Sure {
    let whole = reader.0.len();
    sure(matches!(reader.byte()?, 1..=5 | 11 | 40..=45))?;
    reader.byte()?;
    sure(reader.number(2)? == whole && whole > 20)?;
    reader.take(16)?;
    while !reader.0.is_empty() {
        sure(reader.byte()? != 0)?;
        let length = usize::from(reader.byte()?);
        sure(length > 2)?;
        reader.take(length - 2)?;
    }
    Ok(())
}

/// A TFTP request (RFC 1350): a file's name and a mode.
pub(super) fn tftp(reader: &mut Reader<'_>) -> Sure {
    sure(matches!(reader.number(2)?, 1 | 2))?;
    let name = reader.until(0, 255)?;
    sure(!name.is_empty() && is_printable(name))?;
    let mode = reader.until(0, 8)?;
    sure(mode.eq_ignore_ascii_case(b"octet") || mode.eq_ignore_ascii_case(b"netascii"))
}

/// The first message of an IKE exchange (RFC 7296, RFC 2408), maybe behind the marker of NAT
/// traversal (RFC 3948): nothing of the responder's in it yet.
pub(super) fn ike(reader: &mut Reader<'_>) -> Sure {
    if reader.0.starts_with(&[0; 4]) {
        reader.take(4)?;
    }
    let whole = reader.0.len();
    sure(reader.take(8)? != [0; 8])?;
    reader.exactly(&[0; 8])?;
    let payload = reader.byte()?;
    sure(matches!(
        (reader.number(3)?, payload),
        (0x20_22_08, 33..=48) | (0x10_02_00 | 0x10_04_00, 1..=13)
    ))?;
    reader.exactly(&[0; 4])?;
    sure(reader.number(4)? == whole)
}

/// `NetBIOS`: a name in its first-level encoding (RFC 1001, section 14.1).
fn netbios_name(reader: &mut Reader<'_>) -> Sure {
    reader.exactly(&[32])?;
    sure(reader.take(32)?.iter().all(|byte| (b'A'..=b'P').contains(byte)))?;
    reader.exactly(&[0])
}

/// A question to the `NetBIOS` name service (RFC 1002, section 4.2).
pub(super) fn netbios_question(reader: &mut Reader<'_>) -> Sure {
    reader.take(12)?;
    netbios_name(reader)?;
    sure(matches!(reader.number(2)?, 0x20 | 0x21) && reader.number(2)? == 1)
}

/// SMB (any version, also encrypted or compressed) in a `NetBIOS` session, which may be opened first.
pub(super) fn smb(reader: &mut Reader<'_>) -> Sure {
    if reader.0.first() == Some(&0x81) {
        reader.exactly(&[0x81, 0, 0, 68])?;
        netbios_name(reader)?;
        netbios_name(reader)?;
    }
    if reader.0.first() == Some(&0x82) {
        reader.exactly(&[0x82, 0, 0, 0])?;
    }
    reader.exactly(&[0])?;
    sure(reader.number(3)? >= 16)?;
    sure((0xfc..=0xff).contains(&reader.byte()?))?;
    reader.exactly(b"SMB")
}

/// An XMPP stream's opening tag (RFC 6120, section 4.2), maybe behind an XML declaration.
pub(super) fn xmpp(reader: &mut Reader<'_>) -> Sure {
    if reader.0.starts_with(b"<?") {
        reader.until(b'>', 80)?;
        while reader.0.first().is_some_and(u8::is_ascii_whitespace) {
            reader.byte()?;
        }
    }
    reader.exactly(b"<stream:stream ")
}
