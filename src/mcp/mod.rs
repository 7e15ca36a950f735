//! The MCP server: the only place that names rmcp.
