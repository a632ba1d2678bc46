//! Table `relay`: one row per event of a relayed connection.

use super::{Opt, Said, Seconds, Text, Time, U16, U32, U64, table};

table! {
    /// One event of the relay: a connection accepted, recognised, connected, bytes received and sent, its end; or a notice of the relay itself.
    "relay", RelayRow, RelayTable {
        /// When it happened (UTC, nanoseconds).
        ts: Time,
        /// Name of the observer.
        sensor: Text,
        /// The connection; joins conn, http, tls and the others. Missing for who was refused at the door, and for notices.
        uid: Opt<Text>,
        /// Number of the connection since the relay started, from 1; missing for notices.
        connection_id: Opt<U64>,
        /// The service that took it; missing for notices of the relay as a whole.
        service: Opt<Text>,
        /// accept, detect, connect, recv (from the client), send (to the client), close, refused, notice.
        r#type: Text,
        /// Transport: tcp.
        proto: Text,
        /// Address of the client: as the PROXY header has it where that is believed.
        client_ip: Opt<Text>,
        /// Port of the client.
        client_port: Opt<U16>,
        /// Address the client called.
        server_ip: Opt<Text>,
        /// Port the client called: the original one, however the connection came to us.
        server_port: Opt<U16>,
        /// Address of the backend, or the path of its unix socket.
        remote_ip: Opt<Text>,
        /// Port of the backend.
        remote_port: Opt<U16>,
        /// Address of our end towards the backend.
        local_ip: Opt<Text>,
        /// Port of our end towards the backend.
        local_port: Opt<U16>,
        /// Name of the backend that was chosen.
        backend: Opt<Text>,
        /// The rule that chose it; missing where none did.
        rule: Opt<Text>,
        /// What the client speaks, by its first bytes.
        protocol: Opt<Text>,
        /// Of close: why it ended, as conn.relay_cause. Of refused: why it was not let in. Of connect: why a target did not answer; missing if it did.
        cause: Opt<Text>,
        /// Bytes of this read (recv, send), or that were looked at (detect).
        size: Opt<U64>,
        /// The excerpt, escaped.
        payload: Opt<Said>,
        /// The excerpt in base 64.
        payload_base64: Opt<Text>,
        /// SHA-256 of the excerpt, not of all bytes that passed.
        sha256: Opt<Text>,
        /// SHA-1 of the excerpt.
        sha1: Opt<Text>,
        /// Of close: bytes from the client.
        up_bytes: Opt<U64>,
        /// Of close: bytes to the client.
        down_bytes: Opt<U64>,
        /// Seconds from accept until it was known where it goes (detect, close).
        detect_duration: Opt<Seconds>,
        /// Seconds from then until a backend answered (connect, close).
        connect_duration: Opt<Seconds>,
        /// Seconds from accept until now.
        duration: Opt<Seconds>,
        /// Of close: smoothed round-trip time to the client, in seconds, as the kernel has it.
        rtt_client: Opt<Seconds>,
        /// Of close: smoothed round-trip time to the backend.
        rtt_backend: Opt<Seconds>,
        /// Of notice: what it says.
        text: Opt<Text>,
        later {
            /// Place of the client: country, as ISO 3166-1 code.
            client_country: Opt<Text>,
            /// Place of the client: city.
            client_city: Opt<Text>,
            /// Place of the client: number of its autonomous system.
            client_asn: Opt<U32>,
            /// Place of the client: organisation of its autonomous system.
            client_as_org: Opt<Text>,
        }
    }
}
