//! Which cancelled calls interrupt their cell.
//!
//! `notifications/cancelled` is sent when the user presses Escape, when the client's own time limit
//! is up, and by some clients behind every reply. Its reason is free text.

/// What a call that the client cancels does to its cell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnCancel {
    /// It interrupts it if the reason says that the user asked for it.
    #[default]
    AsAsked,
    /// It interrupts it, whatever the reason.
    Interrupt,
    /// It lets it go on, whatever the reason.
    Continue,
}

/// A reason that says that the user asked for it.
struct UsersReason {
    /// How the name begins under which the clients introduce themselves that mean it so; empty for
    /// all.
    client: &'static str,
    /// What it contains, in lower case.
    phrase: &'static str,
}

const fn says(client: &'static str, phrase: &'static str) -> UsersReason {
    UsersReason { client, phrase }
}

/// Seen at Escape: `AbortError: user-cancel` (Claude Code 2.1.197, which also counts `remote-cancel`
/// and `interrupt` as the user's, and `background` and `stalled` not), `AbortError: The operation
/// was aborted.` (opencode 1.18.33), `AbortError: This operation was aborted` (Qwen Code 0.15.10).
/// The time limits of Claude Code and Qwen Code say `Request timed out`. `User requested cancellation` is the
/// example of MCP 2025-11-25, Cancellation.
///
/// Not here: `MCP request cancelled by caller`, which Codex 0.171.0 sends at Escape and when its time
/// limit is up, and `caller cancelled` of the Python SDK 2.3.0, whose caller may have had a limit.
const USERS_REASONS: [UsersReason; 11] = [
    says("claude-code", "aborterror: user-cancel"),
    says("claude-code", "aborterror: remote-cancel"),
    says("claude-code", "aborterror: interrupt"),
    says("opencode", "aborterror:"),
    says("qwen-c", "aborterror:"),
    says("", "user request"),
    says("", "user cancel"),
    says("", "user abort"),
    says("", "user interrupt"),
    says("", "by user"),
    says("", "the user"),
];

impl OnCancel {
    /// Whether a cancel of a client of this name, with this reason, interrupts the cell.
    pub(super) fn interrupts(self, client: &str, reason: Option<&str>) -> bool {
        match self {
            OnCancel::AsAsked => reason.is_some_and(|reason| is_the_users(client, reason)),
            OnCancel::Interrupt => true,
            OnCancel::Continue => false,
        }
    }
}

fn is_the_users(client: &str, reason: &str) -> bool {
    let reason = reason.to_lowercase();
    let says_so =
        |users: &UsersReason| client.starts_with(users.client) && reason.contains(users.phrase);
    !reason.contains("timed out") && USERS_REASONS.iter().any(says_so)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_that_names_the_user_interrupts() {
        let cases = [
            ("claude-code", "AbortError: user-cancel"),
            ("claude-code", "AbortError: interrupt"),
            ("opencode", "AbortError: The operation was aborted."),
            ("qwen-cli-mcp-client-repl", "AbortError: This operation was aborted"),
            ("any", "User requested cancellation"),
            ("any", "cancelled by the user"),
        ];
        for (client, reason) in cases {
            assert!(OnCancel::AsAsked.interrupts(client, Some(reason)), "{reason}");
            assert!(!OnCancel::Continue.interrupts(client, Some(reason)), "{reason}");
        }
    }

    #[test]
    fn any_other_lets_the_cell_go_on() {
        let cases = [
            ("claude-code", Some("McpError: MCP error -32001: Request timed out")),
            ("claude-code", Some("AbortError: background")),
            ("opencode", Some("McpError: MCP error -32001: Request timed out")),
            ("codex-mcp-client", Some("MCP request cancelled by caller")),
            ("any", Some("AbortError: This operation was aborted")),
            ("any", Some("TimeoutError: The operation was aborted due to timeout")),
            ("any", Some("caller cancelled")),
            ("any", Some("the time that the user set has timed out")),
            ("any", Some("")),
            ("claude-code", None),
        ];
        for (client, reason) in cases {
            assert!(!OnCancel::AsAsked.interrupts(client, reason), "{reason:?}");
            assert!(OnCancel::Interrupt.interrupts(client, reason), "{reason:?}");
        }
    }
}
