//! Rules, played.

mod check;
mod conditions;
mod cuts;
mod patterns;

use std::net::IpAddr;
use std::sync::Arc;

use super::{First, Look, Rules, Verdict};
use crate::relay::plan::{Backend, Rule, Service};

/// A service with these rules; backends are called as they need them, the default's is `rest`.
pub(super) fn service(rules: Vec<Rule>) -> Service {
    let names = rules.iter().filter_map(|rule| rule.backend.clone()).chain([Arc::from("rest")]);
    let backend = |name| Backend { name, targets: Vec::new(), proxy_protocol: None };
    let backends = names.map(backend).collect();
    Service { rules, backends, default: Some(Arc::from("rest")), ..Service::default() }
}

/// A rule that goes where it is called.
pub(super) fn rule(name: &str) -> Rule {
    Rule { name: name.into(), backend: Some(name.into()), ..Rule::default() }
}

/// A rule by pattern.
pub(super) fn pattern(name: &str, pattern: &str) -> Rule {
    Rule { pattern: Some(pattern.into()), ..rule(name) }
}

/// A rule by protocol.
pub(super) fn speaks(service: &str) -> Rule {
    Rule { services: vec![service.into()], ..rule(service) }
}

pub(super) fn rules(list: Vec<Rule>) -> Rules {
    Rules::new(&service(list)).unwrap()
}

pub(super) fn client() -> IpAddr {
    "192.0.2.1".parse().unwrap()
}

pub(super) fn first(data: &[u8], over: bool) -> First<'_> {
    First { data, source: client(), port: 8080, country: None, over }
}

/// Where who says this goes; `wait` if more is needed.
pub(super) fn goes(rules: &Rules, data: &[u8]) -> String {
    place(rules.judge(&first(data, false)))
}

/// The same if nothing more comes.
pub(super) fn goes_over(rules: &Rules, data: &[u8]) -> String {
    place(rules.judge(&first(data, true)))
}

pub(super) fn place(verdict: Verdict) -> String {
    match verdict {
        Verdict::Wait => "wait".to_owned(),
        Verdict::Take { backend, .. } => {
            backend.map_or("refused".to_owned(), |name| name.to_string())
        }
    }
}

/// Where who says this in pieces of a size goes, and after how many bytes; nothing more comes behind.
pub(super) fn goes_cut(rules: &Rules, data: &[u8], size: usize) -> (String, usize) {
    let mut look = Look::default();
    let mut said = 0;
    loop {
        let verdict = rules.judge_on(&mut look, &first(&data[..said], said == data.len()));
        if verdict != Verdict::Wait {
            return (place(verdict), said);
        }
        assert!(said < data.len(), "waits though nothing comes");
        said = (said + size).min(data.len());
    }
}
