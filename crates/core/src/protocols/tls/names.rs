//! Numbers of TLS by name: versions, cipher suites, alerts; and those that mean nothing (GREASE).

use std::borrow::Cow;

use super::ciphers::cipher_name;

/// Whether a number is one of those that clients throw in so that servers stay tolerant (RFC 8701).
pub(super) fn is_grease(number: u16) -> bool {
    number & 0x0f0f == 0x0a0a && number >> 8 == number & 0xff
}

/// Whether a version's handshake is that of TLS 1.3, drafts included (also those that Facebook
/// used, 0xfbNN).
pub(super) fn is_tls13(version: u16) -> bool {
    version == 0x0304 || matches!(version >> 8, 0x7f | 0xfb)
}

/// Where a version stands among the others: drafts of 1.3 before 1.3.
pub(super) fn version_rank(version: u16) -> (u16, u16) {
    if version != 0x0304 && is_tls13(version) { (0x0303, version) } else { (version, 0) }
}

/// A version as people call it, or in hexadecimal.
pub(super) fn version_name(version: u16) -> String {
    let known = match version {
        0x0002 => "SSLv2",
        0x0300 => "SSLv3",
        0x0301 => "TLSv1.0",
        0x0302 => "TLSv1.1",
        0x0303 => "TLSv1.2",
        0x0304 => "TLSv1.3",
        0x7f00..=0x7fff => return format!("TLSv1.3-draft{}", version & 0xff),
        _ => return format!("0x{version:04x}"),
    };
    known.to_owned()
}

/// A cipher suite by its registered name, or in hexadecimal.
pub(super) fn suite_name(suite: u16) -> Cow<'static, str> {
    cipher_name(suite).map_or_else(|| format!("0x{suite:04X}").into(), Cow::Borrowed)
}

/// An alert such as `fatal handshake_failure` (RFC 8446, section 6, and the registry).
pub(super) fn alert_text(level: u8, description: u8) -> String {
    let level = match level {
        1 => "warning".to_owned(),
        2 => "fatal".to_owned(),
        other => other.to_string(),
    };
    match alert_name(description) {
        Some(name) => format!("{level} {name}"),
        None => format!("{level} {description}"),
    }
}

fn alert_name(description: u8) -> Option<&'static str> {
    Some(match description {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        21 => "decryption_failed",
        22 => "record_overflow",
        30 => "decompression_failure",
        40 => "handshake_failure",
        41 => "no_certificate",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        44 => "certificate_revoked",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error",
        52 => "too_many_cids_requested",
        60 => "export_restriction",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        90 => "user_canceled",
        100 => "no_renegotiation",
        109 => "missing_extension",
        110 => "unsupported_extension",
        111 => "certificate_unobtainable",
        112 => "unrecognized_name",
        113 => "bad_certificate_status_response",
        114 => "bad_certificate_hash_value",
        115 => "unknown_psk_identity",
        116 => "certificate_required",
        117 => "general_error",
        120 => "no_application_protocol",
        121 => "ech_required",
        _ => return None,
    })
}
