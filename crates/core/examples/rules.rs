//! What rules on first bytes cost: 40 regular expressions, friendly and hostile, over friendly and hostile first bytes.
//!
//! `cargo run --release -p tidegate-core --example rules`: nanoseconds per connection, the best of several rounds.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use tidegate_core::relay::detect::{First, Look, Rules, Verdict};
use tidegate_core::relay::plan::{Backend, Rule, Service};

/// First bytes have this length, so that only what is in them makes a difference.
const LENGTH: usize = 400;

fn main() {
    let friendly = Rules::new(&service(patterns(40))).expect("good rules");
    let mut with_hostile = patterns(39);
    with_hostile.push("(x+x+)+y|([a-z]*a){2}[a-z]{6}!".to_owned());
    let hostile = Rules::new(&service(with_hostile)).expect("good rules");
    println!(
        "machines and states: {:?}; with a hostile pattern {:?}",
        friendly.size(),
        hostile.size()
    );
    println!("{:44} {:>10} {:>10} {:>12}", "first bytes", "friendly", "hostile", "in 1 B pieces");
    for (name, first) in payloads() {
        let (one, other) = (measure(&friendly, &first, LENGTH), measure(&hostile, &first, LENGTH));
        let pieces = measure(&friendly, &first, 1);
        println!("{name:44} {one:>7} ns {other:>7} ns {pieces:>9} ns");
    }
}

/// Rules of a honeypot, each anchored.
fn patterns(count: usize) -> Vec<String> {
    let verbs = ["GET", "POST", "PUT", "HELP", "USER", "INFO", "STATS", "EHLO", "NICK", "LIST"];
    let tails =
        [r" /admin[0-9]*", r" [^ ]{1,64}\.php", r"\s+[a-z]{2,16}\r\n", r"(?i) x-[0-9a-f]{8}"];
    let all = tails.iter().flat_map(|tail| verbs.iter().map(move |verb| format!("^{verb}{tail}")));
    all.take(count).collect()
}

fn payloads() -> Vec<(&'static str, Vec<u8>)> {
    let filled = |begin: &[u8], fill: u8| {
        let mut bytes = begin.to_vec();
        bytes.resize(LENGTH, fill);
        bytes
    };
    vec![
        (
            "a request that the first rule takes",
            filled(b"GET /admin HTTP/1.1\r\nHost: a\r\n", b'x'),
        ),
        ("a request that no rule takes", filled(b"GET / HTTP/1.1\r\nHost: a\r\n", b'x')),
        ("a TLS hello", filled(b"\x16\x03\x01\x01\x80\x01\0\x01\x7c\x03\x03", 7)),
        ("zeros", filled(b"", 0)),
        ("xxxx, for a hostile pattern", filled(b"", b'x')),
        ("aaaa, for a hostile pattern", filled(b"", b'a')),
        ("a path that keeps 10 rules waiting", filled(b"GET ", b'.')),
    ]
}

fn service(patterns: Vec<String>) -> Service {
    let rule = |(number, pattern): (usize, String)| Rule {
        name: format!("rule{number}").into(),
        backend: Some("it".into()),
        pattern: Some(pattern.into()),
        ..Rule::default()
    };
    let rules = patterns.into_iter().enumerate().map(rule).collect();
    let backend = Backend { name: "it".into(), targets: Vec::new(), proxy_protocol: None };
    Service { rules, backends: vec![backend], default: Some("it".into()), ..Service::default() }
}

/// Nanoseconds for a connection that says this in pieces of a size.
fn measure(rules: &Rules, said: &[u8], size: usize) -> u128 {
    const CONNECTIONS: u32 = 2_000;
    let round = || {
        let start = Instant::now();
        for _ in 0..CONNECTIONS {
            black_box(connection(rules, black_box(said), size));
        }
        start.elapsed()
    };
    let best = (0..7).map(|_| round()).min().unwrap_or(Duration::ZERO);
    best.as_nanos() / u128::from(CONNECTIONS)
}

fn connection(rules: &Rules, said: &[u8], size: usize) -> Verdict {
    let source = std::net::Ipv4Addr::LOCALHOST.into();
    let mut look = Look::default();
    let mut there = 0;
    loop {
        let over = there == said.len();
        let data = said.get(..there).unwrap_or(said);
        let first = First { data, source, port: 80, country: None, over };
        match rules.judge_on(&mut look, &first) {
            Verdict::Wait => there = (there + size).min(said.len()),
            verdict @ Verdict::Take { .. } => return verdict,
        }
    }
}
