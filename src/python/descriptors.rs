//! Knows which descriptors are the web server's. An application that closed one would take away the
//! server's listeners, or a client's connection. Code that goes into the background closes them.
//!
//! A descriptor that was open when Python started is the server's, as long as it is the same file.
//! Among those that the server opened later, only connections to an address that it listens on can
//! be recognised.

use nix::sys::socket::sockopt::AcceptConn;
use nix::sys::socket::{SockaddrStorage, getsockname, getsockopt};
use nix::sys::stat::fstat;
use once_cell::sync::OnceCell;
use std::fs;
use std::os::fd::{BorrowedFd, RawFd};
use std::path::PathBuf;

/// The first descriptor that is not a standard one.
pub(super) const FIRST_FREE: RawFd = 3;

#[derive(Debug, Default)]
struct Host {
    files: Vec<(RawFd, Identity)>,
    listens: Vec<Address>,
}

static HOST: OnceCell<Host> = OnceCell::new();

/// Device and inode. No two sockets have the same.
type Identity = (libc::dev_t, libc::ino_t);

/// What a client connects to.
#[derive(Debug, PartialEq, Eq)]
enum Address {
    /// The port of an Internet address, since the rest may be any. Listeners of IPv6 also get
    /// connections of IPv4.
    Port(u16),
    /// The path of a socket in the file system.
    Path(PathBuf),
    /// The name of a socket in Linux's abstract namespace.
    Abstract(Vec<u8>),
}

/// Remembers which descriptors are open now. If that cannot be found out, no descriptor is known to
/// be the server's.
pub(super) fn remember() {
    let Ok(open) = fs::read_dir("/proc/self/fd") else { return };
    let names = open.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let open: Vec<RawFd> = names.filter(|fd| *fd >= FIRST_FREE).collect();
    let listens = open.iter().filter(|fd| is_listening(**fd)).filter_map(|fd| address(*fd));
    let host = Host {
        listens: listens.collect(),
        files: open.iter().filter_map(|fd| Some((*fd, identity(*fd)?.0))).collect(),
    };
    let _ = HOST.set(host);
}

/// Whether the server has the descriptor open. Callers check for the standard ones themselves.
pub(super) fn is_hosts(fd: RawFd) -> bool {
    let Some(host) = HOST.get() else { return false };
    let Some((identity, mode)) = identity(fd) else { return false };
    if host.files.contains(&(fd, identity)) {
        return true;
    }
    mode & libc::S_IFMT == libc::S_IFSOCK
        && address(fd).is_some_and(|address| host.listens.contains(&address))
}

pub(super) fn is_open(fd: RawFd) -> bool {
    identity(fd).is_some()
}

/// The process that a descriptor of `os.pidfd_open` stands for.
pub(super) fn process_of(fd: RawFd) -> Option<libc::pid_t> {
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).ok()?;
    info.lines().find_map(|line| line.strip_prefix("Pid:")?.trim().parse().ok())
}

fn identity(fd: RawFd) -> Option<(Identity, libc::mode_t)> {
    let status = ask(fd, |fd| fstat(fd))?;
    Some(((status.st_dev, status.st_ino), status.st_mode))
}

fn is_listening(fd: RawFd) -> bool {
    ask(fd, |fd| getsockopt(&fd, AcceptConn)).unwrap_or(false)
}

/// Asks the kernel about the file that is open at `fd`. None if there is none, or if the kernel has
/// no answer.
fn ask<T>(fd: RawFd, question: impl FnOnce(BorrowedFd<'_>) -> nix::Result<T>) -> Option<T> {
    if fd < 0 {
        return None;
    }
    // SAFETY: not -1. `question` is one call that only reads. If no file is open there, the call
    // fails. If another one is open by now, its answer is about that one.
    question(unsafe { BorrowedFd::borrow_raw(fd) }).ok()
}

fn address(fd: RawFd) -> Option<Address> {
    let address: SockaddrStorage = getsockname(fd).ok()?;
    if let Some(address) = address.as_sockaddr_in() {
        return Some(Address::Port(address.port()));
    }
    if let Some(address) = address.as_sockaddr_in6() {
        return Some(Address::Port(address.port()));
    }
    let address = address.as_unix_addr()?;
    let path = address.path().map(|path| Address::Path(path.to_owned()));
    // A socket without a name is one of a pair, or a client.
    path.or_else(|| address.as_abstract().map(|name| Address::Abstract(name.to_vec())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsRawFd;
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};

    #[test]
    fn a_connection_has_the_address_that_was_listened_on_and_a_client_has_not() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        assert!(is_listening(listener.as_raw_fd()));
        assert!(!is_listening(server.as_raw_fd()));
        assert_eq!(address(server.as_raw_fd()), address(listener.as_raw_fd()));
        assert_ne!(address(client.as_raw_fd()), address(listener.as_raw_fd()));
        assert_ne!(identity(server.as_raw_fd()), identity(client.as_raw_fd()));
        assert_eq!(identity(-1), None);
    }

    #[test]
    fn a_unix_socket_is_known_by_its_path_or_its_abstract_name() {
        let path = std::env::temp_dir().join(format!("wsgi-descriptors-{}", std::process::id()));
        let _ = fs::remove_file(&path);
        let in_files = UnixListener::bind(&path).unwrap();
        assert_eq!(address(in_files.as_raw_fd()), Some(Address::Path(path.clone())));
        let client = UnixStream::connect(&path).unwrap();
        let (server, _) = in_files.accept().unwrap();
        fs::remove_file(&path).unwrap();
        assert_eq!(address(server.as_raw_fd()), address(in_files.as_raw_fd()));
        assert_eq!(address(client.as_raw_fd()), None);
        let name = format!("wsgi-descriptors-{}", std::process::id());
        let without_file = SocketAddr::from_abstract_name(&name).unwrap();
        let abstract_one = UnixListener::bind_addr(&without_file).unwrap();
        let expected = Some(Address::Abstract(name.into_bytes()));
        assert_eq!(address(abstract_one.as_raw_fd()), expected);
    }
}
