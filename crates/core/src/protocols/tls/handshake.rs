//! One handshake, as far as it is in clear: what both sides have said so far, and its row.

use super::certificate;
use super::hello::{ClientHello, EARLY_DATA, ENCRYPTED_CLIENT_HELLO, ServerHello};
use super::messages::{
    CERTIFICATE, CHAIN_HEADER, CLIENT_HELLO, Messages, SERVER_HELLO, SERVER_HELLO_DONE,
    SERVER_KEY_EXCHANGE,
};
use super::names::is_tls13;
use crate::flow::Direction;
use crate::packet::Nanos;
use crate::protocols::{Budget, Buffer, Context, NameSource, Violation};

/// The level of an alert that ends the connection.
pub(super) const FATAL: u8 = 2;

/// Names that providers put in clear before all sites that they hide by Encrypted Client Hello.
const PUBLIC_NAMES: &[&[u8]] = &[b"cloudflare-ech.com", b"public.tls-ech.dev", b"cover.defo.ie"];

/// What carries a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::protocols) enum Transport {
    /// Records over TCP.
    Tcp,
    /// CRYPTO frames of QUIC.
    Quic,
}

impl Transport {
    /// As column `transport` has it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Quic => "quic",
        }
    }

    /// As JA4 has it.
    pub(super) fn letter(self) -> char {
        match self {
            Self::Tcp => 't',
            Self::Quic => 'q',
        }
    }
}

/// What both sides of one handshake have said so far; fed by TLS records or QUIC CRYPTO frames.
///
/// After a `HelloRetryRequest` there are two `ClientHello`s: the first is the one that counts, since
/// it is the client's own choice; of the server the last one counts.
pub(in crate::protocols) struct Handshake {
    sides: [Messages; 2],
    pub(super) known: Known,
}

/// What was said. Of the client's hello its bytes are kept, since they are the shortest form of it.
#[allow(clippy::struct_excessive_bools)] // Facts of their own, in any mixture.
pub(super) struct Known {
    pub transport: Transport,
    /// When the first byte was seen.
    pub ts: Option<Nanos>,
    /// The direction in which the client speaks.
    pub client: Option<Direction>,
    /// The first `ClientHello`'s body.
    pub hello: Buffer,
    /// Whether that came in the form of SSL 2.0, so that it has no fingerprint.
    pub old_form: bool,
    pub reply: Option<Box<ServerHello>>,
    /// Whether the server asked for another `ClientHello`.
    retried: bool,
    /// Whether the server said what it says only without resumption (up to TLS 1.2).
    full: bool,
    /// Whether the server began to encrypt, up to TLS 1.2.
    changed: bool,
    /// The server's certificate as [`certificate`] packs it.
    pub certificate: Buffer,
    /// A certificate that could not be read: counted when all is done.
    flaw: Option<Violation>,
    /// Level and description of the first fatal alert, or else of the first.
    pub alert: Option<(u8, u8)>,
    pub established: bool,
    written: bool,
}

impl Handshake {
    /// Nothing said yet.
    pub(in crate::protocols) fn new(transport: Transport, budget: &Budget) -> Self {
        let known = Known {
            transport,
            ts: None,
            client: None,
            hello: Buffer::new(budget),
            old_form: false,
            reply: None,
            retried: false,
            full: false,
            changed: false,
            certificate: Buffer::new(budget),
            flaw: None,
            alert: None,
            established: false,
            written: false,
        };
        Self { sides: [Messages::new(budget), Messages::new(budget)], known }
    }

    /// The next bytes of one direction's handshake messages, in order (any cut).
    pub(in crate::protocols) fn feed(
        &mut self,
        from: Direction,
        ts: Nanos,
        data: &[u8],
        context: &mut Context<'_>,
    ) -> Result<(), Violation> {
        let known = std::cell::RefCell::new(&mut self.known);
        known.borrow_mut().ts.get_or_insert(ts);
        let Some(side) = self.sides.get_mut(from as usize) else {
            return Ok(());
        };
        side.feed(
            data,
            || known.borrow().wants_certificate(from),
            |kind, body| known.borrow_mut().message(from, kind, body, context),
        )
    }

    /// Whether `ServerHello` (and what follows it in clear) is known, so that nothing more is wanted.
    pub(in crate::protocols) fn is_complete(&self) -> bool {
        let known = &self.known;
        !known.hello.is_empty() && known.reply.is_some() && (known.is_tls13() || known.full)
    }

    /// Call when both sides were seen to encrypt, or to have done so.
    pub(in crate::protocols) fn established(&mut self) {
        self.known.established = true;
    }

    /// The connection was ended with an alert that has no level of its own (QUIC).
    pub(in crate::protocols) fn closed(&mut self, ts: Nanos, description: u8) {
        self.known.alert(ts, FATAL, description);
    }

    /// Writes a row that has nothing but a version of QUIC that we do not read.
    pub(in crate::protocols) fn write_unread(
        mut self,
        ts: Nanos,
        context: &mut Context<'_>,
        quic_version: &str,
    ) {
        self.known.ts = Some(ts);
        self.known.push(context, Some(quic_version));
    }

    /// Writes the row, once, if anything is known; gives all memory back.
    pub(in crate::protocols) fn write(
        &mut self,
        context: &mut Context<'_>,
        quic_version: Option<&str>,
    ) {
        let known = &mut self.known;
        let heard = !known.hello.is_empty() || known.reply.is_some() || known.alert.is_some();
        if heard && !std::mem::replace(&mut known.written, true) {
            known.push(context, quic_version);
        }
        self.sides.iter_mut().for_each(Messages::clear);
        self.known.hello.clear();
        self.known.certificate.clear();
    }
}

impl Known {
    /// The client's hello.
    pub(super) fn client_hello(&self) -> Option<ClientHello<'_>> {
        if self.hello.is_empty() { None } else { ClientHello::read(self.hello.bytes()) }
    }

    /// Whether both sides speak TLS 1.3, as far as is known.
    pub(super) fn is_tls13(&self) -> bool {
        self.retried || self.reply.as_ref().is_some_and(|reply| is_tls13(reply.version))
    }

    /// Whether the client may encrypt before the server has answered.
    pub(super) fn offers_early_data(&self) -> bool {
        self.client_hello().is_none_or(|hello| hello.extension(EARLY_DATA).is_some())
    }

    /// What was wrong without ending the handshake.
    pub(super) fn flaw(&self) -> Result<(), Violation> {
        self.flaw.map_or(Ok(()), Err)
    }

    /// An alert in clear.
    pub(super) fn alert(&mut self, ts: Nanos, level: u8, description: u8) {
        self.ts.get_or_insert(ts);
        if self.alert.is_none_or(|(first, _)| first != FATAL && level == FATAL) {
            self.alert = Some((level, description));
        }
    }

    /// A direction went on to encryption, up to TLS 1.2.
    pub(super) fn changed_cipher(&mut self, from: Direction) {
        self.changed |= self.client == Some(from.reverse()) && self.reply.is_some();
    }

    /// Whether an earlier session goes on; `None` without a reply.
    pub(super) fn resumed(&self) -> Option<bool> {
        let reply = self.reply.as_ref()?;
        if self.is_tls13() {
            return Some(reply.pre_shared_key);
        }
        if self.full || self.changed {
            return Some(!self.full);
        }
        let hello = self.client_hello()?;
        Some(!hello.session_id.is_empty() && hello.session_id == &*reply.session_id)
    }

    fn wants_certificate(&self, from: Direction) -> bool {
        self.client != Some(from) && self.certificate.is_empty() && self.flaw.is_none()
    }

    /// A message, as [`Messages::feed`] gives it.
    fn message(
        &mut self,
        from: Direction,
        kind: u8,
        body: &[u8],
        context: &mut Context<'_>,
    ) -> Result<(), Violation> {
        match kind {
            CLIENT_HELLO if self.hello.is_empty() => self.client_said(from, body, context)?,
            SERVER_HELLO if self.reply.is_none() => self.server_said(from, body)?,
            CERTIFICATE if self.client != Some(from) => {
                self.full = true;
                if let Some(packed) = self.leaf(from, body) {
                    self.certificate.extend(&packed)?;
                }
            }
            SERVER_KEY_EXCHANGE | SERVER_HELLO_DONE => self.full = true,
            _ => {}
        }
        Ok(())
    }

    fn client_said(
        &mut self,
        from: Direction,
        body: &[u8],
        context: &mut Context<'_>,
    ) -> Result<(), Violation> {
        let hello = ClientHello::read(body).ok_or(Violation("tls client hello malformed"))?;
        self.hello.extend(body)?;
        self.client = Some(from);
        if let Some(name) = hello.server_name()
            && let Some(source) = self.name_source(&hello, name)
        {
            context.name(name, source, self.ts.unwrap_or_default());
        }
        Ok(())
    }

    /// What a server name is worth. With Encrypted Client Hello it is the site's own, if that is
    /// only GREASE as browsers send it to all, else a public name that hides the site. Nobody can
    /// see which from outside, so it gets a source of its own; known public names are none.
    fn name_source(&self, hello: &ClientHello<'_>, name: &[u8]) -> Option<NameSource> {
        if hello.extension(ENCRYPTED_CLIENT_HELLO).is_some() {
            let public = PUBLIC_NAMES.iter().any(|public| name.eq_ignore_ascii_case(public));
            return (!public).then_some(NameSource::Ech);
        }
        Some(match self.transport {
            Transport::Tcp => NameSource::Sni,
            Transport::Quic => NameSource::Quic,
        })
    }

    fn server_said(&mut self, from: Direction, body: &[u8]) -> Result<(), Violation> {
        let reply = ServerHello::read(body).ok_or(Violation("tls server hello malformed"))?;
        self.client.get_or_insert(from.reverse());
        if reply.retry {
            self.retried = true;
        } else {
            self.reply = Some(Box::new(reply));
        }
        Ok(())
    }

    /// The server's own certificate, the first of the chain.
    fn leaf(&mut self, from: Direction, body: &[u8]) -> Option<Vec<u8>> {
        if body.is_empty() || !self.wants_certificate(from) {
            return None;
        }
        let packed = certificate::pack(body.get(CHAIN_HEADER..).unwrap_or_default());
        if packed.is_none() {
            let cut = body.len() == CHAIN_HEADER;
            let kind = if cut { "tls certificate too long" } else { "tls certificate malformed" };
            self.flaw = Some(Violation(kind));
        }
        packed
    }
}
