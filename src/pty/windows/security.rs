//! This user, the owners of things, and lists of access rights.

use std::{
    ffi::c_void,
    fs::File,
    io,
    os::windows::io::{AsRawHandle, OwnedHandle, RawHandle},
    ptr,
    sync::OnceLock,
};

use windows_sys::Win32::{
    Foundation::LocalFree,
    Security::{
        ACL,
        Authorization::{
            ConvertStringSecurityDescriptorToSecurityDescriptorW, GetSecurityInfo, SDDL_REVISION_1,
            SE_FILE_OBJECT, SetSecurityInfo,
        },
        DACL_SECURITY_INFORMATION, GetLengthSid, GetSecurityDescriptorDacl,
        GetSecurityDescriptorOwner, GetTokenInformation, OWNER_SECURITY_INFORMATION,
        PROTECTED_DACL_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR, PSID, SECURITY_ATTRIBUTES,
        TOKEN_QUERY, TOKEN_USER, TokenUser,
    },
    System::Threading::{
        GetCurrentProcess, OpenProcess, OpenProcessToken, PROCESS_QUERY_LIMITED_INFORMATION,
    },
    System::WindowsProgramming::GetUserNameW,
};

use super::{
    acl::{Given, Sid, given},
    handle::{c_wide, check, owned},
};

/// The user of this process.
///
/// # Errors
/// When the system does not tell.
pub(super) fn own_user() -> io::Result<&'static Sid> {
    static OWN: OnceLock<Sid> = OnceLock::new();
    if let Some(user) = OWN.get() {
        return Ok(user);
    }
    // SAFETY: it is no handle that anybody has to close.
    let user = user_of(unsafe { GetCurrentProcess() })?;
    Ok(OWN.get_or_init(|| user))
}

/// The name of this process's user; `None` where the system knows none.
pub fn user_name() -> Option<String> {
    /// UNLEN, and the zero at the end.
    const LONGEST: usize = 257;
    let (mut name, mut length) = ([0; LONGEST], LONGEST as u32);
    // SAFETY: the name is as long as is said, and its length is written where that stands.
    unsafe { check(GetUserNameW(name.as_mut_ptr(), &mut length)) }.ok()?;
    let end = usize::try_from(length).ok()?.checked_sub(1)?;
    String::from_utf16(name.get(..end)?).ok()
}

/// Whether a process is this user's.
///
/// # Errors
/// When there is no such process, or it may not be looked at, as another user's may not.
pub(super) fn is_own_process(number: u32) -> io::Result<bool> {
    // SAFETY: the call takes no memory; the handle is nobody else's.
    let process = unsafe { owned(OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, number)) }?;
    Ok(user_of(process.as_raw_handle())? == *own_user()?)
}

fn user_of(process: RawHandle) -> io::Result<Sid> {
    let mut token = ptr::null_mut();
    // SAFETY: `token` takes a handle, which is nobody else's.
    let token: OwnedHandle = unsafe {
        check(OpenProcessToken(process, TOKEN_QUERY, &mut token))?;
        owned(token)?
    };
    // A TOKEN_USER, and behind it the identifier, 68 bytes at most (SECURITY_MAX_SID_SIZE).
    let mut buffer = [0_u64; 16];
    let (length, mut needed) = (size_of_val(&buffer) as u32, 0);
    // SAFETY: the buffer is as long as is said, and aligned for what is written there; the identifier
    // that it points to is in it.
    unsafe {
        let place = buffer.as_mut_ptr().cast::<c_void>();
        check(GetTokenInformation(token.as_raw_handle(), TokenUser, place, length, &mut needed))?;
        sid((*place.cast::<TOKEN_USER>()).User.Sid)
    }
}

/// A copy of an identifier.
///
/// # Safety
/// It points to one.
unsafe fn sid(place: PSID) -> io::Result<Sid> {
    // SAFETY: it is as long as the system says.
    let bytes =
        unsafe { std::slice::from_raw_parts(place.cast::<u8>(), GetLengthSid(place) as usize) };
    Sid::read(bytes).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Memory of the system's that has a security descriptor.
struct Descriptor(PSECURITY_DESCRIPTOR);

impl Drop for Descriptor {
    fn drop(&mut self) {
        // SAFETY: the functions that gave it say that it is to be freed so, and nobody else does.
        unsafe { LocalFree(self.0) };
    }
}

/// What a new thing gets that this user alone may use.
pub(super) struct Private(Descriptor);

impl Private {
    /// This user as the owner, all rights to that one alone, and to what is made in it the same; nothing
    /// is taken over from the directory that it is in.
    ///
    /// # Errors
    /// When the system does not say who that is.
    pub(super) fn new() -> io::Result<Private> {
        Private::with("")
    }

    /// The same, and these entries of a list behind this user's (SDDL).
    ///
    /// # Errors
    /// As [`Private::new`].
    fn with(others: &str) -> io::Result<Private> {
        let user = own_user()?;
        let text = c_wide(format!("O:{user}D:P(A;OICI;GA;;;{user}){others}"))?;
        let mut descriptor = ptr::null_mut();
        // SAFETY: the text ends with a NUL, and `descriptor` takes memory that is freed once.
        unsafe {
            check(ConvertStringSecurityDescriptorToSecurityDescriptorW(
                text.as_ptr(),
                SDDL_REVISION_1,
                &mut descriptor,
                ptr::null_mut(),
            ))?;
        }
        Ok(Private(Descriptor(descriptor)))
    }

    /// As functions take it that make something. Valid as long as this is.
    pub(super) fn attributes(&self) -> SECURITY_ATTRIBUTES {
        SECURITY_ATTRIBUTES {
            nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
            lpSecurityDescriptor: self.0.0,
            bInheritHandle: 0,
        }
    }

    /// Has this user own a file or directory that there is. It was opened with the right to take it over.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn take_over(&self, file: &File) -> io::Result<()> {
        let (mut owner, mut defaulted) = (ptr::null_mut(), 0);
        // SAFETY: the owner is in the descriptor, which lives as long as this.
        let error = unsafe {
            check(GetSecurityDescriptorOwner(self.0.0, &mut owner, &mut defaulted))?;
            let (handle, none) = (file.as_raw_handle(), ptr::null_mut());
            let what = OWNER_SECURITY_INFORMATION;
            SetSecurityInfo(handle, SE_FILE_OBJECT, what, owner, none, ptr::null(), ptr::null())
        };
        win32(error)
    }

    /// Gives a file or directory that there is this list. It was opened with the right to change that.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn set(&self, file: &File) -> io::Result<()> {
        let (mut present, mut list, mut defaulted) = (0, ptr::null_mut::<ACL>(), 0);
        let what = DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION;
        // SAFETY: the list is in the descriptor, which lives as long as this.
        let error = unsafe {
            check(GetSecurityDescriptorDacl(self.0.0, &mut present, &mut list, &mut defaulted))?;
            let (handle, none) = (file.as_raw_handle(), ptr::null_mut());
            SetSecurityInfo(handle, SE_FILE_OBJECT, what, none, none, list, ptr::null())
        };
        win32(error)
    }
}

/// Whose a file or directory is, and what is given to whom there. It was opened with the right to look at
/// that (`READ_CONTROL`), which reading has.
#[derive(Debug)]
pub(super) struct Rights {
    /// Whose it is.
    pub(super) owner: Sid,
    /// `None` when there is no list: everybody may do everything.
    pub(super) given: Option<Vec<Given>>,
}

impl Rights {
    /// Those of an open file.
    ///
    /// # Errors
    /// When the system does not tell.
    pub(super) fn of(file: &File) -> io::Result<Rights> {
        let (mut owner, mut list) = (ptr::null_mut(), ptr::null_mut::<ACL>());
        let (mut descriptor, none) = (ptr::null_mut(), ptr::null_mut());
        let what = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
        // SAFETY: the places take pointers into the descriptor, and that is freed once, below.
        let error = unsafe {
            GetSecurityInfo(
                file.as_raw_handle(),
                SE_FILE_OBJECT,
                what,
                &mut owner,
                none,
                &mut list,
                ptr::null_mut(),
                &mut descriptor,
            )
        };
        win32(error)?;
        let _descriptor = Descriptor(descriptor);
        if owner.is_null() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        // SAFETY: both point into the descriptor, which is there until the end; the list is as long as
        // its header says.
        let (owner, given) = unsafe {
            let list = (!list.is_null()).then(|| {
                let length = usize::from((*list).AclSize);
                given(std::slice::from_raw_parts(list.cast::<u8>(), length))
            });
            (sid(owner)?, list)
        };
        let given = match given {
            None => None,
            Some(given) => Some(given.ok_or(io::ErrorKind::InvalidData)?),
        };
        Ok(Rights { owner, given })
    }
}

/// What functions say that give an error's number.
fn win32(error: u32) -> io::Result<()> {
    if error == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(error.cast_signed())) }
}

/// Lets everybody read or write a file or directory of this user, or nobody else.
#[cfg(test)]
pub(super) fn share(file: &File, may_read: bool, may_write: bool) -> io::Result<()> {
    let mut others = String::new();
    for (is_given, right) in [(may_read, "GR"), (may_write, "GW")] {
        if is_given {
            others += &format!("(A;OICI;{right};;;WD)");
        }
    }
    Private::with(&others)?.set(file)
}
