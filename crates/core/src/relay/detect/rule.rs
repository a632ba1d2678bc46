//! A rule made ready: what it asks for, and whether a connection has it.

use std::sync::Arc;

use super::First;
use super::host::HeadSoFar;
use super::names::Names;
use super::patterns::{Pattern, Patterns, Places};
use crate::Error;
use crate::protocols::{Asked, Guess, Heard, HelloSoFar, Service, Services};
use crate::relay::lists::Networks;
use crate::relay::plan::{self, PortRange, Refusal};

/// A rule's conditions. What is `None` or empty was not asked for.
#[derive(Debug)]
pub(super) struct Rule {
    pub name: Arc<str>,
    pub backend: Option<Arc<str>>,
    pub refusal: Refusal,
    pub pattern: Option<Pattern>,
    /// The pattern's number among those of the service.
    pub number: usize,
    pub services: Services,
    pub sni: Option<Names>,
    pub alpn: Vec<Box<[u8]>>,
    pub host: Option<Names>,
    pub sources: Networks,
    pub countries: Vec<String>,
    pub ports: Vec<PortRange>,
}

impl Rule {
    /// Reads a rule; an error says which rule it is.
    pub(super) fn new(rule: &plan::Rule) -> Result<Self, Error> {
        Self::read(rule).map_err(|error| of_rule(&rule.name, &error))
    }

    pub(super) fn read(rule: &plan::Rule) -> Result<Self, Error> {
        let names =
            |written: &[String]| (!written.is_empty()).then(|| Names::new(written)).transpose();
        Ok(Self {
            name: Arc::clone(&rule.name),
            backend: rule.backend.clone(),
            refusal: rule.refusal,
            pattern: rule.pattern.as_deref().map(Pattern::new).transpose()?,
            number: 0,
            services: services(&rule.services)?,
            sni: names(&rule.sni)?,
            alpn: rule.alpn.iter().map(|name| Box::from(name.as_bytes())).collect(),
            host: names(&rule.host)?,
            sources: Networks::new(rule.sources.iter().map(String::as_str))?,
            countries: rule.countries.iter().map(|code| code.to_ascii_uppercase()).collect(),
            ports: rule.ports.clone(),
        })
    }

    /// Whether bytes have to be looked at.
    pub(super) fn looks(&self) -> bool {
        self.pattern.is_some()
            || !self.services.is_empty()
            || self.sni.is_some()
            || !self.alpn.is_empty()
            || self.host.is_some()
    }

    /// Whether it holds of a connection.
    pub(super) fn guess(&self, first: &First<'_>, patterns: &Patterns, look: &mut Look) -> Guess {
        if !self.meets(first) {
            return Guess::No;
        }
        let mut guess = Guess::Yes;
        if self.pattern.is_some() {
            guess =
                guess.and(patterns.guess(self.number, first.data, first.over, &mut look.places));
        }
        if guess != Guess::No && !self.services.is_empty() {
            guess = guess.and(look.heard(first).guess(self.services));
        }
        if guess != Guess::No && (self.sni.is_some() || !self.alpn.is_empty()) {
            guess = guess.and(self.asked(first, look));
        }
        if guess != Guess::No
            && let Some(names) = &self.host
        {
            guess = guess.and(look.host(first, names));
        }
        guess
    }

    /// Whether it holds of what is known before the first byte.
    fn meets(&self, first: &First<'_>) -> bool {
        let port = |range: &PortRange| (range.0..=range.1).contains(&first.port);
        let country =
            |code: &String| first.country.is_some_and(|country| country.eq_ignore_ascii_case(code));
        (self.ports.is_empty() || self.ports.iter().any(port))
            && (self.sources.is_empty() || self.sources.contains(first.source))
            && (self.countries.is_empty() || self.countries.iter().any(country))
    }

    /// Whether a TLS client asks for this server and protocol.
    fn asked(&self, first: &First<'_>, look: &mut Look) -> Guess {
        let asked = match look.asked(first.data) {
            Ok(asked) => asked,
            Err(guess) => return *guess,
        };
        let named = |names: &Names| asked.server_name.as_ref().is_some_and(|name| names.has(name));
        let server = self.sni.as_ref().is_none_or(named);
        let protocol = self.alpn.is_empty() || self.alpn.iter().any(|one| asked.alpn.contains(one));
        if server && protocol { Guess::Yes } else { Guess::No }
    }
}

/// An error with the rule it is of.
pub(super) fn of_rule(name: &str, error: &Error) -> Error {
    Error::Usage(format!("rule \"{name}\": {error}"))
}

fn services(names: &[String]) -> Result<Services, Error> {
    names.iter().try_fold(Services::default(), |services, name| {
        let service = Service::of(name).ok_or_else(|| {
            Error::Usage(format!("no protocol \"{}\" is recognised", name.escape_debug()))
        })?;
        Ok(services.with(service))
    })
}

/// What one connection was found to say so far. It belongs to that connection, and holds a `ClientHello` at most.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// Rules that cannot hold any more, from the first on.
    pub(super) passed: usize,
    places: Places,
    heard: Heard,
    /// Bytes that were listened to.
    listened: Option<usize>,
    hello: HelloSoFar,
    asked: Option<Result<Asked, Guess>>,
    head: HeadSoFar,
    host: Option<Result<Box<[u8]>, Guess>>,
}

impl Look {
    /// What the client speaks.
    pub(super) fn heard(&mut self, first: &First<'_>) -> Heard {
        // What it may not speak by now it never will.
        let open = self.listened.is_none() || !self.heard.maybe.is_empty();
        if self.heard.service.is_none() && open && self.listened != Some(first.data.len()) {
            self.heard = Heard::new(first.data, first.port);
            self.listened = Some(first.data.len());
        }
        self.heard
    }

    /// What a TLS client asks for.
    fn asked(&mut self, data: &[u8]) -> &Result<Asked, Guess> {
        if let Some(Err(Guess::Maybe)) = self.asked {
            self.asked = None;
        }
        self.asked.get_or_insert_with(|| self.hello.read(data))
    }

    /// Whether an HTTP request is for one of these hosts.
    fn host(&mut self, first: &First<'_>, names: &Names) -> Guess {
        let http = Services::default().with(Service::Http);
        let guess = self.heard(first).guess(http);
        if guess != Guess::Yes {
            return guess;
        }
        if let Some(Err(Guess::Maybe)) = self.host {
            self.host = None;
        }
        match self.host.get_or_insert_with(|| self.head.read(first.data).map(Box::from)) {
            Ok(host) if names.has(host) => Guess::Yes,
            Ok(_) => Guess::No,
            Err(guess) => *guess,
        }
    }
}
