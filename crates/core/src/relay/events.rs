//! What a thread of the relay has to tell: events, and the rows of connections and protocols.

use std::net::{IpAddr, SocketAddr};

use base64::Engine as _;
use sha1::Digest;

use super::excerpt;
use super::plan::Address;
use super::reactor::Conn;
use super::session::cause;
use super::shared::Notice;
use crate::decode::{self, mapped};
use crate::flow::{Chunk, Direction, EndReason, Observed, Relayed, address_text, relayed_row};
use crate::packet::{Nanos, seconds};
use crate::protocols::{Protocols, Service, Settings};
use crate::tables::conn::ConnTable;
use crate::tables::relay::{RelayRow, RelayTable};
use crate::tables::{Batch, Table};

/// Rows of a table that are handed on at once.
const BATCH_ROWS: usize = 8192;

/// How long rows lie here at most.
const PATIENCE: Nanos = 100_000_000;

/// The tables that a thread fills.
pub(super) struct Rows {
    pub(super) sensor: String,
    protocols: Protocols,
    conn: ConnTable,
    relay: RelayTable,
    /// When the oldest row may have come.
    since: Option<Nanos>,
}

/// What happened to a connection.
#[derive(Clone, Copy, Default)]
pub(super) struct Detail<'a> {
    pub(super) cause: Option<&'a str>,
    pub(super) size: Option<u64>,
    pub(super) payload: Option<&'a [u8]>,
    pub(super) rtt: [Option<Nanos>; 2],
}

/// Addresses as tables have them.
pub(super) fn address(ip: IpAddr) -> decode::Address {
    match ip {
        IpAddr::V4(ip) => mapped(ip.octets()),
        IpAddr::V6(ip) => ip.octets(),
    }
}

/// A row with nothing in it.
fn empty<'a>(ts: Nanos, sensor: &'a str, kind: &'a str) -> RelayRow<'a> {
    RelayRow {
        ts,
        sensor,
        uid: None,
        connection_id: None,
        service: None,
        r#type: kind,
        proto: "tcp",
        client_ip: None,
        client_port: None,
        server_ip: None,
        server_port: None,
        remote_ip: None,
        remote_port: None,
        local_ip: None,
        local_port: None,
        backend: None,
        rule: None,
        protocol: None,
        cause: None,
        size: None,
        payload: None,
        payload_base64: None,
        sha256: None,
        sha1: None,
        up_bytes: None,
        down_bytes: None,
        detect_duration: None,
        connect_duration: None,
        duration: None,
        rtt_client: None,
        rtt_backend: None,
        text: None,
    }
}

impl Rows {
    pub(super) fn new(sensor: String) -> Self {
        Self {
            sensor,
            protocols: Protocols::new(Settings::default()),
            conn: ConnTable::default(),
            relay: RelayTable::default(),
            since: None,
        }
    }

    /// Lets the protocols hear what one end said.
    pub(super) fn hear(&mut self, conn: &mut Conn, direction: Direction, data: &[u8], wall: Nanos) {
        let observed = Observed { sensor: &self.sensor, interfaces: &[] };
        let chunk = Chunk { direction, ts: wall, gap: 0, data };
        self.protocols.stream(&mut conn.flow, &chunk, observed);
    }

    /// Writes an event of a connection.
    pub(super) fn event(&mut self, conn: &Conn, kind: &str, wall: Nanos, detail: &Detail<'_>) {
        let uid = conn.flow.uid();
        let ((client, client_port), (server, server_port)) = conn.flow.ends();
        let (client, server) = (address_text(&client), address_text(&server));
        let remote = conn.remote();
        let (remote_ip, remote_port) = match remote {
            Some(Address::Ip(at)) => {
                (Some(address_text(&address(at.ip())).to_string()), Some(at.port()))
            }
            Some(Address::Unix(path)) => (Some(path.to_string_lossy().into_owned()), None),
            None => (None, None),
        };
        let local_ip = conn.local.map(|local| address_text(&address(local.ip())));
        let close = kind == "close";
        let texts = detail.payload.map(Texts::of);
        self.relay.push(&RelayRow {
            uid: Some(&uid),
            connection_id: Some(conn.id),
            service: Some(&conn.service.plan.name),
            client_ip: Some(&client),
            client_port: Some(client_port),
            server_ip: Some(&server),
            server_port: Some(server_port),
            remote_ip: remote_ip.as_deref(),
            remote_port,
            local_ip: local_ip.as_deref(),
            local_port: conn.local.map(|local| local.port()),
            backend: conn.backend.as_ref().map(|backend| &*backend.backend.name),
            rule: conn.rule.as_deref(),
            protocol: conn.protocol(),
            cause: detail.cause,
            size: detail.size,
            payload: detail.payload,
            payload_base64: texts.as_ref().map(|texts| texts.base64.as_str()),
            sha256: texts.as_ref().map(|texts| texts.sha256.as_str()),
            sha1: texts.as_ref().map(|texts| texts.sha1.as_str()),
            up_bytes: close.then_some(conn.session.up.bytes),
            down_bytes: close.then_some(conn.session.down.bytes),
            detect_duration: conn.detect_duration().map(seconds),
            connect_duration: conn.connect_duration().map(seconds),
            duration: Some(seconds((wall - conn.flow.first).max(0))),
            rtt_client: detail.rtt[0].map(seconds),
            rtt_backend: detail.rtt[1].map(seconds),
            ..empty(wall, &self.sensor, kind)
        });
        self.touched(wall);
    }

    /// Writes what of a read is kept, in events of a bounded size.
    pub(super) fn payload(
        &mut self,
        conn: &Conn,
        direction: Direction,
        read: &[u8],
        kept: usize,
        wall: Nanos,
    ) {
        let kind = match direction {
            Direction::Up => "recv",
            Direction::Down => "send",
        };
        let kept = read.get(..kept).unwrap_or(read);
        let mut left = read.len();
        let mut pieces = kept.chunks(excerpt::MOST).peekable();
        if pieces.peek().is_none() {
            let detail = Detail { size: Some(left as u64), ..Detail::default() };
            return self.event(conn, kind, wall, &detail);
        }
        while let Some(piece) = pieces.next() {
            // The last one speaks for what was not kept as well.
            let size = if pieces.peek().is_some() { piece.len() } else { left };
            left -= size;
            let detail =
                Detail { size: Some(size as u64), payload: Some(piece), ..Detail::default() };
            self.event(conn, kind, wall, &detail);
        }
    }

    /// Writes that somebody was not let in.
    pub(super) fn refused(
        &mut self,
        (id, service): (u64, &str),
        (client, server): (SocketAddr, SocketAddr),
        cause: &str,
        wall: Nanos,
    ) {
        let client_ip = address_text(&address(client.ip()));
        let server_ip = address_text(&address(server.ip()));
        self.relay.push(&RelayRow {
            connection_id: Some(id),
            service: Some(service),
            client_ip: Some(&client_ip),
            client_port: Some(client.port()),
            server_ip: Some(&server_ip),
            server_port: Some(server.port()),
            cause: Some(cause),
            ..empty(wall, &self.sensor, "refused")
        });
        self.touched(wall);
    }

    pub(super) fn notice(&mut self, notice: &Notice, wall: Nanos) {
        self.relay.push(&RelayRow {
            service: notice.service.as_deref(),
            text: Some(&notice.text),
            ..empty(wall, &self.sensor, "notice")
        });
        self.touched(wall);
    }

    /// Writes the last row of a connection.
    pub(super) fn ended(&mut self, conn: &mut Conn, why: &str, wall: Nanos) {
        let observed = Observed { sensor: &self.sensor, interfaces: &[] };
        self.protocols.end(&mut conn.flow, observed);
        let reason = match why {
            cause::FIN => EndReason::Fin,
            cause::CLIENT_RESET | cause::BACKEND_RESET => EndReason::Rst,
            cause::IDLE | cause::HALF_CLOSED => EndReason::Idle,
            _ => EndReason::Relay,
        };
        let relayed = Relayed {
            service: &conn.service.plan.name,
            rule: conn.rule.as_deref(),
            cause: Some(why),
        };
        relayed_row(&mut self.conn, &conn.flow, Some(reason), relayed, &observed);
        self.touched(wall);
    }

    /// Writes a row of a connection as it stands.
    pub(super) fn interim(&mut self, conn: &Conn, wall: Nanos) {
        let observed = Observed { sensor: &self.sensor, interfaces: &[] };
        let rule = conn.rule.as_deref();
        let relayed = Relayed { service: &conn.service.plan.name, rule, cause: None };
        relayed_row(&mut self.conn, &conn.flow, None, relayed, &observed);
        self.touched(wall);
    }

    fn touched(&mut self, wall: Nanos) {
        self.since.get_or_insert(wall);
    }

    /// When rows have to be handed on, if there are any.
    pub(super) fn due(&self) -> Option<Nanos> {
        self.since.map(|since| since + PATIENCE)
    }

    /// Rows to hand on: all of them if it is time, or of tables that are full.
    pub(super) fn drain(&mut self, wall: Nanos, all: bool) -> Vec<Batch> {
        let all = all || self.due().is_some_and(|due| wall >= due || wall < due - 2 * PATIENCE);
        let rows = if all { 1 } else { BATCH_ROWS };
        let mut ready = Vec::new();
        self.relay.hand_over(rows, &mut ready);
        self.protocols.rows.gather(rows, &mut ready);
        self.conn.hand_over(rows, &mut ready);
        if all {
            self.since = None;
        }
        ready
    }
}

/// An excerpt in the forms that rows have it in.
struct Texts {
    base64: String,
    sha256: String,
    sha1: String,
}

impl Texts {
    fn of(bytes: &[u8]) -> Self {
        Self {
            base64: base64::engine::general_purpose::STANDARD.encode(bytes),
            sha256: hex(&sha2::Sha256::digest(bytes)),
            sha1: hex(&sha1::Sha1::digest(bytes)),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

impl Conn {
    /// What the client speaks, as far as it is known.
    pub(super) fn protocol(&self) -> Option<&'static str> {
        self.flow.service.map(Service::name).or(self.detected)
    }
}
