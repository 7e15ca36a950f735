"""Checks that the process that npm's launcher began is the program itself.

    python3 packaging/check_launcher.py LAUNCHER
"""

import json
import os
import signal
import subprocess
import sys
import tempfile


def main(launcher):
    """Starts it as a server, waits for its hello, ends it with a signal."""
    with tempfile.TemporaryDirectory() as hosts:
        environment = dict(os.environ, MCP_REPL_RUNTIME_DIR=hosts, MCP_REPL_GRACE="0")
        server = subprocess.Popen(
            [launcher], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )
        hello = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "initialize",
            "params": {
                "protocolVersion": "2025-06-18",
                "capabilities": {},
                "clientInfo": {"name": "check", "version": "1"},
            },
        }
        server.stdin.write(json.dumps(hello).encode() + b"\n")
        server.stdin.flush()
        assert json.loads(server.stdout.readline())["id"] == 1
        if sys.platform == "linux":
            program = os.readlink(f"/proc/{server.pid}/exe")
            assert program.endswith("/bin/mcp-repl"), program
        server.send_signal(signal.SIGTERM)
        status = server.wait(60)
        print(f"    SIGTERM gives {status}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(sys.argv[1])
