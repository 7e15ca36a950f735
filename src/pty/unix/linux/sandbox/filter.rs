//! Which system calls can be made: seccomp programs (seccomp(2)), which the kernel runs.
//!
//! Several programs are in force at once, one for each answer; of two answers the kernel gives the
//! stricter. Calls that none of them names cost nothing: the kernel knows beforehand that all let
//! them pass. Conditions compare the 32 bits of an argument that the kernel itself looks at.

use std::{collections::BTreeMap, io};

use libc::{c_long, sock_filter};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen::Dword, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch,
};

use crate::sandbox::Network;

/// A number of a call, and when it is meant: any of the rules, all of whose conditions hold.
type Calls = BTreeMap<i64, Vec<SeccompRule>>;

/// The highest number of a call that was looked at for these programs. What is newer does not exist.
const NEWEST: u32 = 470; // listns(2), Linux 6.19

/// Calls of Linux 6.5 and newer that the C library's headers may not have.
mod newer {
    use libc::c_long;

    pub(super) const FCHMODAT2: c_long = 452;
    pub(super) const SETXATTRAT: c_long = 463;
    pub(super) const REMOVEXATTRAT: c_long = 466;
    pub(super) const OPEN_TREE_ATTR: c_long = 467;
    pub(super) const FILE_SETATTR: c_long = 469;

    /// An operation of fcntl(2), Linux 6.19.
    pub(super) const F_SETDELEG: libc::c_int = 1024 + 16;
}

/// What does not exist: programs and libraries have another way, which is looked at.
const MISSING: &[c_long] = &[
    libc::SYS_clone3,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_openat2,
    newer::FCHMODAT2,
    newer::SETXATTRAT,
    newer::REMOVEXATTRAT,
    newer::FILE_SETATTR,
    // Message queues are the user's, whoever made them.
    libc::SYS_mq_open,
    libc::SYS_mq_unlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utime,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utimes,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_futimesat,
];

/// What nobody may, whatever the arguments.
const FORBIDDEN: &[c_long] = &[
    // Another view of the file system.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    newer::OPEN_TREE_ATTR,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_setns,
    // Files by other ways than paths, and what watches those of others.
    libc::SYS_open_by_handle_at,
    libc::SYS_fanotify_init,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    // Programs in the kernel, and large parts of it that are seldom needed.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_kexec_file_load,
    // Key rings are the user's, not the process's.
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    // The machine.
    libc::SYS_reboot,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    libc::SYS_vhangup,
];

/// Name spaces of their own have another view of files, networks and users.
const NAMESPACES: [libc::c_int; 7] = [
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWCGROUP,
];

/// The flag of unshare(2) for time; clone(2) has a signal number in its place.
const NEW_TIME: u64 = 0x80;

/// What types on a terminal, or changes what it is.
const TERMINAL_REQUESTS: [libc::Ioctl; 4] =
    [libc::TIOCSTI, libc::TIOCLINUX, libc::TIOCSETD, libc::TIOCCONS];

/// What one process holds of a file, so that whoever opens it waits for that process, the supervisor
/// as well: leases and delegations (fcntl(2)).
const HOLDING_UP: [libc::c_int; 2] = [libc::F_SETLEASE, newer::F_SETDELEG];

/// Calls that are never left to the kernel: it has no rules for them.
const ALWAYS_SUPERVISED: &[c_long] = &[
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_utimensat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    libc::SYS_connect,
    libc::SYS_bind,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chmod,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lchown,
];

/// Calls that change what a path stands for.
const SUPERVISED: &[c_long] = &[
    libc::SYS_mkdirat,
    libc::SYS_mknodat,
    libc::SYS_unlinkat,
    libc::SYS_renameat2,
    libc::SYS_linkat,
    libc::SYS_symlinkat,
    libc::SYS_truncate,
    #[cfg(not(target_arch = "riscv64"))]
    libc::SYS_renameat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_creat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_mkdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_mknod,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_unlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rmdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rename,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_link,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_symlink,
];

/// The flags of an open that changes something. What is opened to be read is the kernel's matter alone.
const CHANGING: [libc::c_int; 4] = [libc::O_WRONLY, libc::O_RDWR, libc::O_CREAT, libc::O_TRUNC];

/// The programs of a process, in the order in which they are put in force.
#[derive(Debug, Clone)]
pub(super) struct Programs {
    /// Those that answer by themselves.
    pub(super) answering: Vec<Vec<sock_filter>>,
    /// The one that asks the supervisor.
    pub(super) asking: Vec<sock_filter>,
}

/// Which opens and changes of names the supervisor is asked of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Files {
    /// None: the kernel decides all.
    None,
    /// Those that change something.
    Changes,
    /// All opens, and changes of names.
    All,
}

/// Makes the programs.
///
/// # Errors
/// For a processor that they can't be made for.
pub(super) fn programs(network: Network, files: Files) -> io::Result<Programs> {
    // Few of them: a start waits while the kernel compiles each.
    let mut forbidden = forbidden()?;
    forbidden.extend(with_rights()?);
    let mut answering = vec![
        [unknown_calls(), program(missing(), errno(libc::ENOSYS))?].concat(),
        program(forbidden, errno(libc::EPERM))?,
        program(datagrams()?, errno(libc::ESOCKTNOSUPPORT))?,
    ];
    if network != Network::On {
        answering.push(program(unreachable(network)?, errno(libc::ENETUNREACH))?);
    }
    if network == Network::Local {
        answering.push(program(sending_on_the_way()?, errno(libc::EOPNOTSUPP))?);
    }
    // The crate has no action that asks a supervisor: one that nothing else uses stands for it.
    let placeholder = SeccompAction::Trace(1);
    let mark = u32::from(placeholder.clone());
    let mut asking = program(supervised(network, files)?, placeholder)?;
    for instruction in &mut asking {
        if instruction.code == RETURN && instruction.k == mark {
            instruction.k = libc::SECCOMP_RET_USER_NOTIF;
        }
    }
    Ok(Programs { answering, asking })
}

/// `BPF_RET | BPF_K`.
const RETURN: u16 = 0x06;

/// The beginning of a program, which refuses calls by numbers that are not this architecture's (those of x32 begin
/// with 0x4000_0000), or newer than these programs. Others go on behind it.
fn unknown_calls() -> Vec<sock_filter> {
    const LOAD: u16 = 0x20; // BPF_LD | BPF_W | BPF_ABS, at 0: the number of the call
    const JUMP_IF_GREATER: u16 = 0x25; // BPF_JMP | BPF_JGT | BPF_K
    const JUMP_IF_EQUAL: u16 = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
    /// How a debugger has its program leave a call out.
    const NO_CALL: u32 = u32::MAX;
    let instruction = |code, jt, jf, k| sock_filter { code, jt, jf, k };
    vec![
        instruction(LOAD, 0, 0, 0),
        instruction(JUMP_IF_GREATER, 0, 2, NEWEST),
        instruction(JUMP_IF_EQUAL, 1, 0, NO_CALL),
        instruction(RETURN, 0, 0, libc::SECCOMP_RET_ERRNO | libc::ENOSYS.unsigned_abs()),
    ]
}

fn missing() -> Calls {
    MISSING.iter().map(|&call| (call, Vec::new())).collect()
}

fn forbidden() -> io::Result<Calls> {
    let mut calls: Calls = FORBIDDEN.iter().map(|&call| (call, Vec::new())).collect();
    let namespaces: Vec<u64> = NAMESPACES.iter().map(|&flag| bits(flag)).collect();
    for (call, flags) in [
        (libc::SYS_clone, namespaces.clone()),
        (libc::SYS_unshare, [namespaces, vec![NEW_TIME]].concat()),
    ] {
        let rules = flags.into_iter().map(|flag| rule(&[(0, SeccompCmpOp::MaskedEq(flag), flag)]));
        calls.insert(call, rules.collect::<io::Result<_>>()?);
    }
    // Of 32 bits on every system, whatever type the C library gives them.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_lossless)]
    let requests = TERMINAL_REQUESTS.iter().map(|&request| u64::from(request as u32));
    let requests = requests.map(|request| rule(&[(1, SeccompCmpOp::Eq, request)]));
    calls.insert(libc::SYS_ioctl, requests.collect::<io::Result<_>>()?);
    let holding_up = HOLDING_UP.iter().map(|&operation| bits(operation));
    let holding_up = holding_up.map(|operation| rule(&[(1, SeccompCmpOp::Eq, operation)]));
    calls.insert(libc::SYS_fcntl, holding_up.collect::<io::Result<_>>()?);
    // The limits of other processes, this process's server among them. A null pointer only asks.
    let changes =
        SeccompCondition::new(2, seccompiler::SeccompCmpArgLen::Qword, SeccompCmpOp::Ne, 0)
            .map_err(io::Error::other)?;
    let others = SeccompCondition::new(0, Dword, SeccompCmpOp::Ne, 0).map_err(io::Error::other)?;
    let limits = SeccompRule::new(vec![changes, others]).map_err(io::Error::other)?;
    calls.insert(libc::SYS_prlimit64, vec![limits]);
    Ok(calls)
}

/// Datagrams between programs of this machine. Each can be sent to another file, whose path stands in memory where
/// no rule of this kernel sees it, and also from one of two sockets that are connected to each other.
fn datagrams() -> io::Result<Calls> {
    // SOCK_DGRAM is 0b0010; SOCK_RAW, 0b0011, is the same there. Neither SOCK_STREAM nor SOCK_SEQPACKET has the bit.
    let is_one = || {
        let unix = (0, SeccompCmpOp::Eq, bits(libc::AF_UNIX));
        rule(&[unix, (1, SeccompCmpOp::MaskedEq(0b0010), 0b0010)])
    };
    Ok(Calls::from([(libc::SYS_socket, vec![is_one()?]), (libc::SYS_socketpair, vec![is_one()?])]))
}

/// New files that are run with the rights of their owner or group, whoever runs them. What is changed to be
/// one is the supervisor's matter.
fn with_rights() -> io::Result<Calls> {
    // The lowest bit of O_TMPFILE is its own.
    let unnamed = libc::O_TMPFILE & !libc::O_DIRECTORY;
    let masked = |argument, mask| (argument, SeccompCmpOp::MaskedEq(mask), mask);
    let marks = [libc::S_ISUID, libc::S_ISGID].map(u64::from);
    let opens = |flags: u8| -> io::Result<Vec<SeccompRule>> {
        let makes = [libc::O_CREAT, unnamed].map(bits).into_iter();
        let both = makes.flat_map(|makes| marks.map(|mark| (makes, mark)));
        both.map(|(makes, mark)| rule(&[masked(flags, makes), masked(flags + 1, mark)])).collect()
    };
    let makes = |mode: u8| -> io::Result<Vec<SeccompRule>> {
        marks.iter().map(|&mark| rule(&[masked(mode, mark)])).collect()
    };
    Ok(Calls::from([
        (libc::SYS_openat, opens(2)?),
        (libc::SYS_mknodat, makes(2)?),
        #[cfg(target_arch = "x86_64")]
        (libc::SYS_open, opens(1)?),
        #[cfg(target_arch = "x86_64")]
        (libc::SYS_creat, makes(1)?),
        #[cfg(target_arch = "x86_64")]
        (libc::SYS_mknod, makes(1)?),
    ]))
}

/// The sockets that there are not.
fn unreachable(network: Network) -> io::Result<Calls> {
    use SeccompCmpOp::{MaskedEq, Ne};
    let (unix, netlink) = (bits(libc::AF_UNIX), bits(libc::AF_NETLINK));
    let (inet, inet6) = (bits(libc::AF_INET), bits(libc::AF_INET6));
    // Of a kernel's own sockets, those that tell of addresses and routes.
    let mut rules =
        vec![rule(&[(0, SeccompCmpOp::Eq, netlink), (2, Ne, bits(libc::NETLINK_ROUTE))])?];
    if network == Network::Local {
        rules.push(rule(&[(0, Ne, unix), (0, Ne, netlink), (0, Ne, inet), (0, Ne, inet6)])?);
        // Streams over TCP alone: where a datagram goes stands in memory, which another thread may
        // change once it was looked at.
        for family in [inet, inet6] {
            let is = (0, SeccompCmpOp::Eq, family);
            // SOCK_STREAM is the only type of these with the lowest four bits 0001.
            for bit in [0b0010, 0b0100, 0b1000] {
                rules.push(rule(&[is.clone(), (1, MaskedEq(bit), bit)])?);
            }
            rules.push(rule(&[is.clone(), (1, MaskedEq(1), 0)])?);
            rules.push(rule(&[is, (2, Ne, 0), (2, Ne, bits(libc::IPPROTO_TCP))])?);
        }
    } else {
        rules.push(rule(&[(0, Ne, unix), (0, Ne, netlink)])?);
    }
    Ok(Calls::from([(libc::SYS_socket, rules)]))
}

/// What sends to an address without connect(2).
fn sending_on_the_way() -> io::Result<Calls> {
    let flag = bits(libc::MSG_FASTOPEN);
    let at = |argument| rule(&[(argument, SeccompCmpOp::MaskedEq(flag), flag)]);
    Ok(Calls::from([
        (libc::SYS_sendto, vec![at(3)?]),
        (libc::SYS_sendmsg, vec![at(2)?]),
        (libc::SYS_sendmmsg, vec![at(3)?]),
    ]))
}

fn supervised(network: Network, files: Files) -> io::Result<Calls> {
    let mut calls: Calls = ALWAYS_SUPERVISED.iter().map(|&call| (call, Vec::new())).collect();
    if network == Network::Local {
        calls.insert(libc::SYS_listen, Vec::new());
    }
    if files == Files::None {
        return Ok(calls);
    }
    calls.extend(SUPERVISED.iter().map(|&call| (call, Vec::new())));
    let opens = |argument: u8| -> io::Result<Vec<SeccompRule>> {
        let flags = CHANGING.iter().filter(|_| files == Files::Changes).map(|&flag| bits(flag));
        flags.map(|flag| rule(&[(argument, SeccompCmpOp::MaskedEq(flag), flag)])).collect()
    };
    calls.insert(libc::SYS_openat, opens(2)?);
    #[cfg(target_arch = "x86_64")]
    calls.insert(libc::SYS_open, opens(1)?);
    Ok(calls)
}

fn bits(flag: libc::c_int) -> u64 {
    u64::from(flag.cast_unsigned())
}

fn rule(conditions: &[(u8, SeccompCmpOp, u64)]) -> io::Result<SeccompRule> {
    let conditions = conditions.iter().map(|(argument, operator, value)| {
        SeccompCondition::new(*argument, Dword, operator.clone(), *value)
    });
    conditions.collect::<Result<_, _>>().and_then(SeccompRule::new).map_err(io::Error::other)
}

fn errno(number: libc::c_int) -> SeccompAction {
    SeccompAction::Errno(number.unsigned_abs())
}

/// Compiles calls and what is done about them. A call by another architecture's entry ends the
/// program (SIGSYS).
fn program(calls: Calls, action: SeccompAction) -> io::Result<Vec<sock_filter>> {
    let architecture = TargetArch::try_from(std::env::consts::ARCH).map_err(io::Error::other)?;
    let filter = SeccompFilter::new(calls, SeccompAction::Allow, action, architecture);
    let program = filter.and_then(BpfProgram::try_from).map_err(io::Error::other)?;
    let instructions = program.into_iter().map(|instruction| sock_filter {
        code: instruction.code,
        jt: instruction.jt,
        jf: instruction.jf,
        k: instruction.k,
    });
    Ok(instructions.collect())
}

/// Puts a program in force for this thread and all that comes of it; gives what the kernel gives for
/// these flags. Async-signal-safe.
///
/// # Errors
/// `EBUSY` for a second program that asks a supervisor: this process is supervised itself.
pub(super) fn enforce(program: &[sock_filter], flags: libc::c_ulong) -> io::Result<i32> {
    let length = u16::try_from(program.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let program = libc::sock_fprog { len: length, filter: program.as_ptr().cast_mut() };
    // SAFETY: the kernel reads the program, whose length is given, during the call only.
    let result = unsafe {
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const program)
    };
    match i32::try_from(result) {
        Ok(result) if result >= 0 => Ok(result),
        _ => Err(io::Error::last_os_error()),
    }
}
