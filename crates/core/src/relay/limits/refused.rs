//! Why somebody is not let in.

macro_rules! causes {
    ($($(#[doc = $doc:literal])+ $name:ident => $text:literal,)+) => {
        /// Which limit was reached.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Cause {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Cause {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// As events have it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

causes! {
    /// The address was rejected by hand.
    Rejected => "rejected",
    /// All services together have their connections.
    Relay => "relay_connections",
    /// The service has its connections.
    Connections => "connections",
    /// The address has its connections.
    PerAddress => "per_address",
    /// The network has its connections.
    PerNetwork => "per_network",
    /// The original port has its connections.
    PerPort => "per_port",
    /// The service has its different addresses, and this one is not among them.
    Addresses => "addresses",
    /// The service had its new connections for now.
    Rate => "rate",
    /// The address had its new connections for now.
    RatePerAddress => "rate_per_address",
    /// The service had its bytes for today.
    Day => "bytes_per_day",
}

/// Somebody was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Which limit was reached, as events have it.
    pub cause: &'static str,
}

impl From<Cause> for Refused {
    fn from(cause: Cause) -> Self {
        Self { cause: cause.name() }
    }
}
