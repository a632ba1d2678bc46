//! Names of DNS types, classes, opcodes and response codes (IANA, Domain Name System Parameters).

use std::borrow::Cow;

pub(super) const A: u16 = 1;
pub(super) const NS: u16 = 2;
pub(super) const CNAME: u16 = 5;
pub(super) const SOA: u16 = 6;
pub(super) const PTR: u16 = 12;
pub(super) const HINFO: u16 = 13;
pub(super) const MX: u16 = 15;
pub(super) const TXT: u16 = 16;
pub(super) const RP: u16 = 17;
pub(super) const AFSDB: u16 = 18;
pub(super) const AAAA: u16 = 28;
pub(super) const SRV: u16 = 33;
pub(super) const NAPTR: u16 = 35;
pub(super) const KX: u16 = 36;
pub(super) const DNAME: u16 = 39;
pub(super) const OPT: u16 = 41;
pub(super) const DS: u16 = 43;
pub(super) const SSHFP: u16 = 44;
pub(super) const RRSIG: u16 = 46;
pub(super) const NSEC: u16 = 47;
pub(super) const DNSKEY: u16 = 48;
pub(super) const TLSA: u16 = 52;
pub(super) const SMIMEA: u16 = 53;
pub(super) const CDS: u16 = 59;
pub(super) const CDNSKEY: u16 = 60;
pub(super) const SVCB: u16 = 64;
pub(super) const HTTPS: u16 = 65;
pub(super) const SPF: u16 = 99;
pub(super) const URI: u16 = 256;
pub(super) const CAA: u16 = 257;

/// The class of the Internet.
pub(super) const IN: u16 = 1;

/// The lists the names below are of.
const TYPES: &[(u16, &str)] = &[
    (A, "A"),
    (AAAA, "AAAA"),
    (HTTPS, "HTTPS"),
    (PTR, "PTR"),
    (CNAME, "CNAME"),
    (TXT, "TXT"),
    (SRV, "SRV"),
    (NS, "NS"),
    (SOA, "SOA"),
    (MX, "MX"),
    (255, "ANY"),
    (3, "MD"),
    (4, "MF"),
    (7, "MB"),
    (8, "MG"),
    (9, "MR"),
    (10, "NULL"),
    (11, "WKS"),
    (HINFO, "HINFO"),
    (14, "MINFO"),
    (RP, "RP"),
    (AFSDB, "AFSDB"),
    (19, "X25"),
    (20, "ISDN"),
    (21, "RT"),
    (22, "NSAP"),
    (23, "NSAP-PTR"),
    (24, "SIG"),
    (25, "KEY"),
    (26, "PX"),
    (27, "GPOS"),
    (29, "LOC"),
    (30, "NXT"),
    (31, "EID"),
    (32, "NIMLOC"),
    (34, "ATMA"),
    (NAPTR, "NAPTR"),
    (KX, "KX"),
    (37, "CERT"),
    (38, "A6"),
    (DNAME, "DNAME"),
    (40, "SINK"),
    (OPT, "OPT"),
    (42, "APL"),
    (DS, "DS"),
    (SSHFP, "SSHFP"),
    (45, "IPSECKEY"),
    (RRSIG, "RRSIG"),
    (NSEC, "NSEC"),
    (DNSKEY, "DNSKEY"),
    (49, "DHCID"),
    (50, "NSEC3"),
    (51, "NSEC3PARAM"),
    (TLSA, "TLSA"),
    (SMIMEA, "SMIMEA"),
    (55, "HIP"),
    (56, "NINFO"),
    (57, "RKEY"),
    (58, "TALINK"),
    (CDS, "CDS"),
    (CDNSKEY, "CDNSKEY"),
    (61, "OPENPGPKEY"),
    (62, "CSYNC"),
    (63, "ZONEMD"),
    (SVCB, "SVCB"),
    (66, "DSYNC"),
    (67, "HHIT"),
    (68, "BRID"),
    (SPF, "SPF"),
    (100, "UINFO"),
    (101, "UID"),
    (102, "GID"),
    (103, "UNSPEC"),
    (104, "NID"),
    (105, "L32"),
    (106, "L64"),
    (107, "LP"),
    (108, "EUI48"),
    (109, "EUI64"),
    (128, "NXNAME"),
    (249, "TKEY"),
    (250, "TSIG"),
    (251, "IXFR"),
    (252, "AXFR"),
    (253, "MAILB"),
    (254, "MAILA"),
    (URI, "URI"),
    (CAA, "CAA"),
    (258, "AVC"),
    (259, "DOA"),
    (260, "AMTRELAY"),
    (261, "RESINFO"),
    (262, "WALLET"),
    (263, "CLA"),
    (264, "IPN"),
    (32768, "TA"),
    (32769, "DLV"),
];

const CLASSES: &[(u16, &str)] = &[(IN, "IN"), (3, "CH"), (4, "HS"), (254, "NONE"), (255, "ANY")];

const OPCODES: &[(u16, &str)] =
    &[(0, "QUERY"), (1, "IQUERY"), (2, "STATUS"), (4, "NOTIFY"), (5, "UPDATE"), (6, "DSO")];

/// Response codes; of 16 and above the upper bits are in EDNS. 16 has two names: BADSIG only within TSIG.
const RCODES: &[(u16, &str)] = &[
    (0, "NOERROR"),
    (3, "NXDOMAIN"),
    (2, "SERVFAIL"),
    (5, "REFUSED"),
    (1, "FORMERR"),
    (4, "NOTIMP"),
    (6, "YXDOMAIN"),
    (7, "YXRRSET"),
    (8, "NXRRSET"),
    (9, "NOTAUTH"),
    (10, "NOTZONE"),
    (11, "DSOTYPENI"),
    (16, "BADVERS"),
    (17, "BADKEY"),
    (18, "BADTIME"),
    (19, "BADMODE"),
    (20, "BADNAME"),
    (21, "BADALG"),
    (22, "BADTRUNC"),
    (23, "BADCOOKIE"),
];

fn find(list: &[(u16, &'static str)], number: u16) -> Option<&'static str> {
    list.iter().find(|entry| entry.0 == number).map(|entry| entry.1)
}

fn named(list: &[(u16, &'static str)], number: u16, what: &str) -> Cow<'static, str> {
    find(list, number).map_or_else(|| format!("{what}{number}").into(), Cow::Borrowed)
}

/// A type's name, or TYPE and its number (RFC 3597).
pub(super) fn type_name(number: u16) -> Cow<'static, str> {
    named(TYPES, number, "TYPE")
}

/// A class's name, or CLASS and its number (RFC 3597).
pub(super) fn class_name(number: u16) -> Cow<'static, str> {
    named(CLASSES, number, "CLASS")
}

/// An operation's name, or OPCODE and its number.
pub(super) fn opcode_name(number: u8) -> Cow<'static, str> {
    named(OPCODES, u16::from(number), "OPCODE")
}

/// A response code's name, or RCODE and its number.
pub(super) fn rcode_name(number: u16) -> Cow<'static, str> {
    named(RCODES, number, "RCODE")
}

/// Whether somebody would ask for this type: one that is assigned, or for private use (RFC 6895).
pub(super) fn is_usual_type(number: u16) -> bool {
    find(TYPES, number).is_some() || (65280..65535).contains(&number)
}

/// Whether a class is assigned.
pub(super) fn is_usual_class(number: u16) -> bool {
    find(CLASSES, number).is_some()
}

/// Whether an operation is assigned.
pub(super) fn is_usual_opcode(number: u8) -> bool {
    find(OPCODES, u16::from(number)).is_some()
}
