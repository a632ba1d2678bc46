//! What is wrong with a service's rules, or at least not what anybody wants.

use std::sync::Arc;

use super::covers::{Budget, covers, covers_pattern, spoken};
use super::machine::{BEGIN, Machine};
use super::rule::Rule;
use super::{Rules, unknown_backend};
use crate::packet::seconds;
use crate::protocols::{Service as Protocol, Services};
use crate::relay::plan::{Refusal, Service};

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $name:ident => $text:literal,)+) => {
        /// What kind of thing was found.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Kind {
            /// In a word.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

kinds! {
    /// The rule cannot be read: the service does not start.
    Wrong => "wrong",
    /// A backend that is not there: the service does not start.
    Backend => "backend",
    /// An earlier rule holds wherever this one does.
    Unreachable => "unreachable",
    /// An earlier rule has the same conditions and the same outcome.
    Duplicate => "duplicate",
    /// An earlier rule has the same conditions and another outcome.
    Conflict => "conflict",
    /// It holds of nobody.
    Never => "never",
    /// Its pattern holds before the first byte.
    Empty => "empty",
    /// Its pattern can always still come to hold, so that who does not match it waits.
    Waits => "waits",
    /// Its refusal cannot be done here.
    Refusal => "refusal",
}

impl Kind {
    /// Whether the service does not start.
    pub fn is_fatal(self) -> bool {
        matches!(self, Self::Wrong | Self::Backend)
    }
}

/// Something to tell the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule it is of; `None` for the service itself.
    pub rule: Option<Arc<str>>,
    /// What it is.
    pub kind: Kind,
    /// What is wrong and what to do, in one line.
    pub text: String,
}

/// A rule that could be read.
struct Ready {
    rule: Rule,
    machine: Option<Machine>,
}

/// Looks at all rules, those too that keep the service from starting.
pub fn check(service: &Service) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut ready: Vec<Ready> = Vec::new();
    let mut budget = Budget::default();
    for rule in &service.rules {
        let mut found =
            |kind, text| findings.push(Finding { rule: Some(Arc::clone(&rule.name)), kind, text });
        let one = match read(rule) {
            Ok(one) => one,
            Err(error) => {
                found(Kind::Wrong, error.to_string());
                continue;
            }
        };
        check_backend(service, &one.rule, &mut found);
        check_alone(&one.rule, &mut found);
        if let Some(machine) = &one.machine {
            check_pattern(machine, seconds(service.timeouts.detect), &mut found);
        }
        let mut earlier = ready.iter().take(budget.rules);
        budget.rules = budget.rules.saturating_sub(ready.len());
        if let Some(earlier) = earlier.find(|earlier| holds_wherever(earlier, &one, &mut budget)) {
            let (kind, text) = covered(earlier, &one, &mut budget);
            found(kind, text);
        }
        ready.push(one);
    }
    check_defaults(service, &mut findings);
    if !findings.iter().any(|finding| finding.kind.is_fatal())
        && let Err(error) = Rules::new(service)
    {
        findings.push(Finding { rule: None, kind: Kind::Wrong, text: error.to_string() });
    }
    findings
}

fn read(rule: &crate::relay::plan::Rule) -> Result<Ready, crate::Error> {
    let rule = Rule::read(rule)?;
    let machine = rule.pattern.as_ref().map(super::patterns::Pattern::machine).transpose()?;
    Ok(Ready { rule, machine })
}

fn has_backend(service: &Service, name: &Arc<str>) -> bool {
    service.backends.iter().any(|backend| backend.name == *name)
}

fn check_backend(service: &Service, rule: &Rule, found: &mut impl FnMut(Kind, String)) {
    match &rule.backend {
        Some(name) if !has_backend(service, name) => {
            found(Kind::Backend, unknown_backend(name).to_string());
        }
        None if rule.refusal == Refusal::Wait => found(
            Kind::Refusal,
            "\"wait\" is for limits on connections: who is here was taken from the backlog, and is closed".to_owned(),
        ),
        _ => {}
    }
}

fn check_defaults(service: &Service, findings: &mut Vec<Finding>) {
    let defaults = service.port_defaults.iter().map(|(_, name)| name).chain(&service.default);
    for name in defaults.filter(|name| !has_backend(service, name)) {
        let text = unknown_backend(name).to_string();
        findings.push(Finding { rule: None, kind: Kind::Backend, text });
    }
}

/// What a rule says that cannot be.
fn check_alone(rule: &Rule, found: &mut impl FnMut(Kind, String)) {
    let seen = Services::of_clients();
    let unseen = |service: &&Protocol| rule.services.has(**service) && !seen.has(**service);
    for service in Protocol::ALL.iter().filter(unseen) {
        let name = service.name();
        found(
            Kind::Never,
            format!(
                "{name} is not shown by a client's first bytes alone: give its port a default instead"
            ),
        );
    }
    let tls = rule.sni.is_some() || !rule.alpn.is_empty();
    let asks =
        [(tls, Protocol::Tls, "sni and alpn"), (rule.host.is_some(), Protocol::Http, "host")];
    for (asked, service, what) in asks {
        if asked && !spoken(rule).has(service) {
            let name = service.name();
            found(
                Kind::Never,
                format!("{what} is said in {name} only, which another condition excludes"),
            );
        }
    }
}

fn check_pattern(machine: &Machine, detect: f64, found: &mut impl FnMut(Kind, String)) {
    let begin = machine.mark(BEGIN);
    if begin.may == 0 {
        found(Kind::Never, "its pattern matches nothing".to_owned());
    } else if begin.holds != 0 {
        found(
            Kind::Empty,
            "its pattern matches the empty string, so it holds of everybody: leave it out, or ask for a byte".to_owned(),
        );
    } else if machine.marks().iter().all(|mark| mark.may != 0) {
        found(
            Kind::Waits,
            format!(
                "its pattern may always match further on, so that all others wait {detect} s (detect) for the rules behind: begin it with ^ and bound its repetitions, or put it last"
            ),
        );
    }
}

/// Whether a rule holds wherever another does.
fn holds_wherever(one: &Ready, other: &Ready, budget: &mut Budget) -> bool {
    if !covers(&one.rule, &other.rule) {
        return false;
    }
    match (&one.machine, &other.machine) {
        (None, _) => true,
        (Some(_), Some(_)) if one.rule.pattern == other.rule.pattern => true,
        (Some(machine), Some(other)) => covers_pattern(machine, other, budget) == Some(true),
        (Some(machine), None) => machine.mark(BEGIN).holds != 0,
    }
}

fn covered(earlier: &Ready, one: &Ready, budget: &mut Budget) -> (Kind, String) {
    let name = &earlier.rule.name;
    let outcome =
        |rule: &Rule| (rule.backend.clone(), rule.backend.is_none().then_some(rule.refusal));
    if !holds_wherever(one, earlier, budget) {
        let text = format!("never reached: rule \"{name}\" before it holds wherever it does");
        (Kind::Unreachable, text)
    } else if outcome(&earlier.rule) == outcome(&one.rule) {
        (Kind::Duplicate, format!("says what rule \"{name}\" before it says"))
    } else {
        let text = format!(
            "asks for what rule \"{name}\" before it asks for, but goes elsewhere: that one wins"
        );
        (Kind::Conflict, text)
    }
}
