//! What is found in rules.

use super::{pattern, rule, service, speaks};
use crate::relay::detect::check;
use crate::relay::plan::{Refusal, Rule};

fn found(rules: Vec<Rule>) -> Vec<(String, &'static str)> {
    let findings = check(&service(rules)).into_iter();
    findings
        .map(|finding| {
            assert!(!finding.text.contains('\n') && !finding.text.is_empty());
            (finding.rule.map_or(String::new(), |name| name.to_string()), finding.kind.name())
        })
        .collect()
}

fn one(rules: Vec<Rule>) -> &'static str {
    let found = found(rules);
    assert!(found.len() < 2, "{found:?}");
    found.first().map_or("", |(_, kind)| kind)
}

#[test]
fn good_rules_give_nothing() {
    let list = vec![
        pattern("admin", "^GET /admin"),
        pattern("get", "^GET "),
        speaks("tls"),
        Rule { ports: vec![(1, 1023)], ..rule("low") },
        rule("all"),
    ];
    assert_eq!(found(list), []);
}

#[test]
fn a_rule_behind_one_that_holds_wherever_it_does_is_never_reached() {
    assert_eq!(one(vec![rule("all"), pattern("get", "^GET ")]), "unreachable");
    assert_eq!(one(vec![pattern("get", "^GET "), pattern("admin", "^GET /admin")]), "unreachable");
    assert_eq!(
        one(vec![pattern("get", "^(GET|POST) "), pattern("post", "^POST /x")]),
        "unreachable"
    );
    assert_eq!(one(vec![pattern("post", "^POST /x"), pattern("get", "^(GET|POST) ")]), "");
    assert_eq!(one(vec![pattern("a", "^a[0-9]{2}"), pattern("b", "^a[0-9]")]), "");
    assert_eq!(one(vec![pattern("a", "^a"), pattern("b", "^a$")]), "unreachable");
    assert_eq!(one(vec![pattern("a", "^a$"), pattern("b", "^a")]), "");
}

#[test]
fn other_conditions_are_compared_as_what_they_mean() {
    let ports = |name, ports| Rule { ports, ..rule(name) };
    assert_eq!(
        one(vec![ports("a", vec![(1, 10), (11, 20)]), ports("b", vec![(5, 15)])]),
        "unreachable"
    );
    assert_eq!(one(vec![ports("a", vec![(1, 10), (12, 20)]), ports("b", vec![(5, 15)])]), "");
    assert_eq!(one(vec![ports("a", vec![(0, 65_535)]), rule("b")]), "conflict");
    let from = |name, network: &str| Rule { sources: vec![network.to_owned()], ..rule(name) };
    assert_eq!(one(vec![from("a", "10.0.0.0/8"), from("b", "10.1.0.0/16")]), "unreachable");
    assert_eq!(one(vec![from("a", "10.1.0.0/16"), from("b", "10.0.0.0/8")]), "");
    let sni = |name, sni: &str| Rule { sni: vec![sni.to_owned()], ..rule(name) };
    assert_eq!(one(vec![sni("a", "*.example.org"), sni("b", "www.example.org")]), "unreachable");
    assert_eq!(one(vec![sni("a", "*.example.org"), sni("b", "*.www.example.org")]), "unreachable");
    assert_eq!(one(vec![sni("a", "*.example.org"), sni("b", "example.org")]), "");
    assert_eq!(one(vec![speaks("tls"), sni("b", "example.org")]), "unreachable");
    assert_eq!(one(vec![sni("b", "example.org"), speaks("tls")]), "");
}

#[test]
fn the_same_conditions_twice_are_a_duplicate_or_a_conflict() {
    let again = |name: &str, backend: &str| Rule { name: name.into(), ..pattern(backend, "^GET ") };
    assert_eq!(one(vec![again("a", "web"), again("b", "web")]), "duplicate");
    assert_eq!(one(vec![again("a", "web"), again("b", "other")]), "conflict");
    let other = Rule { name: "b".into(), ..pattern("other", "^GET( )") };
    assert_eq!(one(vec![again("a", "web"), other]), "conflict");
}

#[test]
fn patterns_that_hold_always_or_never_or_late_are_told() {
    assert_eq!(one(vec![pattern("a", "^(GET)?")]), "empty");
    assert_eq!(one(vec![pattern("a", "x*")]), "empty");
    assert_eq!(one(vec![pattern("a", "^$")]), "");
    assert_eq!(one(vec![pattern("a", "a^b")]), "never");
    assert_eq!(one(vec![pattern("a", "admin")]), "waits");
    assert_eq!(one(vec![pattern("a", "^(?s).*admin")]), "waits");
    assert_eq!(one(vec![pattern("a", "^.*admin")]), "");
}

#[test]
fn rules_that_hold_of_nobody_are_told() {
    assert_eq!(one(vec![speaks("vnc")]), "never");
    assert_eq!(one(vec![speaks("quic")]), "never");
    assert_eq!(one(vec![Rule { host: vec!["a.b".into()], ..speaks("tls") }]), "never");
    let both = Rule { host: vec!["a.b".into()], sni: vec!["a.b".into()], ..rule("a") };
    assert_eq!(one(vec![both]), "never");
}

#[test]
fn what_keeps_a_service_from_starting_is_all_told() {
    let nowhere = Rule { backend: Some("gone".into()), ..rule("nowhere") };
    let mut service = service(vec![pattern("bad", "(")]);
    service.rules.push(nowhere);
    service.default = Some("lost".into());
    let findings = check(&service);
    let kinds: Vec<&str> = findings.iter().map(|finding| finding.kind.name()).collect();
    assert_eq!(kinds, ["wrong", "backend", "backend"]);
    assert!(findings.iter().all(|finding| finding.kind.is_fatal()));
    let wait = Rule { backend: None, refusal: Refusal::Wait, ..rule("wait") };
    assert_eq!(one(vec![wait]), "refusal");
}

#[test]
fn nothing_fatal_is_found_where_a_service_starts_and_something_where_not() {
    let list = (0..5000).map(|n| pattern(&format!("r{n}"), &format!("^{n}x"))).collect();
    let findings = check(&service(list));
    assert!(findings.iter().any(|finding| finding.kind.is_fatal() && finding.rule.is_none()));
}
