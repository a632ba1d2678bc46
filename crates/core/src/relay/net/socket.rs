//! Sockets: listened on, accepted, connected; never blocking.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, Shutdown, SocketAddrAny, SocketAddrUnix, SocketFlags,
    SocketType, sockopt,
};

use crate::packet::Nanos;
use crate::relay::plan::{Address, Steering};

type Result<T> = std::result::Result<T, Errno>;

const FLAGS: SocketFlags = SocketFlags::NONBLOCK.union(SocketFlags::CLOEXEC);

/// What a listening socket is made of.
pub(in crate::relay) struct Listening {
    /// Connections that may wait to be accepted.
    pub(in crate::relay) backlog: u32,
    /// Silence after which the kernel asks for a sign of life.
    pub(in crate::relay) keepalive: Option<Nanos>,
}

/// Listens; what is accepted inherits its options. An address takes its own family only.
pub(in crate::relay) fn listen(at: SocketAddr, how: &Listening) -> std::io::Result<OwnedFd> {
    let family = if at.is_ipv6() { AddressFamily::INET6 } else { AddressFamily::INET };
    let socket = rustix::net::socket_with(family, SocketType::STREAM, FLAGS, None)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    if at.is_ipv6() {
        sockopt::set_ipv6_v6only(&socket, true)?;
    }
    rustix::net::bind(&socket, &at)?;
    adopt_listening(&socket, how)?;
    rustix::net::listen(&socket, i32::try_from(how.backlog).unwrap_or(i32::MAX))?;
    Ok(socket)
}

/// Gives a socket that somebody else has bound the options it would have had from us.
pub(in crate::relay) fn adopt_listening(socket: &OwnedFd, how: &Listening) -> std::io::Result<()> {
    rustix::io::ioctl_fionbio(socket, true)?;
    sockopt::set_tcp_nodelay(socket, true)?;
    keep_alive(socket, how.keepalive)?;
    Ok(())
}

/// The next connection that waits, and who opened it.
pub(in crate::relay) fn accept(listener: &OwnedFd) -> Result<(OwnedFd, SocketAddr)> {
    let (socket, peer) = rustix::net::acceptfrom_with(listener, FLAGS)?;
    let peer = peer.and_then(|peer| SocketAddr::try_from(peer).ok());
    // Gone again before we looked.
    peer.map(|peer| (socket, plain(peer))).ok_or(Errno::CONNABORTED)
}

/// Begins a connection; the socket becomes writable when it is there or has failed.
pub(in crate::relay) fn connect(to: &Address) -> Result<OwnedFd> {
    let (socket, begun) = match to {
        Address::Ip(address) => {
            let family = if address.is_ipv6() { AddressFamily::INET6 } else { AddressFamily::INET };
            let socket = rustix::net::socket_with(family, SocketType::STREAM, FLAGS, None)?;
            sockopt::set_tcp_nodelay(&socket, true)?;
            let begun = rustix::net::connect(&socket, address);
            (socket, begun)
        }
        Address::Unix(path) => {
            let family = AddressFamily::UNIX;
            let socket = rustix::net::socket_with(family, SocketType::STREAM, FLAGS, None)?;
            let begun = rustix::net::connect(&socket, &SocketAddrUnix::new(path.as_path())?);
            (socket, begun)
        }
    };
    match begun {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(socket),
        Err(error) => Err(error),
    }
}

/// Whether a connection that was begun is there.
pub(in crate::relay) fn connected(socket: &OwnedFd) -> Result<()> {
    sockopt::socket_error(socket)?
}

/// Our end of a connection.
pub(in crate::relay) fn local(socket: &OwnedFd) -> Option<SocketAddr> {
    address(rustix::net::getsockname(socket).ok()?)
}

/// The other end of a connection.
pub(in crate::relay) fn peer(socket: &OwnedFd) -> Option<SocketAddr> {
    address(rustix::net::getpeername(socket).ok()??)
}

/// Where the client wanted to go.
pub(in crate::relay) fn original(socket: &OwnedFd, steering: Steering) -> Option<SocketAddr> {
    #[cfg(target_os = "linux")]
    if steering == Steering::Redirect {
        let four = sockopt::ip_original_dst(socket).map(SocketAddr::V4);
        let rewritten = four.or_else(|_| sockopt::ipv6_original_dst(socket).map(SocketAddr::V6));
        if let Ok(rewritten) = rewritten {
            return Some(plain(rewritten));
        }
    }
    let _ = steering;
    local(socket)
}

/// Reads what is there, 0 at the end.
pub(in crate::relay) fn read(socket: &OwnedFd, buffer: &mut [u8]) -> Result<usize> {
    rustix::net::recv(socket, buffer, RecvFlags::empty()).map(|(_, read)| read)
}

/// Reads what is there, and leaves it there.
pub(in crate::relay) fn peek(socket: &OwnedFd, buffer: &mut [u8]) -> Result<usize> {
    rustix::net::recv(socket, buffer, RecvFlags::PEEK).map(|(_, read)| read)
}

/// Writes what fits.
pub(in crate::relay) fn write(socket: &OwnedFd, bytes: &[u8]) -> Result<usize> {
    rustix::net::send(socket, bytes, SendFlags::NOSIGNAL)
}

/// Says that nothing more comes from us.
pub(in crate::relay) fn finish(socket: &OwnedFd) {
    // Fails where the other end is gone, which reading tells.
    let _ = rustix::net::shutdown(socket, Shutdown::Write);
}

/// Lets closing the socket reset the connection.
pub(in crate::relay) fn reset_on_close(socket: &OwnedFd) {
    let _ = sockopt::set_socket_linger(socket, Some(Duration::ZERO));
}

/// Prepares a connection that somebody else has opened.
pub(in crate::relay) fn adopt(socket: &OwnedFd, keepalive: Option<Nanos>) -> Result<()> {
    rustix::io::ioctl_fionbio(socket, true)?;
    // A unix socket has neither.
    let _ = sockopt::set_tcp_nodelay(socket, true);
    let _ = keep_alive(socket, keepalive);
    Ok(())
}

/// Has the kernel ask for a sign of life after so long a silence.
pub(in crate::relay) fn keep_alive(socket: &OwnedFd, silence: Option<Nanos>) -> Result<()> {
    let Some(silence) = silence else {
        return Ok(());
    };
    let seconds = (silence / 1_000_000_000).clamp(1, 32_767).unsigned_abs();
    sockopt::set_socket_keepalive(socket, true)?;
    sockopt::set_tcp_keepidle(socket, Duration::from_secs(seconds))?;
    sockopt::set_tcp_keepintvl(socket, Duration::from_secs((seconds / 4).max(1)))?;
    sockopt::set_tcp_keepcnt(socket, 4)
}

fn address(any: SocketAddrAny) -> Option<SocketAddr> {
    SocketAddr::try_from(any).ok().map(plain)
}

/// A mapped IPv4 address in its own form.
fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
