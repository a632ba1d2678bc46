//! Names of ICMP and `ICMPv6` types and codes (IANA, ICMP and `ICMPv6` Parameters).

use std::borrow::Cow;

use crate::decode::ICMP6;

const TYPES: &[(u8, &str)] = &[
    (0, "echo_reply"),
    (3, "unreachable"),
    (4, "source_quench"),
    (5, "redirect"),
    (8, "echo"),
    (9, "router_advertisement"),
    (10, "router_solicitation"),
    (11, "time_exceeded"),
    (12, "parameter_problem"),
    (13, "timestamp"),
    (14, "timestamp_reply"),
    (15, "information"),
    (16, "information_reply"),
    (17, "address_mask"),
    (18, "address_mask_reply"),
    (42, "extended_echo"),
    (43, "extended_echo_reply"),
];

const TYPES6: &[(u8, &str)] = &[
    (1, "unreachable"),
    (2, "packet_too_big"),
    (3, "time_exceeded"),
    (4, "parameter_problem"),
    (128, "echo"),
    (129, "echo_reply"),
    (130, "mld_query"),
    (131, "mld_report"),
    (132, "mld_done"),
    (133, "router_solicitation"),
    (134, "router_advertisement"),
    (135, "neighbor_solicitation"),
    (136, "neighbor_advertisement"),
    (137, "redirect"),
    (138, "router_renumbering"),
    (139, "node_information"),
    (140, "node_information_reply"),
    (141, "inverse_neighbor_solicitation"),
    (142, "inverse_neighbor_advertisement"),
    (143, "mld2_report"),
    (144, "home_agent_discovery"),
    (145, "home_agent_discovery_reply"),
    (146, "mobile_prefix_solicitation"),
    (147, "mobile_prefix_advertisement"),
    (148, "certification_path_solicitation"),
    (149, "certification_path_advertisement"),
    (151, "multicast_router_advertisement"),
    (152, "multicast_router_solicitation"),
    (153, "multicast_router_termination"),
    (155, "rpl"),
    (157, "duplicate_address_request"),
    (158, "duplicate_address_confirmation"),
    (160, "extended_echo"),
    (161, "extended_echo_reply"),
];

/// From code 0 on.
const UNREACHABLE: &[&str] = &[
    "network",
    "host",
    "protocol",
    "port",
    "fragmentation_needed",
    "source_route_failed",
    "network_unknown",
    "host_unknown",
    "source_isolated",
    "network_prohibited",
    "host_prohibited",
    "network_tos",
    "host_tos",
    "administratively_prohibited",
    "host_precedence",
    "precedence_cutoff",
];

const UNREACHABLE6: &[&str] = &[
    "no_route",
    "administratively_prohibited",
    "beyond_scope",
    "address",
    "port",
    "source_policy",
    "reject_route",
    "source_routing_header",
    "headers_too_long",
];

const REDIRECT: &[&str] = &["network", "host", "network_tos", "host_tos"];
const EXCEEDED: &[&str] = &["hops", "reassembly"];
const PARAMETER: &[&str] = &["pointer", "missing_option", "bad_length"];
const PARAMETER6: &[&str] = &["header", "next_header", "option", "incomplete_chain"];

/// What a message is, or `type` and its number.
pub(super) fn kind(proto: u8, number: u8) -> Cow<'static, str> {
    let list = if proto == ICMP6 { TYPES6 } else { TYPES };
    let name = list.iter().find(|entry| entry.0 == number);
    name.map_or_else(|| format!("type{number}").into(), |entry| entry.1.into())
}

/// What the code of a message of this kind means, where it means something.
pub(super) fn code(kind: &str, proto: u8, code: u8) -> Option<&'static str> {
    let list = match (kind, proto) {
        ("unreachable", ICMP6) => UNREACHABLE6,
        ("unreachable", _) => UNREACHABLE,
        ("parameter_problem", ICMP6) => PARAMETER6,
        ("parameter_problem", _) => PARAMETER,
        ("time_exceeded", _) => EXCEEDED,
        ("redirect", 1) => REDIRECT,
        _ => return None,
    };
    list.get(usize::from(code)).copied()
}

/// Whether a type is an echo request, or its reply; `None` for the others.
pub(super) fn echo(proto: u8, number: u16) -> Option<bool> {
    match (proto, number) {
        (1, 8) | (ICMP6, 128) => Some(true),
        (1, 0) | (ICMP6, 129) => Some(false),
        _ => None,
    }
}
