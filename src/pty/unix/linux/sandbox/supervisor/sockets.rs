//! Where sockets lead: connect(2), bind(2) and listen(2), done with the address that was read once, on the
//! socket itself.
//!
//! A descriptor is a number that another thread may give to another socket, so that even the family
//! of a socket is no ground for leaving a call to the kernel.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::Path,
    sync::Arc,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{Mode, OFlags, ResolveFlags, fcntl_getfl, fcntl_setfl, openat2},
    io::{Errno, Result},
    net::sockopt::socket_error,
    process::fchdir,
};

use super::{
    REFUSED, Supervisor, Verdict,
    apart::Waiting,
    caller::Caller,
    identity,
    lookup::{self, held, real_path},
    notify::{Answer, last_error},
};
use crate::{pty::unix::linux::sandbox::places::Reach, sandbox::Network};

/// The most bytes that an address has (`sizeof(struct sockaddr_storage)`).
const LARGEST_ADDRESS: usize = 128;

/// How often it is looked whether the owner of a socket that is being connected got a signal.
const LOOK_FOR_SIGNALS: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// How many bytes stand before the path of a `sockaddr_un`.
const FAMILY: usize = 2;

/// An address, as far as it matters.
#[derive(Debug, PartialEq, Eq)]
enum Address<'a> {
    /// A path.
    Path(&'a Path),
    /// A name that is no path, or none yet.
    Abstract,
    /// Of this machine.
    Loopback,
    /// Of any machine.
    Internet,
    /// Of the kernel's own.
    Netlink,
    /// None: a connection is given up.
    None,
    /// What else there is.
    Other,
}

impl Supervisor {
    /// Connects a socket; `None` where another thread answers.
    pub(super) fn connect(&self, caller: Caller<'_>) -> Result<Option<Answer>> {
        let bytes = address(caller)?;
        let mut target = None;
        let meant = read(&bytes)?;
        // Nobody is waited for then, and it has its turn with `listen`.
        let is_given_up = meant == Address::None;
        let bytes = match meant {
            Address::Path(path) => {
                let from = lookup::start(caller, libc::AT_FDCWD, path)?;
                let (flags, resolve) =
                    (OFlags::PATH | OFlags::CLOEXEC, ResolveFlags::NO_MAGICLINKS);
                let found = openat2(from, path, flags, Mode::empty(), resolve)?;
                if self.places.reach(&real_path(&found)?) != Reach::Write {
                    return Err(REFUSED);
                }
                unix_address(&held(target.insert(found)))?
            }
            // Who listens there is not known before it was asked.
            Address::Abstract => return Err(Errno::PERM),
            Address::Internet if self.network != Network::On => return Err(Errno::NETUNREACH),
            Address::Loopback if self.network == Network::Off => return Err(Errno::NETUNREACH),
            // As root, the supervisor may do more there than the caller.
            Address::Netlink => return Err(Errno::PERM),
            Address::Other if self.network != Network::On => return Err(Errno::NETUNREACH),
            Address::Internet | Address::Loopback | Address::None | Address::Other => bytes.clone(),
        };
        let socket = Arc::new(caller.socket(caller.number(0))?);
        if is_given_up || fcntl_getfl(&socket)?.contains(OFlags::NONBLOCK) {
            identity::changing(caller, || connect(&socket, &bytes))?;
            return Ok(Some(Answer::Done));
        }
        let (waiting, identity) = (Waiting::Socket(socket.clone()), caller.identity()?);
        let (listener, request) = (self.listener.clone(), *caller.request);
        self.apart.answer(request.id, waiting, move || {
            // What the address means is held until then.
            let is_file = target.is_some();
            let connected = identity::as_user(&identity, || {
                if is_file {
                    return connect(&socket, &bytes);
                }
                let caller = Caller { listener: &listener, request: &request };
                connect_until_signalled(caller, &socket, &bytes)
            });
            connected.map(|()| Answer::Done)
        })?;
        Ok(None)
    }

    /// Gives a socket an address. One of a network is the kernel's matter: nobody is reached by it before
    /// something [listens](listen) there.
    pub(super) fn bind(&self, caller: Caller<'_>) -> Result<Answer> {
        let bytes = address(caller)?;
        let Address::Path(path) = read(&bytes)? else { return Ok(Answer::Continue) };
        let from = lookup::start(caller, libc::AT_FDCWD, path)?;
        let Some(entry) = lookup::entry_in(&from, path)? else { return Ok(Answer::Continue) };
        let full = entry.path();
        match self.judge_entry(&entry) {
            Verdict::Leave => return Ok(Answer::Continue),
            Verdict::Refuse => return Err(REFUSED),
            Verdict::Act if self.places.guards_below(&full) => return Err(REFUSED),
            Verdict::Act => {}
        }
        let socket = caller.socket(caller.number(0))?;
        // Others are told the path as it is given here. A whole one without links is as good as
        // the name in its directory: what it leads by is renamed by this thread alone.
        let path = if path == full { path } else { Path::new(&entry.name) };
        let bytes = unix_address(path)?;
        fchdir(&entry.directory)?;
        let bound = identity::making(caller, || bind(&socket, &bytes));
        let _ = rustix::process::chdir("/");
        bound?;
        Ok(Answer::Done)
    }
}

/// Has a socket listen where programs on this machine alone reach it.
pub(super) fn listen(caller: Caller<'_>) -> Result<Answer> {
    let socket = caller.socket(caller.number(0))?;
    keep_local(&socket)?;
    rustix::net::listen(&socket, caller.number(1))?;
    // One that was being connected had an address, which it may have lost since.
    if let Err(error) = keep_local(&socket) {
        let _ = rustix::net::shutdown(&socket, rustix::net::Shutdown::Both);
        return Err(error);
    }
    Ok(Answer::Done)
}

/// Keeps a socket of a network to this machine. One whose own address is not that of the loopback device has
/// to do with that device alone from here on: only who sees packets, as nobody inside does, can undo it.
///
/// # Errors
/// `EACCES` for one that has to do with another device.
fn keep_local(socket: &OwnedFd) -> Result<()> {
    const LOOPBACK: libc::c_int = 1; // LOOPBACK_IFINDEX, everywhere
    if read(&own_address(socket)?)? != Address::Internet || device(socket)? == LOOPBACK {
        return Ok(());
    }
    bind_to_device(socket, LOOPBACK).map_err(|_| REFUSED)
}

/// The address that a call is given: its second argument, of as many bytes as the third says.
fn address(caller: Caller<'_>) -> Result<Vec<u8>> {
    let length = usize::try_from(caller.number(2)).map_err(|_| Errno::INVAL)?;
    if !(FAMILY..=LARGEST_ADDRESS).contains(&length) {
        return Err(Errno::INVAL);
    }
    caller.bytes(1, length)
}

/// Reads a `struct sockaddr`.
fn read(bytes: &[u8]) -> Result<Address<'_>> {
    let (family, rest) = bytes.split_first_chunk::<FAMILY>().ok_or(Errno::INVAL)?;
    let internet = |is_loopback| if is_loopback { Address::Loopback } else { Address::Internet };
    Ok(match i32::from(u16::from_ne_bytes(*family)) {
        libc::AF_UNSPEC => Address::None,
        libc::AF_UNIX => match rest.first() {
            None | Some(0) => Address::Abstract,
            Some(_) => {
                let length = rest.iter().position(|&byte| byte == 0).unwrap_or(rest.len());
                Address::Path(Path::new(std::ffi::OsStr::from_bytes(&rest[..length])))
            }
        },
        libc::AF_INET => {
            let octets: [u8; 4] = part(rest, 2)?;
            internet(Ipv4Addr::from(octets).is_loopback())
        }
        libc::AF_INET6 => {
            let octets: [u8; 16] = part(rest, 6)?;
            internet(Ipv6Addr::from(octets).to_canonical().is_loopback())
        }
        libc::AF_NETLINK => Address::Netlink,
        _ => Address::Other,
    })
}

fn part<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N]> {
    bytes.get(at..).and_then(|bytes| bytes.first_chunk().copied()).ok_or(Errno::INVAL)
}

/// The address of a socket that is a file.
fn unix_address(path: &Path) -> Result<Vec<u8>> {
    const LONGEST: usize = 108;
    let path = path.as_os_str().as_bytes();
    if path.len() >= LONGEST {
        return Err(Errno::NAMETOOLONG);
    }
    let family = libc::sa_family_t::try_from(libc::AF_UNIX).map_err(|_| Errno::INVAL)?;
    Ok([&family.to_ne_bytes(), path, &[0]].concat())
}

fn connect(socket: &OwnedFd, address: &[u8]) -> Result<()> {
    let length = libc::socklen_t::try_from(address.len()).map_err(|_| Errno::INVAL)?;
    // SAFETY: the kernel reads as many bytes as it is told.
    let result = unsafe { libc::connect(socket.as_raw_fd(), address.as_ptr().cast(), length) };
    if result == 0 { Ok(()) } else { Err(last_error()) }
}

/// Connects a socket whose owner waits for that, and would be told of a signal meanwhile: until the answer
/// comes only the end of the program gets through to it. A connection goes on being made then, as
/// connect(2) has it.
///
/// # Errors
/// `EINTR` when there is a signal.
fn connect_until_signalled(caller: Caller<'_>, socket: &OwnedFd, address: &[u8]) -> Result<()> {
    let flags = fcntl_getfl(socket)?;
    fcntl_setfl(socket, flags | OFlags::NONBLOCK)?;
    let begun = connect(socket, address);
    fcntl_setfl(socket, flags)?;
    match begun {
        Err(Errno::INPROGRESS) => {}
        begun => return begun,
    }
    loop {
        // The kernel tells nobody else of a signal: it has to be asked.
        let mut descriptors = [PollFd::new(socket, PollFlags::OUT)];
        match poll(&mut descriptors, Some(&LOOK_FOR_SIGNALS)) {
            Ok(0) if caller.is_signalled()? => return Err(Errno::INTR),
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => return socket_error(socket).and_then(|outcome| outcome),
            Err(error) => return Err(error),
        }
    }
}

/// The address that a socket has itself.
fn own_address(socket: &OwnedFd) -> Result<Vec<u8>> {
    let mut bytes = vec![0; LARGEST_ADDRESS];
    let mut length = libc::socklen_t::try_from(bytes.len()).map_err(|_| Errno::INVAL)?;
    // SAFETY: the kernel writes at most as many bytes as there is room for.
    let result = unsafe {
        libc::getsockname(socket.as_raw_fd(), bytes.as_mut_ptr().cast(), &raw mut length)
    };
    if result != 0 {
        return Err(last_error());
    }
    bytes.truncate(usize::try_from(length).map_err(|_| Errno::INVAL)?);
    Ok(bytes)
}

/// The device that a socket alone has to do with; 0 for all.
fn device(socket: &OwnedFd) -> Result<libc::c_int> {
    let mut device: libc::c_int = 0;
    let mut length = DEVICE_LENGTH;
    let (level, option) = (libc::SOL_SOCKET, libc::SO_BINDTOIFINDEX);
    let into = (&raw mut device).cast();
    // SAFETY: the kernel writes a number, for which there is room.
    let result =
        unsafe { libc::getsockopt(socket.as_raw_fd(), level, option, into, &raw mut length) };
    if result == 0 { Ok(device) } else { Err(last_error()) }
}

fn bind_to_device(socket: &OwnedFd, device: libc::c_int) -> Result<()> {
    let (level, option) = (libc::SOL_SOCKET, libc::SO_BINDTOIFINDEX);
    let from = (&raw const device).cast();
    // SAFETY: the kernel reads a number.
    let result =
        unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, from, DEVICE_LENGTH) };
    if result == 0 { Ok(()) } else { Err(last_error()) }
}

/// How long the number of a device is, for the kernel.
#[expect(clippy::cast_possible_truncation, reason = "it is 4")]
const DEVICE_LENGTH: libc::socklen_t = size_of::<libc::c_int>() as libc::socklen_t;

fn bind(socket: &OwnedFd, address: &[u8]) -> Result<()> {
    let length = libc::socklen_t::try_from(address.len()).map_err(|_| Errno::INVAL)?;
    // SAFETY: the kernel reads as many bytes as it is told.
    let result = unsafe { libc::bind(socket.as_raw_fd(), address.as_ptr().cast(), length) };
    if result == 0 { Ok(()) } else { Err(last_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(family: i32, rest: &[u8]) -> Vec<u8> {
        [&u16::try_from(family).unwrap().to_ne_bytes(), rest].concat()
    }

    #[test]
    fn addresses_are_told_apart() {
        let inet = |address: Ipv4Addr| {
            with(libc::AF_INET, &[&[0, 80][..], &address.octets(), &[0; 8]].concat())
        };
        let inet6 = |address: Ipv6Addr| {
            with(libc::AF_INET6, &[&[0, 80, 0, 0, 0, 0][..], &address.octets(), &[0; 4]].concat())
        };
        let mapped = Ipv4Addr::new(127, 1, 2, 3).to_ipv6_mapped();
        for (bytes, address) in [
            (inet(Ipv4Addr::LOCALHOST), Address::Loopback),
            (inet(Ipv4Addr::new(127, 9, 9, 9)), Address::Loopback),
            (inet(Ipv4Addr::UNSPECIFIED), Address::Internet),
            (inet(Ipv4Addr::new(10, 0, 0, 1)), Address::Internet),
            (inet6(Ipv6Addr::LOCALHOST), Address::Loopback),
            (inet6(mapped), Address::Loopback),
            (inet6(Ipv6Addr::UNSPECIFIED), Address::Internet),
            (with(libc::AF_UNIX, b"/run/x\0rest"), Address::Path(Path::new("/run/x"))),
            (with(libc::AF_UNIX, b"x"), Address::Path(Path::new("x"))),
            (with(libc::AF_UNIX, b"\0x"), Address::Abstract),
            (with(libc::AF_UNIX, b""), Address::Abstract),
            (with(libc::AF_UNSPEC, &[0; 14]), Address::None),
            (with(libc::AF_NETLINK, &[0; 10]), Address::Netlink),
            (with(libc::AF_VSOCK, &[0; 14]), Address::Other),
        ] {
            assert_eq!(read(&bytes), Ok(address), "{bytes:?}");
        }
        assert_eq!(read(&with(libc::AF_INET, &[0; 5])), Err(Errno::INVAL));
        assert_eq!(read(&[1]), Err(Errno::INVAL));
    }
}
