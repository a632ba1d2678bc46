//! First lines of requests and replies (RFC 9112, sections 3 and 4), and telling them from others.

use memchr::{memchr, memmem, memrchr};

use crate::protocols::{First, Guess};

/// Methods that a connection is recognised by; once it is, any token will do: IANA's, those of
/// `UPnP`, caches and DCOM.
const METHODS: &[&[u8]] = &[
    b"ACL",
    b"BASELINE-CONTROL",
    b"BIND",
    b"CHECKIN",
    b"CHECKOUT",
    b"CONNECT",
    b"COPY",
    b"DELETE",
    b"GET",
    b"HEAD",
    b"LABEL",
    b"LINK",
    b"LOCK",
    b"M-SEARCH",
    b"MERGE",
    b"MKACTIVITY",
    b"MKCALENDAR",
    b"MKCOL",
    b"MKREDIRECTREF",
    b"MKWORKSPACE",
    b"MOVE",
    b"NOTIFY",
    b"OPTIONS",
    b"ORDERPATCH",
    b"PATCH",
    b"POST",
    b"PROPFIND",
    b"PROPPATCH",
    b"PURGE",
    b"PUT",
    b"QUERY",
    b"REBIND",
    b"REPORT",
    b"RPC_IN_DATA",
    b"RPC_OUT_DATA",
    b"SEARCH",
    b"SUBSCRIBE",
    b"TRACE",
    b"UNBIND",
    b"UNCHECKOUT",
    b"UNLINK",
    b"UNLOCK",
    b"UNSUBSCRIBE",
    b"UPDATE",
    b"UPDATEREDIRECTREF",
    b"VERSION-CONTROL",
];

/// Bytes of empty lines before the first message.
const MAX_BLANK: usize = 4;

/// The longest method that is taken for one.
const LONGEST_METHOD: usize = 64;

/// What every reply begins with, and what ends every request's first line but for a digit.
pub(super) const HTTP: &[u8] = b"HTTP/1.";

/// The first line of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start<'a> {
    Request { method: &'a [u8], target: &'a [u8], minor: u8 },
    Reply { minor: u8, status: u16, reason: &'a [u8] },
}

/// The first line of a request, or of a reply; `None` if it is none.
pub(super) fn start(line: &[u8], from_client: bool) -> Option<Start<'_>> {
    if from_client { request(line) } else { reply(line) }
}

/// Whether the beginning of a line may become the first line of a request, or of a reply.
pub(super) fn may_start(beginning: &[u8], from_client: bool) -> bool {
    if from_client {
        let method = memchr(b' ', beginning).and_then(|end| beginning.get(..end));
        is_method(method.unwrap_or(beginning))
    } else {
        beginning.starts_with(HTTP) || HTTP.starts_with(beginning)
    }
}

fn request(line: &[u8]) -> Option<Start<'_>> {
    let line = line.trim_ascii_end();
    let method_end = memchr(b' ', line)?;
    let target_end = memrchr(b' ', line).filter(|end| *end > method_end)?;
    let method = line.get(..method_end).filter(|method| is_method(method))?;
    let target = line.get(method_end + 1..target_end)?.trim_ascii();
    let minor = minor(line.get(target_end + 1..)?)?;
    Some(Start::Request { method, target, minor })
}

fn reply(line: &[u8]) -> Option<Start<'_>> {
    let (version, rest) = line.split_at_checked(HTTP.len() + 1)?;
    let minor = minor(version)?;
    let rest = rest.strip_prefix(b" ")?.trim_ascii_start();
    let (&[a, b, c], reason) = rest.split_first_chunk()?;
    if !matches!(reason.first(), None | Some(b' ' | b'\t')) {
        return None;
    }
    let digit = |byte: u8| byte.is_ascii_digit().then(|| u16::from(byte - b'0'));
    let status = digit(a)? * 100 + digit(b)? * 10 + digit(c)?;
    (status >= 100).then_some(Start::Reply { minor, status, reason: reason.trim_ascii() })
}

/// The digit behind `HTTP/1.`.
fn minor(version: &[u8]) -> Option<u8> {
    match version.strip_prefix(HTTP)? {
        [digit @ b'0'..=b'9'] => Some(digit - b'0'),
        _ => None,
    }
}

fn is_method(method: &[u8]) -> bool {
    !method.is_empty()
        && method.len() <= LONGEST_METHOD
        && method.iter().all(|byte| is_token(*byte))
}

/// RFC 9110, section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Whether a direction's first bytes are a request's.
pub(super) fn probe_request(first: &First<'_>) -> Guess {
    let data = without_blank_lines(first.data);
    let Some(end) = memchr(b' ', data.get(..data.len().min(LONGEST_METHOD)).unwrap_or_default())
    else {
        let may_be = METHODS.iter().any(|method| method.starts_with(data));
        return if may_be { Guess::Maybe } else { Guess::No };
    };
    let (method, rest) = data.split_at_checked(end).unwrap_or_default();
    if !METHODS.contains(&method) {
        return Guess::No;
    }
    target_guess(method, rest.strip_prefix(b" ").unwrap_or_default())
}

/// Whether this is the beginning of what a method of HTTP is put to: SIP and RTSP have requests
/// that begin alike.
fn target_guess(method: &[u8], target: &[u8]) -> Guess {
    let begins = |magic: &[u8]| {
        let same = magic.iter().zip(target).all(|(a, b)| a.eq_ignore_ascii_case(b));
        match (same, target.len() >= magic.len()) {
            (true, true) => Guess::Yes,
            (true, false) => Guess::Maybe,
            _ => Guess::No,
        }
    };
    match target.first() {
        None => Guess::Maybe,
        Some(b'/') => Guess::Yes,
        Some(byte) if method == b"CONNECT" && (byte.is_ascii_alphanumeric() || *byte == b'[') => {
            Guess::Yes
        }
        Some(_) => {
            let forms: [&[u8]; 5] = [b"* HTTP/1.", b"http://", b"https://", b"ftp://", b"ws://"];
            forms.into_iter().map(begins).fold(Guess::No, Guess::or)
        }
    }
}

/// Whether a direction's first bytes are a reply's.
pub(super) fn probe_reply(first: &First<'_>) -> Guess {
    Guess::begins(without_blank_lines(first.data), HTTP)
}

/// Some send an empty line or two too much before a message (RFC 9112, section 2.2).
fn without_blank_lines(data: &[u8]) -> &[u8] {
    let blank =
        data.iter().take(MAX_BLANK).take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    data.get(blank..).unwrap_or_default()
}

/// Where in a line the first line of a message begins, with bytes of something else before it.
pub(super) fn find_start(line: &[u8], from_client: bool) -> Option<usize> {
    if !from_client {
        let mut found = memmem::find_iter(line, HTTP);
        return found.find(|at| line.get(*at..).and_then(reply).is_some());
    }
    let trimmed = line.trim_ascii_end();
    let target_end = memrchr(b' ', trimmed)?;
    minor(trimmed.get(target_end + 1..)?)?;
    let before = trimmed.get(..target_end)?;
    let method_end = memrchr(b' ', before)?;
    let target = before.get(method_end + 1..).filter(|target| !target.is_empty())?;
    let before = before.get(..method_end)?;
    let methods = METHODS.iter().filter(|method| before.ends_with(method));
    let method = methods.max_by_key(|method| method.len())?;
    let plausible = target_guess(method, target) == Guess::Yes || target == b"*";
    plausible.then_some(method_end - method.len())
}
