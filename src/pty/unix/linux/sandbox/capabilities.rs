//! What root is without: the capabilities by which the rules could be got around (capabilities(7)).

use rustix::{
    io,
    thread::{
        CapabilitySet, capabilities, clear_ambient_capability_set,
        remove_capability_from_bounding_set, set_capabilities,
    },
};

/// What stays: what is asked of files and processes that can be reached anyway.
const KEPT: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SETPCAP)
    .union(CapabilitySet::NET_BIND_SERVICE)
    .union(CapabilitySet::IPC_LOCK)
    .union(CapabilitySet::SYS_NICE)
    .union(CapabilitySet::SYS_RESOURCE);

/// Gives up all capabilities but those, for this process and all that it starts; nothing where it
/// has none. Async-signal-safe.
///
/// # Errors
/// None that a kernel is known to give.
pub(super) fn drop_most() -> io::Result<()> {
    let mut sets = capabilities(None)?;
    if sets.permitted.is_empty() {
        return Ok(());
    }
    // Of what it may gain by executing a program: no_new_privs keeps it from gaining what it does
    // not have, too, so that a refusal changes nothing.
    for capability in CapabilitySet::all().difference(KEPT).iter() {
        let _ = remove_capability_from_bounding_set(capability);
    }
    let _ = clear_ambient_capability_set();
    sets.permitted &= KEPT;
    sets.effective &= KEPT;
    sets.inheritable &= KEPT;
    set_capabilities(None, sets)
}
