//! Where TLS begins inside another protocol: both ends agree on it, and what follows is to be
//! recognised anew. Nothing else is read; the connection keeps its service's name.

mod lines;
mod packets;

pub(super) use lines::{ftp, imap, pop3, smtp};
pub(super) use packets::{mysql, postgresql, rdp};
