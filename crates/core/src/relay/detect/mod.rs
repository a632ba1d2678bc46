//! Where a connection goes, by what its client says first: ordered rules, the first that holds decides.
//!
//! A rule is a list of conditions that must all hold. Each of them is yes, no, or not known yet; what was yes or no
//! stays so with more bytes, so that it does not matter how these were cut into segments. The first rule that holds
//! decides as soon as no rule before it can come to hold, and no later than when nothing more will come.

mod check;
mod covers;
mod host;
mod machine;
mod names;
mod patterns;
mod rule;

use std::net::IpAddr;
use std::sync::Arc;

use super::plan::{PortRange, Refusal, Service};
use crate::Error;
use crate::protocols::{Guess, Heard};
pub use check::{Finding, Kind, check};
use patterns::{Pattern, Patterns};
pub use rule::Look;
use rule::{Rule, of_rule};

/// What is known of a connection that is to go somewhere.
#[derive(Clone, Copy, Debug)]
pub struct First<'a> {
    /// All that the client has said, from the beginning.
    pub data: &'a [u8],
    /// The client.
    pub source: IpAddr,
    /// The port it called.
    pub port: u16,
    /// Its country, ISO 3166 alpha-2.
    pub country: Option<&'a str>,
    /// Whether nothing more will come: it said so, or was waited for long enough.
    pub over: bool,
}

/// What is to be done with a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// More bytes are needed.
    Wait,
    /// It goes somewhere.
    Take {
        /// Where to; `None` if it is refused.
        backend: Option<Arc<str>>,
        /// The rule that says so; `None` if no rule holds.
        rule: Option<Arc<str>>,
        /// What the client speaks, if that is certain by now.
        service: Option<&'static str>,
        /// How it is refused, if it is.
        refusal: Refusal,
    },
}

/// The rules of a service, made ready. Shared by all threads; what is known of one connection is in its [`Look`].
#[derive(Debug)]
pub struct Rules {
    ordered: Vec<Rule>,
    patterns: Patterns,
    port_defaults: Vec<(PortRange, Arc<str>)>,
    default: Option<Arc<str>>,
    refusal: Refusal,
    /// Bytes that are looked at.
    most: usize,
    looks: bool,
}

impl Rules {
    /// Makes a service's rules ready. Fails with what a user can mend: a pattern that does not parse or is too large, an
    /// unknown protocol or backend, a network that is none.
    pub fn new(service: &Service) -> Result<Self, Error> {
        let mut rules = service.rules.iter().map(Rule::new).collect::<Result<Vec<_>, _>>()?;
        let patterns = put_together(&mut rules)?;
        let known = |name: &Arc<str>| service.backends.iter().any(|backend| backend.name == *name);
        for rule in &rules {
            if let Some(name) = rule.backend.as_ref().filter(|name| !known(name)) {
                return Err(of_rule(&rule.name, &unknown_backend(name)));
            }
        }
        let mut defaults =
            service.port_defaults.iter().map(|(_, name)| name).chain(&service.default);
        if let Some(name) = defaults.find(|name| !known(name)) {
            return Err(unknown_backend(name));
        }
        Ok(Self {
            looks: rules.iter().any(Rule::looks),
            ordered: rules,
            patterns,
            port_defaults: service.port_defaults.clone(),
            default: service.default.clone(),
            refusal: service.limits.refusal,
            most: service.detect_bytes,
        })
    }

    /// Whether bytes are looked at at all. If not, the first verdict is final.
    pub fn looks(&self) -> bool {
        self.looks
    }

    /// Machines that patterns were put together in, and states of all of them.
    pub fn size(&self) -> (usize, usize) {
        self.patterns.size()
    }

    /// Where a connection goes of which nothing was judged before.
    pub fn judge(&self, first: &First<'_>) -> Verdict {
        self.judge_on(&mut Look::default(), first)
    }

    /// Where a connection goes. `look` is what was found before, so that no byte is read twice; `first.data` is all
    /// bytes nevertheless.
    pub fn judge_on(&self, look: &mut Look, first: &First<'_>) -> Verdict {
        let data = first.data.get(..self.most).unwrap_or(first.data);
        let over = first.over || data.len() >= self.most;
        let first = First { data, over, ..*first };
        while let Some(rule) = self.ordered.get(look.passed) {
            match rule.guess(&first, &self.patterns, look) {
                Guess::Yes => return self.take(Some(rule), look, &first),
                Guess::Maybe if !over => return Verdict::Wait,
                _ => look.passed += 1,
            }
        }
        self.take(None, look, &first)
    }

    fn take(&self, rule: Option<&Rule>, look: &mut Look, first: &First<'_>) -> Verdict {
        let heard = if first.data.is_empty() { Heard::default() } else { look.heard(first) };
        Verdict::Take {
            backend: rule.map_or_else(|| self.default(first.port), |rule| rule.backend.clone()),
            rule: rule.map(|rule| Arc::clone(&rule.name)),
            service: heard.service.map(crate::protocols::Service::name),
            refusal: rule.map_or(self.refusal, |rule| rule.refusal),
        }
    }

    /// Where who meets no rule goes.
    fn default(&self, port: u16) -> Option<Arc<str>> {
        let mut ports = self.port_defaults.iter();
        let own = ports.find(|(range, _)| (range.0..=range.1).contains(&port));
        own.map(|(_, name)| Arc::clone(name)).or_else(|| self.default.clone())
    }
}

fn unknown_backend(name: &str) -> Error {
    Error::Usage(format!("no backend \"{}\" in this service", name.escape_debug()))
}

/// Puts all patterns together, and tells each rule the number of its own.
fn put_together(rules: &mut [Rule]) -> Result<Patterns, Error> {
    let (mut patterns, mut names): (Vec<Pattern>, Vec<Arc<str>>) = (Vec::new(), Vec::new());
    for rule in rules {
        if let Some(pattern) = &rule.pattern {
            rule.number = patterns.len();
            patterns.push(pattern.clone());
            names.push(Arc::clone(&rule.name));
        }
    }
    let name = |at: usize| names.get(at).map_or("", |name| name);
    Patterns::new(&patterns).map_err(|(at, error)| of_rule(name(at), &error))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
mod tests;
