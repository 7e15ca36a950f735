//! Files of clients as their documentation shows them, with what people add, for tests.

/// A client, its file below the home directory, and what stands in it.
pub(super) const SAMPLES: &[(&str, &str, &str)] = &[
    (
        "claude-code",
        ".claude.json",
        r#"{
  "numStartups": 12,
  "mcpServers": {
    "github": {
      "type": "http",
      "url": "https://api.githubcopilot.com/mcp/"
    }
  },
  "projects": {
    "/work/a": {
      "allowedTools": [],
      "mcpServers": {}
    }
  }
}"#,
    ),
    (
        "claude-desktop",
        ".config/Claude/claude_desktop_config.json",
        r#"{
    "globalShortcut": "",
    "mcpServers": {
        "filesystem": {
            "command": "npx",
            "args": ["-y", "@modelcontextprotocol/server-filesystem", "/home/a/Desktop"]
        }
    }
}
"#,
    ),
    (
        "codex",
        ".codex/config.toml",
        r#"# Codex: https://developers.openai.com/codex/config-reference
model = "gpt-5.2"           # the default
approval_policy = "on-request"

[mcp_servers.context7]
command = "npx"
args = ["-y", "@upstash/context7-mcp"]

[mcp_servers.context7.env]
MY_ENV_VAR = "MY_ENV_VALUE"

[features]
unified_exec = true

# [profiles.fast]
# model = "x"
"#,
    ),
    (
        "cursor",
        ".cursor/mcp.json",
        "{\n  \"mcpServers\": {\n    \"server-name\": {\n      \"command\": \"npx\",\n      \"args\": [\"-y\", \"mcp-server\"],\n      \"env\": {\n        \"API_KEY\": \"value\"\n      }\n    }\n  }\n}\n",
    ),
    (
        "vscode",
        ".config/Code/User/mcp.json",
        "{\n\t// Secrets are asked for.\n\t\"inputs\": [\n\t\t{ \"type\": \"promptString\", \"id\": \"key\", \"password\": true },\n\t],\n\t\"servers\": {\n\t\t\"playwright\": {\n\t\t\t\"command\": \"npx\",\n\t\t\t\"args\": [\"-y\", \"@microsoft/mcp-server-playwright\"],\n\t\t},\n\t},\n}\n",
    ),
    ("vscode-insiders", ".config/Code - Insiders/User/mcp.json", "{\n\t\"servers\": {}\n}"),
    ("vscodium", ".config/VSCodium/User/mcp.json", "{}"),
    (
        "windsurf",
        ".codeium/windsurf/mcp_config.json",
        "{\n  \"mcpServers\": {\n    \"zapier\": { \"serverUrl\": \"https://actions.zapier.com/mcp/KEY/sse\" }\n  }\n}\n",
    ),
    (
        "gemini-cli",
        ".gemini/settings.json",
        "{\n  \"theme\": \"GitHub\", // any\n  \"security\": { \"auth\": { \"selectedType\": \"oauth-personal\" } },\n  \"mcpServers\": {\n    \"pythonTools\": { \"command\": \"python\", \"args\": [\"-m\", \"my_mcp_server\"], \"timeout\": 15000 }\n  }\n}\n",
    ),
    ("antigravity", ".gemini/config/mcp_config.json", ""),
    (
        "opencode",
        ".config/opencode/opencode.jsonc",
        "{\n  \"$schema\": \"https://opencode.ai/config.json\",\n  // Local servers\n  \"mcp\": {\n    \"everything\": {\n      \"type\": \"local\",\n      \"command\": [\"npx\", \"-y\", \"@modelcontextprotocol/server-everything\"],\n    },\n  },\n}\n",
    ),
    (
        "zed",
        ".config/zed/settings.json",
        "// Zed settings\n//\n// For information on how to configure Zed, see the Zed\n// documentation: https://zed.dev/docs/configuring-zed\n{\n  \"ui_font_size\": 16,\n  \"theme\": {\n    \"mode\": \"system\",\n    \"light\": \"One Light\",\n    \"dark\": \"One Dark\",\n  },\n}\n",
    ),
    (
        "cline",
        ".config/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json",
        "{\n  \"mcpServers\": {\n  }\n}\n",
    ),
    ("cline-cli", ".cline/data/settings/cline_mcp_settings.json", "{ \"mcpServers\": {} }"),
    (
        "roo-code",
        ".config/Code/User/globalStorage/rooveterinaryinc.roo-cline/settings/mcp_settings.json",
        "{\"mcpServers\":{\"a\":{\"command\":\"node\",\"args\":[\"a.js\"],\"alwaysAllow\":[\"x\"],\"disabled\":false}}}",
    ),
    (
        "zoo-code",
        ".config/Code/User/globalStorage/ZooCodeOrganization.zoo-code/mcp_settings.json",
        "{\n  \"mcpServers\": {}\n}",
    ),
    (
        "continue",
        ".continue/config.yaml",
        "name: Local Config\nversion: 1.0.0\nschema: v1\n\nmodels:\n  - name: GPT-4o   # the big one\n    provider: openai\n    roles: [chat, edit]\n\nmcpServers:\n  - name: SQLite MCP\n    command: npx\n    args:\n      - \"-y\"\n      - \"mcp-sqlite\"\n    env:\n      NODE_ENV: production\n\n# What it may read\ncontext:\n  - provider: code\n",
    ),
    (
        "goose",
        ".config/goose/config.yaml",
        "GOOSE_PROVIDER: anthropic\nGOOSE_MODEL: claude-sonnet-4\nextensions:\n  developer:\n    bundled: true\n    display_name: Developer\n    enabled: true\n    name: developer\n    timeout: 300\n    type: builtin\n  # mine\n  github:\n    name: GitHub\n    cmd: npx\n    args: [-y, '@modelcontextprotocol/server-github']\n    enabled: true\n    envs: { \"GITHUB_PERSONAL_ACCESS_TOKEN\": \"<TOKEN>\" }\n    type: stdio\n    timeout: 300\n",
    ),
    (
        "amp",
        ".config/amp/settings.json",
        "{\n  \"amp.notifications.enabled\": false,\n  // Servers\n  \"amp.mcpServers\": {\n    \"semgrep\": { \"url\": \"https://mcp.semgrep.ai/mcp\" }\n  }\n}\n",
    ),
    (
        "copilot-cli",
        ".copilot/mcp-config.json",
        "{\n  \"mcpServers\": {\n    \"playwright\": {\n      \"type\": \"local\",\n      \"command\": \"npx\",\n      \"args\": [\"@playwright/mcp@latest\"],\n      \"tools\": [\"*\"]\n    }\n  }\n}\n",
    ),
    (
        "kiro",
        ".kiro/settings/mcp.json",
        "{\n  \"mcpServers\": {\n    \"web-search\": {\n      \"command\": \"uvx\",\n      \"args\": [\"x\"],\n      \"disabled\": false,\n      \"autoApprove\": [\"search\"]\n    }\n  }\n}",
    ),
    ("amazon-q", ".aws/amazonq/mcp.json", "{\n  \"mcpServers\": {}\n}\n"),
    ("junie", ".junie/mcp/mcp.json", "{\n    \"mcpServers\": {\n    }\n}\n"),
    ("qwen-code", ".qwen/settings.json", "{\n  \"$version\": 2\n}\n"),
    (
        "factory-droid",
        ".factory/mcp.json",
        "{\n  \"mcpServers\": {\n    \"linear\": { \"type\": \"http\", \"url\": \"https://mcp.linear.app/mcp\", \"disabled\": false }\n  }\n}\n",
    ),
    ("lm-studio", ".lmstudio/mcp.json", "{\n  \"mcpServers\": {}\n}"),
    ("warp", ".warp/.mcp.json", "{ \"mcpServers\": { \"a\": { \"command\": \"a\" } } }\n"),
    (
        "crush",
        ".config/crush/crush.json",
        "{\n  \"$schema\": \"https://charm.land/crush.json\",\n  \"mcp\": {\n    \"filesystem\": {\n      \"type\": \"stdio\",\n      \"command\": \"node\",\n      \"args\": [\"/path/to/mcp-server.js\"]\n    }\n  }\n}\n",
    ),
    (
        "kilo-code",
        ".config/kilo/kilo.jsonc",
        "{\n  // Kilo\n  \"mcp\": { \"a\": { \"type\": \"local\", \"command\": [\"a\"] } }, // servers\n}\n",
    ),
    (
        "kimi-code",
        ".kimi-code/mcp.json",
        "{\n  \"mcpServers\": {\n    \"linear\": { \"url\": \"https://mcp.linear.app/mcp\" }\n  }\n}\n",
    ),
];
