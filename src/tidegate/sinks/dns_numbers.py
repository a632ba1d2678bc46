"""Numbers of DNS by their names, for formats that want both (IANA's registry of DNS parameters)."""

import re

_TYPES = {
    1: "A NS MD MF CNAME SOA MB MG MR NULL WKS PTR HINFO MINFO MX TXT RP AFSDB X25 ISDN RT NSAP NSAP-PTR SIG",
    25: "KEY PX GPOS AAAA LOC NXT EID NIMLOC SRV ATMA NAPTR KX CERT A6 DNAME SINK OPT APL DS SSHFP IPSECKEY",
    46: "RRSIG NSEC DNSKEY DHCID NSEC3 NSEC3PARAM TLSA SMIMEA",
    55: "HIP NINFO RKEY TALINK CDS CDNSKEY OPENPGPKEY CSYNC ZONEMD SVCB HTTPS DSYNC HHIT BRID",
    99: "SPF UINFO UID GID UNSPEC NID L32 L64 LP EUI48 EUI64",
    128: "NXNAME",
    249: "TKEY TSIG IXFR AXFR MAILB MAILA ANY URI CAA AVC DOA AMTRELAY RESINFO WALLET CLA IPN",
    32768: "TA DLV",
}
"""Names of neighbouring numbers, by the first of them."""

_RCODES = {
    0: "NOERROR FORMERR SERVFAIL NXDOMAIN NOTIMP REFUSED YXDOMAIN YXRRSET NXRRSET NOTAUTH NOTZONE DSOTYPENI",
    16: "BADVERS BADKEY BADTIME BADMODE BADNAME BADALG BADTRUNC BADCOOKIE",
}


def _numbers(runs: dict[int, str]) -> dict[str, int]:
    return {name: first + at for first, names in runs.items() for at, name in enumerate(names.split())}


TYPES = _numbers(_TYPES)
CLASSES = {"IN": 1, "CH": 3, "HS": 4, "NONE": 254, "ANY": 255}
OPCODES = {"QUERY": 0, "IQUERY": 1, "STATUS": 2, "NOTIFY": 4, "UPDATE": 5, "DSO": 6}
RCODES = _numbers(_RCODES)

_NUMBERED = re.compile(r"(?:TYPE|CLASS|OPCODE|RCODE)(\d+)")


def number_of(name: str, names: dict[str, int]) -> int | None:
    """The number, also of names such as TYPE1234; None if there is none."""
    if match := _NUMBERED.fullmatch(name):
        return int(match[1])
    return names.get(name)
