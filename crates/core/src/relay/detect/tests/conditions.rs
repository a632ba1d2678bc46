//! Conditions other than patterns, and what several of them do together.

use std::sync::Arc;

use super::{client, first, goes, goes_over, pattern, rule, rules, service, speaks};
use crate::relay::detect::{First, Rules, Verdict};
use crate::relay::plan::{Limits, Refusal, Rule};

/// A `ClientHello` in records of a size.
pub(super) fn hello(name: &str, protocols: &[&str], record: usize) -> Vec<u8> {
    let counted = |bytes: &[u8]| [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat();
    let server = counted(&[&[0][..], &counted(name.as_bytes())].concat());
    let list = protocols.iter().flat_map(|name| [&[name.len() as u8], name.as_bytes()].concat());
    let list = counted(&list.collect::<Vec<u8>>());
    let mut extensions = [&[0, 0][..], &counted(&server)].concat();
    extensions.extend([&[0, 16][..], &counted(&list)].concat());
    let body = [&[3, 3][..], &[7; 32], &[0, 0, 2, 0x13, 1, 1, 0], &counted(&extensions)].concat();
    let message = [&[1, 0][..], &counted(&body)].concat();
    let pieces = message.chunks(record).map(|piece| [&[22, 3, 1][..], &counted(piece)].concat());
    pieces.collect::<Vec<_>>().concat()
}

fn asks(name: &str, sni: &[&str], alpn: &[&str]) -> Rule {
    let list = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect();
    Rule { sni: list(sni), alpn: list(alpn), ..rule(name) }
}

fn hosts(name: &str, hosts: &[&str]) -> Rule {
    Rule { host: hosts.iter().map(|one| (*one).to_owned()).collect(), ..rule(name) }
}

#[test]
fn protocols_are_recognised_by_their_first_bytes() {
    let list = ["http", "tls", "ssh", "smb", "sip", "redis", "rdp", "mqtt"].map(speaks);
    let rules = rules(list.into());
    assert_eq!(goes(&rules, b""), "wait");
    assert_eq!(goes(&rules, b"GE"), "wait");
    assert_eq!(goes(&rules, b"GET "), "wait");
    assert_eq!(goes(&rules, b"GET /"), "http");
    assert_eq!(goes(&rules, b"SSH-2.0-x\r\n"), "ssh");
    assert_eq!(goes(&rules, &hello("x", &[], 1000)), "tls");
    assert_eq!(goes(&rules, b"OPTIONS sip:nm SIP/2.0\r\n"), "sip");
    assert_eq!(goes(&rules, b"*1\r\n$4\r\nPING\r\n"), "redis");
    assert_eq!(goes(&rules, b"\0\0\0\x54\xffSMB\x72\0\0\0\0"), "smb");
    assert_eq!(goes(&rules, b"\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x03\0\0\0"), "rdp");
    assert_eq!(goes_over(&rules, b"nothing known"), "rest");
}

#[test]
fn the_verdict_says_what_is_spoken_though_no_rule_asked() {
    let rules = rules(vec![pattern("get", "^GET")]);
    let Verdict::Take { service, rule, .. } = rules.judge(&first(b"GET / HTTP/1.1\r\n", false))
    else {
        panic!("it holds");
    };
    assert_eq!((service, rule.as_deref()), (Some("http"), Some("get")));
}

#[test]
fn a_server_name_is_read_from_a_hello_in_any_records() {
    let rules = rules(vec![
        asks("exact", &["www.Example.org"], &[]),
        asks("below", &["*.example.org"], &[]),
        asks("h2", &["other.net"], &["h2"]),
        speaks("tls"),
    ]);
    for record in [3, 40, 16_384] {
        let say = |name, protocols: &[&str]| hello(name, protocols, record);
        assert_eq!(goes(&rules, &say("WWW.example.org.", &[])), "exact");
        assert_eq!(goes(&rules, &say("a.b.example.org", &[])), "below");
        assert_eq!(goes(&rules, &say("example.org", &[])), "tls", "a domain is not below itself");
        assert_eq!(goes(&rules, &say("other.net", &["http/1.1", "h2"])), "h2");
        assert_eq!(goes(&rules, &say("other.net", &["http/1.1"])), "tls");
        let whole = say("www.example.org", &[]);
        assert_eq!(goes(&rules, &whole[..whole.len() - 1]), "wait");
        assert_eq!(goes_over(&rules, &whole[..whole.len() - 1]), "tls");
    }
    assert_eq!(goes(&rules, b"GET / HTTP/1.1\r\n"), "rest");
    assert_eq!(goes(&rules, b"\x16\x03\x01\0\0"), "rest", "a record of nothing is no hello");
}

#[test]
fn a_host_is_read_from_a_request_as_far_as_it_has_come() {
    let rules =
        rules(vec![hosts("a", &["a.example"]), hosts("b", &["*.b.example"]), speaks("http")]);
    let request = |host: &str| format!("GET /x HTTP/1.1\r\nAccept: */*\r\nhOsT:  {host}\r\n");
    assert_eq!(goes(&rules, request("A.example").as_bytes()), "a");
    assert_eq!(goes(&rules, request("a.example:8080").as_bytes()), "a");
    assert_eq!(goes(&rules, request("x.b.example.").as_bytes()), "b");
    assert_eq!(goes(&rules, request("b.example").as_bytes()), "http");
    assert_eq!(goes(&rules, request("[::1]:80").as_bytes()), "http");
    assert_eq!(goes(&rules, b"GET /x HTTP/1.1\r\nAccept: */*\r\nHost: a.exam"), "wait");
    assert_eq!(goes(&rules, b"GET /x HTTP/1.1\r\nAccept: */*\r\n"), "wait");
    assert_eq!(goes_over(&rules, b"GET /x HTTP/1.1\r\nAccept: */*\r\n"), "http");
    assert_eq!(goes(&rules, b"GET /x HTTP/1.0\r\n\r\nHost: a.example\r\n"), "http");
    assert_eq!(goes(&rules, b"GET http://u@a.example:1/ HTTP/1.1\r\nHost: x\r\n"), "a");
    assert_eq!(goes(&rules, b"CONNECT a.example:443 HTTP/1.1\r\n"), "a");
    assert_eq!(goes(&rules, b"GET /?u=http://a.example/ HTTP/1.1\r\nHost: x\r\n"), "http");
    assert_eq!(goes(&rules, b"\r\nGET / HTTP/1.1\r\nHost: a.example\r\n"), "a");
    assert_eq!(goes(&rules, b"SSH-2.0-x\r\n"), "rest");
}

#[test]
fn every_condition_of_a_rule_must_hold() {
    let both = Rule {
        services: vec!["http".into()],
        sources: vec!["192.0.2.0/24".into()],
        ports: vec![(80, 80), (8000, 8999)],
        countries: vec!["de".into(), "AT".into()],
        ..pattern("both", "(?m)^User-Agent: curl")
    };
    let rules = rules(vec![both]);
    let said = b"GET / HTTP/1.1\r\nUser-Agent: curl/8\r\n";
    let here = First { country: Some("DE"), ..first(said, false) };
    let holds =
        |first: &First<'_>| matches!(rules.judge(first), Verdict::Take { rule: Some(_), .. });
    assert!(holds(&here));
    assert!(!holds(&First { country: None, ..here }));
    assert!(!holds(&First { country: Some("FR"), ..here }));
    assert!(!holds(&First { port: 81, ..here }));
    assert!(!holds(&First { source: "192.0.3.1".parse().unwrap(), ..here }));
    assert!(holds(&First { source: "::ffff:192.0.2.9".parse().unwrap(), ..here }));
    assert!(!holds(&First { data: b"GET / HTTP/1.1\r\nUser-Agent: x\r\n", over: true, ..here }));
}

#[test]
fn who_meets_no_rule_goes_to_the_default_of_the_port() {
    let mut service = service(vec![pattern("web", "^GET ")]);
    service.backends.push(service.backends[0].clone());
    service.backends.last_mut().unwrap().name = Arc::from("vnc");
    service.port_defaults = vec![((5900, 5999), Arc::from("vnc"))];
    let rules = Rules::new(&service).unwrap();
    let silent = First { port: 5901, ..first(b"", true) };
    let backend = |verdict| match verdict {
        Verdict::Take { backend, .. } => backend,
        Verdict::Wait => None,
    };
    assert_eq!(backend(rules.judge(&silent)).as_deref(), Some("vnc"));
    assert_eq!(backend(rules.judge(&First { port: 1, ..silent })).as_deref(), Some("rest"));
    assert_eq!(rules.judge(&First { over: false, ..silent }), Verdict::Wait);
}

#[test]
fn refusals_are_the_rules_or_the_limits() {
    let no = Rule { backend: None, refusal: Refusal::Tarpit, ..pattern("no", "^BAD") };
    let mut service = service(vec![no]);
    service.default = None;
    service.limits = Limits { refusal: Refusal::Reset, ..Limits::default() };
    let rules = Rules::new(&service).unwrap();
    let refused = |data| match rules.judge(&first(data, true)) {
        Verdict::Take { backend: None, rule, refusal, .. } => (rule.is_some(), refusal),
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(b"BAD"), (true, Refusal::Tarpit));
    assert_eq!(refused(b"GOOD"), (false, Refusal::Reset));
}

#[test]
fn without_conditions_on_bytes_none_are_looked_at() {
    let here = Rule { sources: vec![format!("{}/32", client())], ..rule("here") };
    let by_address = rules(vec![here]);
    assert!(!by_address.looks());
    assert_eq!(goes(&by_address, b""), "here");
    assert!(rules(vec![speaks("ssh")]).looks());
    assert_eq!(goes(&rules(vec![]), b""), "rest");
}

#[test]
fn what_is_not_known_is_an_error_in_a_line() {
    let error = |rule| Rules::new(&service(vec![rule])).unwrap_err().to_string();
    assert_eq!(error(speaks("gopher")), "rule \"gopher\": no protocol \"gopher\" is recognised");
    let rule = || rule("it");
    assert!(error(Rule { sources: vec!["here".into()], ..rule() }).contains("network \"here\""));
    assert!(error(Rule { sni: vec!["*".into()], ..rule() }).contains("*.example.org"));
    assert!(error(Rule { host: vec![String::new()], ..rule() }).contains("example.org"));
    let mut service = service(vec![]);
    service.default = Some(Arc::from("gone"));
    assert_eq!(
        Rules::new(&service).unwrap_err().to_string(),
        "no backend \"gone\" in this service"
    );
}
