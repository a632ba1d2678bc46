//! What happens to a connection, what is done about it, and why it ends.

use crate::flow::Direction;
use crate::relay::plan::Refusal;

/// Why connections end, beyond what limits and rules say.
pub mod cause {
    /// Both ends were done.
    pub const FIN: &str = "fin";
    /// The client broke it off.
    pub const CLIENT_RESET: &str = "client_reset";
    /// The backend broke it off.
    pub const BACKEND_RESET: &str = "backend_reset";
    /// Nothing passed for too long.
    pub const IDLE: &str = "idle";
    /// One end was done, and nothing passed for too long.
    pub const HALF_CLOSED: &str = "half_closed";
    /// A receiver took nothing for too long.
    pub const WRITE_STALL: &str = "write_stall";
    /// It lasted as long as it may.
    pub const LIFETIME: &str = "lifetime";
    /// The relay stopped.
    pub const DRAIN: &str = "drain";
    /// The relay stopped at once.
    pub const STOP: &str = "stop";
    /// Somebody ended it.
    pub const KILLED: &str = "killed";
    /// Its address is rejected.
    pub const REJECTED: &str = "rejected";
    /// The backend's port is closed.
    pub const CONNECT_REFUSED: &str = "connect_refused";
    /// The backend did not answer.
    pub const CONNECT_TIMEOUT: &str = "connect_timeout";
    /// No way to the backend.
    pub const UNREACHABLE: &str = "unreachable";
    /// No backend to go to.
    pub const NO_BACKEND: &str = "no_backend";
    /// No PROXY header where one has to be.
    pub const PROXY_HEADER: &str = "proxy_header";
    /// A rule refuses it, or none takes it.
    pub const RULE: &str = "rule";
    /// It came to a steered door's socket for a port that is not the door's.
    pub const PORT: &str = "port";
    /// It was gone before it was accepted; there is no event of it.
    pub const GONE: &str = "gone";
    /// No more files may be opened.
    pub const FILES: &str = "files";
}

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Its PROXY header is waited for.
    Header,
    /// Its first bytes are waited for.
    Looking,
    /// A backend is called.
    Connecting,
    /// Bytes pass.
    Relaying,
    /// It was refused and is kept waiting.
    Held,
    /// It is over.
    Over,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// It was accepted, or its PROXY header is whole: on to its first bytes.
    Begin {
        /// Whether anybody looks at its first bytes.
        looks: bool,
    },
    /// So many bytes came.
    Read(Direction, usize),
    /// The sender of this direction is done.
    Ended(Direction),
    /// The sender of this direction broke off.
    Broken(Direction),
    /// The receiver of this direction takes nothing more.
    Deaf(Direction),
    /// Bytes of this direction wait for its receiver.
    Waiting(Direction),
    /// The receiver took some; some still wait.
    Moved(Direction),
    /// None wait any more.
    Drained(Direction),
    /// It is known where it goes.
    Taken,
    /// It is not let in.
    Refused(Refusal, &'static str),
    /// A target answered.
    Connected,
    /// A target did not.
    Failed(&'static str),
    /// There is no other target.
    NoTarget,
    /// It is to end.
    Close(&'static str),
    /// Time passed.
    Time,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Nothing.
    Nothing,
    /// Ask the rules about what has come so far.
    Judge {
        /// Nothing more will come.
        over: bool,
    },
    /// Give up the target there is, if any, and call the next.
    Connect,
    /// Tell the receiver of this direction that the sender is done.
    Finish(Direction),
    /// Send the client a byte.
    Drip,
    /// Close both ends.
    Close(&'static str),
    /// Reset both ends, as far as they have had everything.
    Reset(&'static str),
}
