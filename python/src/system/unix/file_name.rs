//! The names of files as bytes.

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt, OsStringExt},
};

/// The bytes of a name.
pub(crate) fn to_bytes(name: OsString) -> Vec<u8> {
    name.into_vec()
}

/// The name that these bytes are.
pub(crate) fn of_bytes(bytes: &[u8]) -> OsString {
    OsStr::from_bytes(bytes).to_owned()
}
