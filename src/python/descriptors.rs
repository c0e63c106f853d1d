//! Which descriptors are the web server's: an application that closed one, as code does which goes
//! into the background, would take the server's listeners, or a client's connection.
//!
//! What was open when Python started is the server's, as long as it is the same file. Of what it has
//! opened since, a connection to an address that it listens on can be told.

use once_cell::sync::OnceCell;
use std::fs;
use std::mem::{MaybeUninit, size_of};
use std::os::fd::RawFd;

/// The first descriptor that is not a standard one.
pub(super) const FIRST_FREE: RawFd = 3;

#[derive(Debug, Default)]
struct Host {
    files: Vec<(RawFd, Identity)>,
    listens: Vec<Address>,
}

static HOST: OnceCell<Host> = OnceCell::new();

/// Device and inode: of a socket no other has them.
type Identity = (libc::dev_t, libc::ino_t);

/// What a client connects to: of an Internet address the port, since the rest may be any; of a
/// socket in the file system its path.
type Address = (libc::sa_family_t, Vec<u8>);

/// Remembers what is open now. Where that cannot be found out nothing is known to be the server's.
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

/// Whether the server has it open. A standard one is not asked for here.
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
    let mut status = MaybeUninit::<libc::stat>::zeroed();
    // SAFETY: zeros are a valid `stat`, which the call fills; of a descriptor that is not open it
    // fails.
    let status = unsafe {
        if libc::fstat(fd, status.as_mut_ptr()) != 0 {
            return None;
        }
        status.assume_init()
    };
    Some(((status.st_dev, status.st_ino), status.st_mode))
}

fn is_listening(fd: RawFd) -> bool {
    let mut listens: libc::c_int = 0;
    let mut size = size_of::<libc::c_int>() as libc::socklen_t;
    let to = (&raw mut listens).cast();
    // SAFETY: the kernel writes an int, for which there is room; of what is no socket it fails.
    let asked =
        unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_ACCEPTCONN, to, &mut size) };
    asked == 0 && listens != 0
}

fn address(fd: RawFd) -> Option<Address> {
    let mut storage = MaybeUninit::<libc::sockaddr_storage>::zeroed();
    let mut size = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
    // SAFETY: zeros are a valid `sockaddr_storage`, which has room for each address; the kernel says
    // how much it has written, which is not more than that.
    let (storage, bytes) = unsafe {
        if libc::getsockname(fd, storage.as_mut_ptr().cast(), &mut size) != 0 {
            return None;
        }
        let length = (size as usize).min(size_of::<libc::sockaddr_storage>());
        let bytes = std::slice::from_raw_parts(storage.as_ptr().cast::<u8>(), length);
        (storage.assume_init(), bytes.to_vec())
    };
    match i32::from(storage.ss_family) {
        // IPv4 comes to listeners of IPv6 too. The port is behind the family in both.
        libc::AF_INET | libc::AF_INET6 => {
            Some((libc::AF_INET as libc::sa_family_t, bytes.get(2..4)?.to_vec()))
        }
        // Without a path it is one of a pair, or a client.
        libc::AF_UNIX if bytes.len() > 2 => Some((storage.ss_family, bytes[2..].to_vec())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsRawFd;

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
}
