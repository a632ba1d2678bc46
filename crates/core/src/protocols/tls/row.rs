//! A handshake as a row of table `tls`.

use std::borrow::Cow;

use super::certificate::Certificate;
use super::handshake::Known;
use super::hello::{ClientHello, ENCRYPTED_CLIENT_HELLO};
use super::ja4::ja4;
use super::names::{alert_text, suite_name, version_name};
use crate::flow::Direction;
use crate::protocols::Context;
use crate::tables::said;
use crate::tables::tls::TlsRow;

/// What a hello offers, in words.
struct Offer {
    highest: String,
    versions: Vec<Cow<'static, str>>,
    ciphers: Vec<Cow<'static, str>>,
    alpn: Vec<Cow<'static, str>>,
}

impl Offer {
    fn of(hello: &ClientHello<'_>) -> Self {
        Self {
            highest: version_name(hello.highest_version()),
            versions: hello
                .versions()
                .into_iter()
                .map(|version| version_name(version).into())
                .collect(),
            ciphers: hello.ciphers().map(suite_name).collect(),
            alpn: hello.alpn().map(|protocol| said(protocol).into_owned().into()).collect(),
        }
    }
}

impl Known {
    /// Writes the row.
    pub(super) fn push(&self, context: &mut Context<'_>, quic_version: Option<&str>) {
        let hello = self.client_hello();
        let offer = hello.as_ref().map(Offer::of);
        let reply = self.reply.as_deref();
        let version = reply.map(|reply| version_name(reply.version));
        let cipher = reply.map(|reply| suite_name(reply.cipher));
        let fingerprint = hello.filter(|_| !self.old_form).map(|hello| ja4(&hello, self.transport));
        let certificate = Certificate::unpack(self.certificate.bytes());
        let certificate = certificate.as_ref();
        let names = certificate.map(|certificate| {
            certificate.names().map(|name| said(name).into_owned().into()).collect()
        });
        let names: Option<Vec<Cow<'static, str>>> = names;
        let alert = self.alert.map(|(level, description)| alert_text(level, description));
        let ends = context.ends(self.client.unwrap_or(Direction::Up));
        context.rows.tls.push(&TlsRow {
            ts: self.ts.unwrap_or_default(),
            uid: &ends.uid,
            sensor: ends.sensor,
            iface: ends.iface,
            src_ip: &ends.src_ip,
            src_port: ends.src_port,
            dst_ip: &ends.dst_ip,
            dst_port: ends.dst_port,
            transport: self.transport.name(),
            sni: hello.and_then(|hello| hello.server_name()),
            version: version.as_deref(),
            cipher: cipher.as_deref(),
            alpn: reply.and_then(|reply| reply.alpn.as_deref()),
            client_version: offer.as_ref().map(|offer| offer.highest.as_str()),
            client_versions: offer.as_ref().map(|offer| offer.versions.as_slice()),
            client_ciphers: offer.as_ref().map(|offer| offer.ciphers.as_slice()),
            client_alpn: offer.as_ref().map(|offer| offer.alpn.as_slice()),
            ja4: fingerprint.as_deref(),
            resumed: self.resumed(),
            ech: hello.is_some_and(|hello| hello.extension(ENCRYPTED_CLIENT_HELLO).is_some()),
            subject: certificate.map(|certificate| certificate.subject),
            issuer: certificate.map(|certificate| certificate.issuer),
            not_before: certificate.and_then(|certificate| certificate.not_before),
            not_after: certificate.and_then(|certificate| certificate.not_after),
            certificate_names: names.as_deref(),
            quic_version,
            alert: alert.as_deref(),
            established: self.established,
        });
    }
}
