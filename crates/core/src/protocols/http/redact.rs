//! What rows may say of a request: secrets left out, and names and paths found in targets.

use std::borrow::Cow;
use std::net::IpAddr;

use memchr::{memchr, memchr2, memmem, memrchr};

use crate::protocols::Settings;

const REDACTED: &[u8] = b"[redacted]";

/// A URI, target or host without the password in it, and without its query and fragment if that is
/// wished: a Location carries tokens in either.
pub(super) fn uri<'a>(uri: &'a [u8], settings: &Settings) -> Cow<'a, [u8]> {
    let mut uri = Cow::Borrowed(uri);
    if settings.redact_query
        && let Some(query) = memchr2(b'?', b'#', &uri).filter(|query| query + 1 < uri.len())
    {
        uri = Cow::Owned([uri.get(..=query).unwrap_or_default(), REDACTED].concat());
    }
    if !settings.keep_credentials
        && let Some((from, to)) = secret(&uri)
    {
        let (before, after) = (uri.get(..from), uri.get(to..));
        uri =
            Cow::Owned([before.unwrap_or_default(), REDACTED, after.unwrap_or_default()].concat());
    }
    uri
}

/// Credentials: only their scheme, such as Basic.
pub(super) fn authorization<'a>(value: &'a [u8], settings: &Settings) -> Cow<'a, [u8]> {
    if settings.keep_credentials {
        return Cow::Borrowed(value);
    }
    // What is no token is no scheme (RFC 9110, section 11.4).
    let token =
        |scheme: &&[u8]| scheme.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
    memchr2(b' ', b'\t', value)
        .and_then(|end| value.get(..end))
        .filter(token)
        .map_or(Cow::Borrowed(REDACTED), |scheme| Cow::Owned([scheme, b" ", REDACTED].concat()))
}

/// A cookie, or that there was one.
pub(super) fn cookie<'a>(value: &'a [u8], settings: &Settings) -> &'a [u8] {
    if settings.keep_credentials { value } else { REDACTED }
}

/// Where the authority of an absolute URI lies.
fn authority_range(uri: &[u8]) -> Option<(usize, usize)> {
    if matches!(uri.first(), None | Some(b'/' | b'*')) {
        return None;
    }
    let from = memmem::find(uri, b"://")? + 3;
    let rest = uri.get(from..)?;
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#'));
    Some((from, from + end.unwrap_or(rest.len())))
}

/// Where the password before a host lies; all that stands there if it is one word, as tokens do.
fn secret(uri: &[u8]) -> Option<(usize, usize)> {
    let (from, to) = authority_range(uri).or_else(|| bare_authority(uri))?;
    let at = memrchr(b'@', uri.get(from..to)?)?;
    let colon = memchr(b':', uri.get(from..from + at)?);
    Some((colon.map_or(from, |colon| from + colon + 1), from + at))
}

/// Where the authority lies in `//host/path` (RFC 3986, section 4.2), and where it stands alone as
/// CONNECT and Host have it.
fn bare_authority(uri: &[u8]) -> Option<(usize, usize)> {
    let from = if uri.starts_with(b"//") { 2 } else { 0 };
    if from == 0 && matches!(uri.first(), Some(b'/' | b'*')) {
        return None;
    }
    let rest = uri.get(from..)?;
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#'));
    Some((from, from + end.unwrap_or(rest.len())))
}

/// Host and port that a target names itself: an absolute URI's, or CONNECT's.
pub(super) fn authority<'a>(method: &[u8], target: &'a [u8]) -> Option<&'a [u8]> {
    let whole = if method == b"CONNECT" {
        target
    } else {
        let (from, to) = authority_range(target)?;
        target.get(from..to)?
    };
    let host = memrchr(b'@', whole).map_or(Some(whole), |at| whole.get(at + 1..))?;
    Some(host).filter(|host| !host.is_empty())
}

/// The first element of a target's path; none of a target without path.
pub(super) fn section<'a>(method: &[u8], target: &'a [u8]) -> Option<&'a [u8]> {
    if method == b"CONNECT" {
        return None;
    }
    let path = match authority_range(target) {
        Some((_, end)) => target.get(end..)?,
        None if target.first() == Some(&b'/') => target,
        None => return None,
    };
    let Some(rest) = path.strip_prefix(b"/") else {
        return Some(b"/");
    };
    let length = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#'));
    path.get(..=length.unwrap_or(rest.len()))
}

/// The name in a host with perhaps a port; none if it is an address.
pub(super) fn name(host: &[u8]) -> Option<&[u8]> {
    let host = memrchr(b'@', host).map_or(Some(host), |at| host.get(at + 1..))?;
    let port = memrchr(b':', host).and_then(|colon| host.split_at_checked(colon));
    let name = match port {
        Some((name, port)) if port.iter().skip(1).all(u8::is_ascii_digit) => name,
        _ => host,
    };
    let inside = name.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]")).unwrap_or(name);
    let is_address = std::str::from_utf8(inside).is_ok_and(|text| text.parse::<IpAddr>().is_ok());
    (!name.is_empty() && !is_address).then_some(name)
}
