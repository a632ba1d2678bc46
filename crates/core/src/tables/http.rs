//! Table `http`: one row per HTTP/1 transaction.

use super::{Opt, Said, Seconds, Text, Time, U16, U32, U64, table};

table! {
    /// One HTTP/1.0 or 1.1 transaction: a request and the reply in its place in line. Without a request seen, its columns are NULL; without a reply, the reply's.
    "http", HttpRow, HttpTable {
        /// When the request's first byte was seen; the reply's where the request was not seen.
        ts: Time,
        /// The connection.
        uid: Text,
        /// Name of the observer.
        sensor: Text,
        /// Interface the connection was first seen on.
        iface: Text,
        /// Address of the client.
        src_ip: Text,
        /// Port of the client.
        src_port: U16,
        /// Address of the server.
        dst_ip: Text,
        /// Port of the server.
        dst_port: U16,
        /// Place of the transaction in its connection, from 1.
        trans_depth: U32,
        /// Request method, as sent.
        method: Opt<Said>,
        /// Host header as sent, port included; the authority of the URI where that has one.
        host: Opt<Said>,
        /// Request target as sent; passwords in it, and its query if so configured, are [redacted].
        uri: Opt<Said>,
        /// First path element of the target, such as /api.
        section: Opt<Said>,
        /// Protocol version of the request, else of the reply: 1.0, 1.1.
        version: Opt<Text>,
        /// Status code of the final reply.
        status: Opt<U16>,
        /// Reason phrase of the final reply.
        reason: Opt<Said>,
        /// Status code of the last interim reply (100 to 199) before it.
        interim_status: Opt<U16>,
        /// Bytes of the request's body, without the framing of chunks.
        request_body: U64,
        /// Bytes of the reply's body, without the framing of chunks; NULL without a reply.
        response_body: Opt<U64>,
        /// User-Agent of the request.
        user_agent: Opt<Said>,
        /// Referer of the request.
        referrer: Opt<Said>,
        /// Content-Type of the reply.
        content_type: Opt<Said>,
        /// Content-Type of the request.
        request_content_type: Opt<Said>,
        /// Location of the reply.
        location: Opt<Said>,
        /// Server of the reply.
        server: Opt<Said>,
        /// Authorization of the request: its scheme and [redacted], unless credentials are kept.
        auth: Opt<Said>,
        /// Cookie of the request: [redacted], unless credentials are kept.
        cookie: Opt<Said>,
        /// Protocol the connection was upgraded to, such as websocket.
        upgrade: Opt<Said>,
        /// Seconds from the end of the request to the first byte of the reply.
        latency: Opt<Seconds>,
        /// Seconds from the first byte of the request to the last byte of the reply.
        duration: Opt<Seconds>,
        /// How the transaction was cut short: no request, no reply, gap, unfinished. NULL if it is whole.
        incomplete: Opt<Text>,
    }
}
