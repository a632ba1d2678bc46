//! Rules without a relay: what is wrong with them, and where first bytes would go.

use pyo3::prelude::*;
use tidegate_core::relay::detect::{self, First, Rules, Verdict};

use super::plan;
use crate::error::away;

/// A rule, the kind of what was found, whether it keeps the service from starting, and what to do.
type Found = (Option<String>, &'static str, bool, String);

/// Backend, rule, protocol and refusal.
type Taken = (Option<String>, Option<String>, Option<&'static str>, &'static str);

#[pyfunction]
pub(crate) fn relay_check(py: Python<'_>, service: &Bound<'_, PyAny>) -> PyResult<Vec<Found>> {
    let service = plan::service(service)?;
    let findings = away(py, || Ok(detect::check(&service)))?;
    let told = findings.into_iter().map(|finding| {
        let rule = finding.rule.map(|name| name.to_string());
        (rule, finding.kind.name(), finding.kind.is_fatal(), finding.text)
    });
    Ok(told.collect())
}

#[pyfunction]
#[pyo3(signature = (service, first_bytes, source, port, over, country=None))]
pub(crate) fn relay_judge(
    py: Python<'_>,
    service: &Bound<'_, PyAny>,
    first_bytes: &[u8],
    source: &str,
    port: u16,
    over: bool,
    country: Option<&str>,
) -> PyResult<Option<Taken>> {
    let service = plan::service(service)?;
    let source = plan::address(source)?;
    let verdict = away(py, || {
        let first = First { data: first_bytes, source, port, country, over };
        Ok(Rules::new(&service)?.judge(&first))
    })?;
    Ok(match verdict {
        Verdict::Wait => None,
        Verdict::Take { backend, rule, service, refusal } => {
            let text = |name: std::sync::Arc<str>| name.to_string();
            Some((backend.map(text), rule.map(text), service, refusal.name()))
        }
    })
}
