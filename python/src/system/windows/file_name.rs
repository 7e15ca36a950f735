//! The names of files as bytes: in UTF-8, what is no Unicode replaced.

use std::ffi::OsString;

/// The bytes of a name.
pub(crate) fn to_bytes(name: OsString) -> Vec<u8> {
    name.to_string_lossy().into_owned().into_bytes()
}

/// The name that these bytes are.
pub(crate) fn of_bytes(bytes: &[u8]) -> OsString {
    String::from_utf8_lossy(bytes).into_owned().into()
}
