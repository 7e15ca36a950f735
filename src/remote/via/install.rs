//! This binary, put where a command leads: by a shell there that reads what to do from its standard
//! input, so that nothing has to be quoted for ssh, Docker and others.
//!
//! It goes to `~/.local/bin/mcp-repl`, only if what is there has another hash, only to the same
//! platform, and in one step: whoever starts it meanwhile gets the old one or the new one. It runs
//! once before that, since a platform's name does not tell whether its libraries are there.

use std::{fmt::Write, io};

use sha2::{Digest, Sha256};

use super::{Link, ViaError};
use crate::pty;

/// What runs there.
pub(super) const SHELL: [&str; 2] = ["sh", "-s"];

/// What the shell there runs. It reads one command at a time, and this is one. Shells may read ahead
/// what has come (dash before 0.5.13), so nothing is sent behind it before it has answered; `read` of
/// every shell reads up to the line's end and no further. `head -c` and `mktemp` are not in POSIX, but
/// in GNU, BSD, macOS and BusyBox; the end of the input would not do in place of a count, since
/// `kubectl exec` does not pass it on.
const SCRIPT: &str = r#"{
say() { echo "mcp-repl-install: $*"; }
sum() { { sha256sum <"$1" || shasum -a 256 <"$1" || openssl dgst -sha256 -r <"$1"; } 2>/dev/null; }
if [ -t 0 ]; then say terminal; exit 1; fi
_place=${HOME:?}/.local/bin/mcp-repl
say platform "$(uname -sm)"
if [ -f "$_place" ]; then say hash "$(sum "$_place")"; else say hash none; fi
read -r _what _count _hash
if [ "$_what" = put ]; then
    mkdir -p "${_place%/*}" && _new=$(mktemp "$_place.XXXXXX") || exit 1
    trap 'rm -f "$_new"; exit 1' 1 2 13 15
    say send
    if head -c "$_count" >"$_new" && case $(sum "$_new") in
        ("$_hash"*) chmod 755 "$_new" && "$_new" --version </dev/null >/dev/null && mv -f "$_new" "$_place" ;;
        ("") echo "there is no sha256sum, shasum or openssl" >&2; false ;;
        (*) echo "it has not arrived as it was sent" >&2; false ;;
    esac; then say put; else rm -f "$_new"; exit 1; fi
    trap - 1 2 13 15
elif [ "$_what" != start ]; then exit 1; fi
exec "$_place" host --stdio
}
"#;

/// What begins a line of the script's.
const SAYS: &str = "mcp-repl-install: ";

/// What the script says.
enum Says {
    Terminal,
    Platform(String),
    Hash(String),
    Send,
    Put,
}

/// This binary.
struct Binary {
    bytes: Vec<u8>,
    /// SHA-256, in lower-case hexadecimal.
    hash: String,
}

impl Binary {
    /// Reads and hashes it, on a thread that may wait.
    async fn of_this_process() -> io::Result<Binary> {
        let read = || {
            let bytes = std::fs::read(pty::own_program()?)?;
            let mut hash = String::new();
            for byte in Sha256::digest(&bytes) {
                let _ = write!(hash, "{byte:02x}");
            }
            Ok(Binary { bytes, hash })
        };
        tokio::task::spawn_blocking(read).await?
    }
}

impl Link {
    /// Sees to it that this binary is there, and runs there as the host's door.
    ///
    /// # Errors
    /// When the command fails, or the binary can't be put there.
    pub(super) async fn install(&mut self) -> Result<(), ViaError> {
        let failed = |link: &Link, why: String| ViaError::NotInstalled {
            command: link.command.clone(),
            why,
            said: link.launcher.said(),
        };
        let binary = Binary::of_this_process().await;
        let binary = binary.map_err(|error| failed(self, format!("it can't be read: {error}")))?;
        self.write(SCRIPT.as_bytes()).await;
        let mut platform = String::new();
        loop {
            match self.says().await? {
                Says::Terminal => return Err(ViaError::Terminal { command: self.command.clone() }),
                Says::Platform(name) => platform = name,
                Says::Hash(hash) if hash == binary.hash => {
                    self.write(b"start\n").await;
                    return Ok(());
                }
                Says::Hash(_) if platform != pty::platform_name() => {
                    let here = pty::platform_name();
                    let why = format!("this binary is for {here}, and there is {platform}");
                    return Err(failed(self, why));
                }
                Says::Hash(_) => {
                    let Binary { bytes, hash } = &binary;
                    self.write(format!("put {} {hash}\n", bytes.len()).as_bytes()).await;
                }
                Says::Send => self.write(&binary.bytes).await,
                Says::Put => return Ok(()),
            }
        }
    }

    /// The next line of the script's.
    async fn says(&mut self) -> Result<Says, ViaError> {
        let mut banner = Vec::new();
        loop {
            let line = self.line(&mut banner).await.map_err(|error| match error {
                ViaError::Ended { command, exit, said } => ViaError::NotInstalled {
                    command,
                    why: format!("the shell ended ({exit})"),
                    said,
                },
                error => error,
            })?;
            let text = String::from_utf8_lossy(&line);
            let said = text.strip_prefix(SAYS).map(str::trim_end);
            match said.map(|said| said.split_once(' ').unwrap_or((said, ""))) {
                Some(("terminal", _)) => return Ok(Says::Terminal),
                Some(("platform", name)) => return Ok(Says::Platform(name.to_owned())),
                // `sha256sum` puts the file's name behind it.
                Some(("hash", hash)) => {
                    let hash = hash.split(' ').next().unwrap_or_default();
                    return Ok(Says::Hash(hash.to_owned()));
                }
                Some(("send", _)) => return Ok(Says::Send),
                Some(("put", _)) => return Ok(Says::Put),
                _ if text.starts_with("say() {") => return Ok(Says::Terminal),
                _ => {
                    banner.extend_from_slice(&line);
                    banner.push(b'\n');
                }
            }
        }
    }
}
