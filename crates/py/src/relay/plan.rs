//! A plan as Python has it (`tidegate.relay.plan`), read by its attributes.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use pyo3::conversion::FromPyObjectOwned;
use pyo3::prelude::*;
use tidegate_core::Error;
use tidegate_core::packet::Nanos;
use tidegate_core::relay::duplicate;
use tidegate_core::relay::plan::{
    Address, Backend, Door, Excerpts, Limits, Plan, ProxyVersion, Refusal, Rule, Service, Steering,
    Timeouts,
};

use crate::error::raised;

/// Listening sockets that came with the plan, by where their door is.
pub(super) type Handed = Vec<(SocketAddr, OwnedFd)>;

type Any<'a, 'py> = &'a Bound<'py, PyAny>;

/// Reads a plan.
pub(super) fn plan(from: Any<'_, '_>) -> PyResult<(Plan, Handed)> {
    let mut handed = Handed::new();
    let services = each(from, "services", |service| read_service(service, &mut handed))?;
    let plan = Plan {
        services,
        sensor: get(from, "sensor")?,
        threads: get(from, "threads")?,
        memory: get(from, "memory")?,
        connections: get(from, "connections")?,
        spare_files: get(from, "spare_files")?,
        drain: span(from, "drain")?,
        countries: get::<Option<String>>(from, "countries")?.map(Into::into),
    };
    Ok((plan, handed))
}

/// Reads one service, as far as its rules are asked.
pub(super) fn service(from: Any<'_, '_>) -> PyResult<Service> {
    read_service(from, &mut Handed::new())
}

fn read_service(from: Any<'_, '_>, handed: &mut Handed) -> PyResult<Service> {
    let port_defaults: Vec<(u16, u16, String)> = get(from, "port_defaults")?;
    let port_defaults = port_defaults.into_iter();
    Ok(Service {
        name: text(from, "name")?,
        doors: each(from, "doors", |door| read_door(door, handed))?,
        backends: each(from, "backends", read_backend)?,
        default: maybe_text(from, "default")?,
        port_defaults: port_defaults
            .map(|(first, last, name)| ((first, last), Arc::from(name)))
            .collect(),
        rules: each(from, "rules", read_rule)?,
        timeouts: read_timeouts(&from.getattr("timeouts")?)?,
        limits: read_limits(&from.getattr("limits")?)?,
        deny: get(from, "deny")?,
        allow: get(from, "allow")?,
        proxy_from: get(from, "proxy_from")?,
        excerpts: read_excerpts(&from.getattr("excerpts")?)?,
        keepalive: maybe_span(from, "keepalive")?,
        read_buffer: get(from, "read_buffer")?,
        write_buffer: get(from, "write_buffer")?,
        detect_bytes: get(from, "detect_bytes")?,
        listen_backlog: get(from, "listen_backlog")?,
        listen_retry: span(from, "listen_retry")?,
        parse: get(from, "parse")?,
        today: get(from, "today")?,
    })
}

fn read_door(from: Any<'_, '_>, handed: &mut Handed) -> PyResult<Door> {
    let ip = address(&get::<String>(from, "ip")?)?;
    for (port, number) in get::<Vec<(u16, i32)>>(from, "fds")? {
        handed.push((SocketAddr::new(ip, port), duplicate(number).map_err(raised)?));
    }
    let steering: String = get(from, "steering")?;
    Ok(Door {
        ip,
        ports: get(from, "ports")?,
        steering: Steering::of(&steering).ok_or_else(|| unknown("steering", &steering))?,
    })
}

fn read_backend(from: Any<'_, '_>) -> PyResult<Backend> {
    let target = |pair: Any<'_, '_>| {
        let (to, weight): (Bound<'_, PyAny>, u32) = pair.extract()?;
        let address = if let Some(path) = get::<Option<String>>(&to, "path")? {
            Address::Unix(path.into())
        } else {
            let ip: Option<String> = get(&to, "ip")?;
            let ip = address(&ip.unwrap_or_default())?;
            Address::Ip(SocketAddr::new(ip, get(&to, "port")?))
        };
        Ok((address, weight))
    };
    let version: Option<String> = get(from, "proxy_protocol")?;
    let known = |name: String| {
        ProxyVersion::of(&name).ok_or_else(|| unknown("version of the PROXY protocol", &name))
    };
    Ok(Backend {
        name: text(from, "name")?,
        targets: each(from, "targets", target)?,
        proxy_protocol: version.map(known).transpose()?,
    })
}

fn read_rule(from: Any<'_, '_>) -> PyResult<Rule> {
    Ok(Rule {
        name: text(from, "name")?,
        backend: maybe_text(from, "backend")?,
        pattern: get(from, "pattern")?,
        services: get(from, "services")?,
        sni: get(from, "sni")?,
        alpn: get(from, "alpn")?,
        host: get(from, "host")?,
        sources: get(from, "sources")?,
        countries: get(from, "countries")?,
        ports: get(from, "ports")?,
        refusal: refusal(from)?,
    })
}

fn read_timeouts(from: Any<'_, '_>) -> PyResult<Timeouts> {
    Ok(Timeouts {
        connect: span(from, "connect")?,
        first_byte: span(from, "first_byte")?,
        detect: span(from, "detect")?,
        idle: maybe_span(from, "idle")?,
        half_closed: maybe_span(from, "half_closed")?,
        write_stall: maybe_span(from, "write_stall")?,
        lifetime: maybe_span(from, "lifetime")?,
        tarpit: span(from, "tarpit")?,
    })
}

fn read_limits(from: Any<'_, '_>) -> PyResult<Limits> {
    Ok(Limits {
        connections: get(from, "connections")?,
        per_address: get(from, "per_address")?,
        per_network: get(from, "per_network")?,
        per_port: get(from, "per_port")?,
        network_v4: get(from, "network_v4")?,
        network_v6: get(from, "network_v6")?,
        addresses: get(from, "addresses")?,
        rate: get(from, "rate")?,
        burst: get(from, "burst")?,
        rate_per_address: get(from, "rate_per_address")?,
        burst_per_address: get(from, "burst_per_address")?,
        bytes_per_second: get(from, "bytes_per_second")?,
        bytes_per_second_connection: get(from, "bytes_per_second_connection")?,
        bytes_per_day: get(from, "bytes_per_day")?,
        refusal: refusal(from)?,
    })
}

fn read_excerpts(from: Any<'_, '_>) -> PyResult<Excerpts> {
    Ok(Excerpts {
        per_direction: get(from, "per_direction")?,
        per_read: get(from, "per_read")?,
        reads: get(from, "reads")?,
        hex: get(from, "hex")?,
    })
}

fn get<'py, T: FromPyObjectOwned<'py>>(from: Any<'_, 'py>, name: &str) -> PyResult<T> {
    let value = from.getattr(name)?;
    let wrong = |error: PyErr| {
        let error = error.value(value.py()).to_string();
        raised(Error::Usage(format!("{name}: {error}")))
    };
    value.extract().map_err(Into::into).map_err(wrong)
}

fn each<T>(
    from: Any<'_, '_>,
    name: &str,
    mut read: impl FnMut(Any<'_, '_>) -> PyResult<T>,
) -> PyResult<Vec<T>> {
    from.getattr(name)?.try_iter()?.map(|item| read(&item?)).collect()
}

fn text(from: Any<'_, '_>, name: &str) -> PyResult<Arc<str>> {
    Ok(Arc::from(get::<String>(from, name)?))
}

fn maybe_text(from: Any<'_, '_>, name: &str) -> PyResult<Option<Arc<str>>> {
    Ok(get::<Option<String>>(from, name)?.map(Arc::from))
}

fn refusal(from: Any<'_, '_>) -> PyResult<Refusal> {
    let name: String = get(from, "refusal")?;
    Refusal::of(&name).ok_or_else(|| unknown("refusal", &name))
}

/// Seconds, not below 0.
fn span(from: Any<'_, '_>, name: &str) -> PyResult<Nanos> {
    nanos(name, get(from, name)?)
}

fn maybe_span(from: Any<'_, '_>, name: &str) -> PyResult<Option<Nanos>> {
    get::<Option<f64>>(from, name)?.map(|seconds| nanos(name, seconds)).transpose()
}

/// Seconds as nanoseconds; more than a hundred years is a mistake.
pub(super) fn nanos(name: &str, seconds: f64) -> PyResult<Nanos> {
    if (0.0..=3.2e9).contains(&seconds) {
        return Ok((seconds * 1e9) as Nanos);
    }
    Err(raised(Error::Usage(format!("{name}: {seconds} is no span in seconds (0 to 3.2e9)"))))
}

/// An address as text.
pub(super) fn address(text: &str) -> PyResult<IpAddr> {
    let wrong = |_| raised(Error::Usage(format!("\"{text}\" is no IP address")));
    text.parse::<IpAddr>().map(|ip| ip.to_canonical()).map_err(wrong)
}

fn unknown(what: &str, name: &str) -> PyErr {
    raised(Error::Usage(format!("no {what} \"{name}\"")))
}
