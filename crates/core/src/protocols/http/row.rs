//! Rows of table `http`, made of a request, a reply, or both.

use super::exchange::Exchange;
use super::redact;
use super::waiting::Request;
use crate::packet::{Nanos, seconds_between};
use crate::protocols::Context;
use crate::tables::http::HttpRow;

/// A reply as its row needs it.
pub(super) struct ReplyView<'a> {
    pub(super) minor: u8,
    pub(super) status: u16,
    pub(super) first: Nanos,
    pub(super) last: Nanos,
    pub(super) body: u64,
    pub(super) cut: Option<&'static str>,
    pub(super) reason: Option<&'a [u8]>,
    pub(super) content_type: Option<&'a [u8]>,
    pub(super) location: Option<&'a [u8]>,
    pub(super) server: Option<&'a [u8]>,
    pub(super) upgrade: Option<&'a [u8]>,
}

impl Exchange {
    /// Writes a transaction.
    pub(super) fn write(
        &mut self,
        request: Option<&Request>,
        reply: Option<&ReplyView<'_>>,
        context: &mut Context<'_>,
    ) {
        let interim = std::mem::take(&mut self.interim);
        if request.is_none() {
            self.depth = self.depth.saturating_add(1);
        }
        let ends = context.ends(self.client);
        let asked = |at| request.and_then(|request| request.fields.get(at));
        let said = |get: for<'r> fn(&'r ReplyView<'_>) -> Option<&'r [u8]>| reply.and_then(get);
        let minor = request.and_then(|request| request.minor).or(reply.map(|reply| reply.minor));
        let method = asked(0).unwrap_or_default();
        context.rows.http.push(&HttpRow {
            ts: request
                .map(|request| request.first)
                .or(reply.map(|reply| reply.first))
                .unwrap_or(0),
            uid: &ends.uid,
            sensor: ends.sensor,
            iface: ends.iface,
            src_ip: &ends.src_ip,
            src_port: ends.src_port,
            dst_ip: &ends.dst_ip,
            dst_port: ends.dst_port,
            trans_depth: request.map_or(self.depth, |request| request.depth),
            method: asked(0),
            host: asked(2),
            uri: asked(1),
            section: asked(1).and_then(|target| redact::section(method, target)),
            version: minor.map(version),
            status: reply.map(|reply| reply.status),
            reason: said(|reply| reply.reason),
            interim_status: Some(interim).filter(|status| *status > 0),
            request_body: request.map_or(0, |request| request.body),
            response_body: reply.map(|reply| reply.body),
            user_agent: asked(3),
            referrer: asked(4),
            content_type: said(|reply| reply.content_type),
            request_content_type: asked(5),
            location: said(|reply| reply.location),
            server: said(|reply| reply.server),
            auth: asked(6),
            cookie: asked(7),
            upgrade: said(|reply| reply.upgrade),
            latency: latency(request, reply),
            duration: duration(request, reply),
            incomplete: self.incomplete(request, reply),
        });
    }

    fn incomplete(
        &self,
        request: Option<&Request>,
        reply: Option<&ReplyView<'_>>,
    ) -> Option<&'static str> {
        match (request, reply) {
            (None, _) => Some(if self.unsure { "gap" } else { "no request" }),
            (Some(request), None) => Some(request.why_alone(self.unsure)),
            (Some(request), Some(reply)) => request.why_cut().or(reply.cut),
        }
    }
}

/// From the request's end to the reply's beginning; none at all if the reply came first.
fn latency(request: Option<&Request>, reply: Option<&ReplyView<'_>>) -> Option<f64> {
    let asked = request?.last?;
    Some(seconds_between(asked, reply?.first))
}

/// From the request's beginning to the reply's end, if that was seen.
fn duration(request: Option<&Request>, reply: Option<&ReplyView<'_>>) -> Option<f64> {
    let reply = reply.filter(|reply| reply.cut.is_none())?;
    Some(seconds_between(request?.first, reply.last))
}

fn version(minor: u8) -> &'static str {
    const VERSIONS: [&str; 10] =
        ["1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7", "1.8", "1.9"];
    VERSIONS.get(usize::from(minor)).copied().unwrap_or("1.1")
}
