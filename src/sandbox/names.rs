//! The tables of names: what holds secrets, what others run or obey, where caches are. Data.
//!
//! A path begins with `~`, the home directory; `{config}`, where programs have their settings (`XDG_CONFIG_HOME`,
//! else `~/.config`); `{runtime}` (`XDG_RUNTIME_DIR`); or `/`.

/// What can't be read: credentials, and sockets by which others act with the user's rights.
pub(super) const HIDDEN: &[&str] = &[
    // Keys and key rings.
    "~/.ssh",
    "~/.gnupg",
    "~/.password-store",
    "~/.local/share/keyrings",
    "~/.local/share/kwalletd",
    "~/Library/Keychains",
    // Clouds and clusters.
    "~/.aws",
    "~/.azure",
    "~/.kube",
    "~/.oci",
    "{config}/gcloud",
    "{config}/doctl",
    "~/.terraform.d/credentials.tfrc.json",
    // Hosts, registries and package indexes.
    "~/.netrc",
    "~/.vault-token",
    "~/.boto",
    "~/.s3cfg",
    "~/.m2/settings.xml",
    "~/.gem/credentials",
    "{config}/rclone",
    "~/.git-credentials",
    "{config}/git/credentials",
    "{config}/gh",
    "{config}/glab-cli",
    "{config}/hub",
    "~/.docker/config.json",
    "{config}/containers/auth.json",
    "~/.npmrc",
    "~/.pypirc",
    "~/.cargo/credentials",
    "~/.cargo/credentials.toml",
    "~/.cache/huggingface/token",
    "~/.cache/huggingface/stored_tokens",
    "~/.kaggle",
    // Data bases.
    "~/.pgpass",
    "~/.my.cnf",
    // Browsers.
    "~/.mozilla",
    "{config}/google-chrome",
    "{config}/chromium",
    "{config}/BraveSoftware",
    "{config}/microsoft-edge",
    "{config}/vivaldi",
    "{config}/opera",
    "~/snap/firefox",
    "~/Library/Application Support/Google/Chrome",
    "~/Library/Application Support/BraveSoftware",
    "~/Library/Application Support/Microsoft Edge",
    "~/Library/Application Support/Firefox",
    "~/Library/Cookies",
    "~/Library/Safari",
    // What was typed in shells.
    "~/.bash_history",
    "~/.zsh_history",
    "~/.zhistory",
    "~/.psql_history",
    "~/.local/share/fish/fish_history",
    "~/.python_history",
    // Clients of this server: what they are logged in with, and what was said to them.
    "~/.claude.json",
    "~/.claude/.credentials.json",
    "~/.claude/history.jsonl",
    "~/.claude/projects",
    "~/.codex/auth.json",
    "~/.codex/history.jsonl",
    "~/.codex/sessions",
    "~/.gemini/oauth_creds.json",
    "~/.gemini/google_accounts.json",
    "~/.qwen/oauth_creds.json",
    "{config}/github-copilot",
    "~/.local/share/opencode/auth.json",
    // By these others act: containers, the user's services, the desktop, key agents.
    "/run/docker.sock",
    "/run/podman",
    "/run/containerd",
    "{runtime}",
];

/// What nobody in a sandbox changes in a directory that it may write: what a program outside of the sandbox
/// runs or obeys when somebody works there.
pub const PROTECTED: &[&str] = &[
    // Clients of this server, which start what stands there: all that src/install/clients.toml knows of
    // projects (a test compares), but for `.github`, most of which is the project's own.
    ".claude",
    ".codex",
    ".agents",
    ".cursor",
    ".gemini",
    ".mcp.json",
    ".amazonq",
    ".amp",
    ".continue",
    ".crush.json",
    "crush.json",
    ".devin",
    ".factory",
    ".junie",
    ".kilo",
    ".kimi-code",
    ".kiro",
    ".opencode",
    "opencode.json",
    "opencode.jsonc",
    ".qwen",
    ".roo",
    ".warp",
    ".github/skills",
    // Editors, and what runs at the entry of a directory or beside git.
    ".vscode",
    ".idea",
    ".zed",
    ".devcontainer",
    ".exrc",
    ".nvim.lua",
    ".dir-locals.el",
    ".gdbinit",
    ".envrc",
    ".husky",
    ".githooks",
    "mcp-repl.toml",
    ".bashrc",
    ".bash_profile",
    ".bash_login",
    ".bash_logout",
    ".profile",
    ".zshrc",
    ".zshenv",
    ".zprofile",
    ".zlogin",
    ".zlogout",
    ".kshrc",
    ".cshrc",
    ".tcshrc",
    ".inputrc",
    ".gitconfig",
    ".pdbrc",
    ".pythonrc.py",
];

/// The same below the home directory, where that may be written.
pub(super) const PROTECTED_AT_HOME: &[&str] = &[
    ".config/autostart",
    ".config/systemd",
    ".config/environment.d",
    ".config/fish",
    ".config/git",
    ".config/mcp-repl",
    ".local/bin",
    ".local/share/systemd",
    ".local/share/applications",
    ".local/share/dbus-1",
    ".ssh",
    ".pam_environment",
    ".xinitrc",
    ".xprofile",
    ".xsession",
    ".vimrc",
    ".vim",
    ".tmux.conf",
    "Library/LaunchAgents",
];

/// The same in a repository's git directory: what git runs, and what says where that is.
pub(super) const PROTECTED_IN_GIT: &[&str] =
    &["hooks", "config", "config.worktree", "commondir", "gitdir", "modules", "info/attributes"];

/// Variables that name a place that a program writes caches to, and what that is called below ours.
pub(super) const CACHES: &[(&str, &str)] = &[
    ("XDG_CACHE_HOME", ""),
    ("UV_CACHE_DIR", "uv"),
    ("PIP_CACHE_DIR", "pip"),
    // matplotlib writes its settings' directory, too.
    ("MPLCONFIGDIR", "matplotlib"),
    ("NUMBA_CACHE_DIR", "numba"),
];

/// Variables that keep what is only read where it is, once `XDG_CACHE_HOME` leads elsewhere: models that are
/// there already; and the settings of matplotlib.
pub(super) const READ_IN_PLACE: &[(&str, &str)] = &[
    ("HF_HOME", "~/.cache/huggingface"),
    ("TORCH_HOME", "~/.cache/torch"),
    ("MATPLOTLIBRC", "{config}/matplotlib/matplotlibrc"),
];

/// Names of variables that hold secrets: one that ends with it, or is it.
pub(super) const SECRET_ENDS: &[&str] = &["TOKEN", "KEY", "PASSWD", "PASSPHRASE"];
/// The same, anywhere in the name.
pub(super) const SECRET_PARTS: &[&str] = &["SECRET", "PASSWORD", "CREDENTIAL"];
/// Variables that lead to who acts with the user's keys.
pub(super) const AGENTS: &[&str] = &["SSH_AUTH_SOCK", "GPG_AGENT_INFO", "DBUS_SESSION_BUS_ADDRESS"];

/// The devices of GPUs; a name that ends with `*` is the beginning of some.
pub const GPU_DEVICES: &[&str] = &["/dev/nvidia*", "/dev/dri", "/dev/kfd", "/dev/dxg"];
