//! Where connections go by their first bytes. Input: a conversation, as the parsers' targets take it; what its client
//! said counts. Where the first piece begins with a slash, the rest of it up to another is a pattern of its own.
#![no_main]

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, OnceLock};

use tidegate_core::relay::detect::{First, Look, Rules, Verdict};
use tidegate_core::relay::plan::{Backend, Rule, Service};

// The verdict is the same however the bytes are cut, and it is there when nothing more comes.
libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    static RULES: OnceLock<Rules> = OnceLock::new();
    let pieces = pieces(input);
    match pieces.first().and_then(|first| own_pattern(first)) {
        Some((pattern, rest)) => {
            let own = Rule { pattern: Some(pattern.to_vec()), ..rule("own") };
            if let Ok(rules) = Rules::new(&service(vec![own])) {
                play(&rules, &[&[rest], &pieces[1..]].concat());
            }
        }
        None => play(RULES.get_or_init(|| Rules::new(&service(usual())).expect("good")), &pieces),
    }
});

fn play(rules: &Rules, pieces: &[&[u8]]) {
    let whole = pieces.concat();
    let once = go(rules, [whole.as_slice()].into_iter());
    assert_eq!(once, go(rules, pieces.iter().copied()), "as it was cut");
    assert_eq!(once, go(rules, whole.chunks(1)), "byte by byte");
    let fresh = rules.judge(&first(&whole, true));
    assert_eq!(once, place(&fresh).expect("nothing more comes"), "at the end");
}

/// The rule that decides, the last piece being the last.
fn go<'a>(rules: &Rules, pieces: impl Iterator<Item = &'a [u8]>) -> Option<Arc<str>> {
    let (mut look, mut said) = (Look::default(), Vec::new());
    for piece in pieces {
        said.extend_from_slice(piece);
        if let Some(place) = place(&rules.judge_on(&mut look, &first(&said, false))) {
            return place;
        }
    }
    place(&rules.judge_on(&mut look, &first(&said, true))).expect("nothing more comes")
}

fn place(verdict: &Verdict) -> Option<Option<Arc<str>>> {
    match verdict {
        Verdict::Wait => None,
        Verdict::Take { rule, .. } => Some(rule.clone()),
    }
}

fn first(data: &[u8], over: bool) -> First<'_> {
    let source = IpAddr::V4(Ipv4Addr::LOCALHOST);
    First { data, source, port: 80, country: None, over }
}

fn rule(name: &str) -> Rule {
    Rule { name: name.into(), backend: Some("it".into()), ..Rule::default() }
}

fn service(rules: Vec<Rule>) -> Service {
    let backend = Backend { name: "it".into(), targets: Vec::new(), proxy_protocol: None };
    Service { rules, backends: vec![backend], default: Some("it".into()), ..Service::default() }
}

/// A rule of each kind.
fn usual() -> Vec<Rule> {
    let pattern = |name, pattern: &str| Rule { pattern: Some(pattern.into()), ..rule(name) };
    vec![
        pattern("quiet", "^$"),
        Rule { sni: vec!["*.example".into(), "localhost".into()], ..rule("sni") },
        Rule { alpn: vec!["h2".into()], ..rule("alpn") },
        Rule { services: vec!["http".into()], ..pattern("post", "^POST (?s:.)*login") },
        Rule { host: vec!["*.example".into(), "localhost".into()], ..rule("host") },
        pattern("line", r"^[A-Z]{3,9} [^ ]* \S+\r\n"),
        pattern("word", r"(?i)\buser\b"),
        Rule { services: vec!["http".into(), "tls".into()], ..rule("speaks") },
        pattern("late", r"(?s)^.{30}\xff|x$"),
    ]
}

/// A pattern between slashes, and what follows it.
fn own_pattern(piece: &[u8]) -> Option<(&[u8], &[u8])> {
    let piece = piece.strip_prefix(b"/")?;
    let end = piece.iter().take(48).position(|byte| *byte == b'/')?;
    Some((&piece[..end], &piece[end + 1..]))
}

/// What the client says: pieces with a byte of flags (1: from the server) and two of length.
fn pieces(mut input: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    while let Some((&[flags, l0, l1], rest)) = input.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes([l0, l1])).min(rest.len());
        let (data, next) = rest.split_at(length);
        if flags & 1 == 0 {
            pieces.push(data);
        }
        input = next;
    }
    pieces
}
