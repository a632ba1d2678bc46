//! All protocols of an engine: bytes of every connection in, rows of every protocol's table out.

use std::collections::BTreeMap;

use super::hosts::{self, Hosts};
use super::icmp::{self, Message};
use super::{Budget, Context, NameSource, Names, Settings, Talk, Violation};
use crate::decode::Arp;
use crate::flow::{Chunk, Flow, Observed};
use crate::health::Kinds;
use crate::tables::dns::DnsTable;
use crate::tables::host::HostTable;
use crate::tables::http::HttpTable;
use crate::tables::icmp::IcmpTable;
use crate::tables::ssh::SshTable;
use crate::tables::tls::TlsTable;
use crate::tables::{Batch, Table};

/// Writes the tables of parsers once: a field for each, and what is done with all of them.
macro_rules! spoken {
    ($($(#[doc = $doc:literal])+ $name:ident: $table:ty,)+) => {
        /// The tables that parsers fill.
        #[derive(Default)]
        pub struct Spoken {
            $($(#[doc = $doc])+ pub $name: $table,)+
        }

        impl Spoken {
            /// Moves to `ready` the tables that have at least `rows` rows, or long texts.
            pub fn gather(&mut self, rows: usize, ready: &mut Vec<Batch>) {
                $(self.$name.hand_over(rows, ready);)+
            }

            /// Switches off the tables that nobody wants.
            pub fn keep_only(&mut self, wanted: impl Fn(&str) -> bool) {
                $(self.$name.switch(wanted(<$table>::NAME));)+
            }

            /// Takes all rows, a batch for each table.
            pub fn take(&mut self) -> Vec<Batch> {
                vec![$(self.$name.finish(),)+]
            }
        }
    };
}

// A new table is one line here.
spoken! {
    /// HTTP transactions.
    http: HttpTable,
    /// TLS and QUIC handshakes.
    tls: TlsTable,
    /// DNS questions.
    dns: DnsTable,
    /// Pings and ICMP errors.
    icmp: IcmpTable,
    /// SSH identifications.
    ssh: SshTable,
    /// Machines of the local network.
    host: HostTable,
}

/// Listens to every connection.
pub struct Protocols {
    /// The tables being filled.
    pub rows: Spoken,
    names: Names,
    hosts: Hosts,
    budget: Budget,
    settings: Settings,
    violations: BTreeMap<&'static str, u64>,
}

impl Protocols {
    /// Nothing heard yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            rows: Spoken::default(),
            names: Names::new(settings.max_names),
            hosts: Hosts::new(hosts::MOST_FACTS),
            budget: Budget::new(settings.max_parser_buffers),
            settings,
            violations: BTreeMap::new(),
        }
    }

    /// Call with the next bytes of a stream.
    pub fn stream(&mut self, flow: &mut Flow, chunk: &Chunk<'_>, observed: Observed<'_>) {
        self.hear(flow, observed, false, |talk, context| talk.stream(chunk, context));
    }

    /// Call with a datagram; `cut` if the capture has only its beginning.
    pub fn datagram(
        &mut self,
        flow: &mut Flow,
        chunk: &Chunk<'_>,
        cut: bool,
        observed: Observed<'_>,
    ) {
        self.hear(flow, observed, cut, |talk, context| talk.datagram(chunk, context));
    }

    /// Call with what a machine says of its addresses by ARP.
    pub fn arp(&mut self, arp: &Arp, observed: Observed<'_>) {
        self.hosts.hear(&hosts::by_arp(arp), &mut self.rows.host, observed);
    }

    /// Call with an ICMP message.
    pub fn icmp(&mut self, flow: &mut Flow, message: &Message<'_>, observed: Observed<'_>) {
        if let Some(said) = hosts::by_ndp(message.segment) {
            self.hosts.hear(&said, &mut self.rows.host, observed);
        }
        if !flow.deaf {
            self.hear(flow, observed, false, |talk, context| icmp::hear(message, talk, context));
        }
    }

    /// Call when a connection is over, before its row is made.
    pub fn end(&mut self, flow: &mut Flow, observed: Observed<'_>) {
        if flow.talk.is_some() {
            self.hear(flow, observed, false, |talk, context| {
                talk.end(context);
                Ok(())
            });
        }
    }

    /// Call with a new connection: it may be named already.
    #[inline]
    pub fn opened(&mut self, flow: &mut Flow) {
        if self.names.is_empty() || flow.talk.as_ref().is_some_and(|talk| talk.name.is_some()) {
            return;
        }
        let (client, called) = flow.ends();
        if let Some(name) = self.names.find(&client.0, &called.0, flow.first) {
            flow.talk.get_or_insert_default().name = Some(name);
        }
    }

    /// What broke a protocol's rules, by kind.
    pub fn violations(&self) -> Kinds {
        self.violations.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect()
    }

    /// The memory of parsers.
    pub(super) fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Bytes that parsers hold.
    pub fn buffered(&self) -> usize {
        self.budget.used()
    }

    fn hear(
        &mut self,
        flow: &mut Flow,
        observed: Observed<'_>,
        cut: bool,
        say: impl FnOnce(&mut Talk, &mut Context<'_>) -> Result<(), Violation>,
    ) {
        let mut talk = flow.talk.take().unwrap_or_default();
        let mut context = Context {
            flow,
            rows: &mut self.rows,
            names: &mut self.names,
            hosts: &mut self.hosts,
            budget: &self.budget,
            settings: &self.settings,
            cut,
            observed,
            name: None,
            fault: None,
        };
        if let Err(Violation(kind)) = say(&mut talk, &mut context) {
            talk.end(&mut context);
            // What the capture cut is not its sender's fault.
            *self.violations.entry(kind).or_default() += u64::from(!cut);
        }
        if let Some(Violation(kind)) = context.fault {
            *self.violations.entry(kind).or_default() += 1;
        }
        if let Some(name) = context.name
            // An answer seen before knows better than a name that may hide the site.
            && (name.source != NameSource::Ech || talk.name.is_none())
        {
            talk.name = Some(name);
        }
        flow.deaf = talk.is_over();
        if !flow.deaf && !talk.is_empty() || talk.name.is_some() {
            flow.talk = Some(talk);
        }
    }
}
