"""Uses an installed mcp-repl as people and clients do, and fails where it is not right.

    python check.py VERSION [--prefix DIRECTORY] [--not-below DIRECTORY] -- COMMAND...

COMMAND starts it: `mcp-repl`, `uvx --from WHEEL mcp-repl`, `npx mcp-repl`. `--prefix`: the session's
Python is the one of this environment; `--not-below`: it is none below this directory. The Python
that runs this has the official MCP SDK (`mcp`).
"""

import argparse
import asyncio
import os
import subprocess
import tempfile

from mcp import Client, StdioServerParameters


def run(command, *more, status=0):
    """What the command prints; it has to end with this status."""
    done = subprocess.run(
        [*command, *more],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        timeout=300,
    )
    told = f"{command} {more}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert done.returncode == status, told
    return done.stdout


async def call(command, cells):
    """The replies to cells, through the SDK."""
    parameters = StdioServerParameters(command=command[0], args=command[1:], env=dict(os.environ))
    async with Client(parameters) as client:
        replies = []
        for cell in cells:
            result = await client.call_tool("repl", {"input": cell})
            assert not result.is_error, result
            replies.append("".join(part.text for part in result.content if part.type == "text"))
        return replies


def below(path, directory):
    """Whether a path is in a directory, links followed or not."""
    follow = os.path.realpath
    return any((p + "/").startswith(d + "/") for p in (path, follow(path))
               for d in (directory, follow(directory)))


def main():
    """Checks all of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("version")
    parser.add_argument("--prefix")
    parser.add_argument("--not-below")
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    command = arguments.command

    with tempfile.TemporaryDirectory() as hosts:
        # Sessions of its own, which nobody comes back to.
        os.environ.update(MCP_REPL_RUNTIME_DIR=hosts, MCP_REPL_GRACE="0")
        # The build's own variables name Pythons that are nobody's choice here.
        os.environ.pop("MCP_REPL_PYTHON", None)
        os.environ.pop("CONDA_PREFIX", None)

        told = run(command, "--version").strip()
        assert told == f"mcp-repl {arguments.version}", told
        report = run(command, "doctor")
        assert "session     ok" in report, report
        run(command, "exec", "raise SystemExit(7)", status=7)

        cells = ["6 * 7", "import sys; print(sys.prefix)", "print(sys.executable)"]
        answer, prefix, executable = asyncio.run(call(command, cells))
        assert answer == "42\n", answer
        prefix, executable = prefix.strip(), executable.strip()
        print(f"    {executable}")
        if arguments.prefix:
            assert os.path.samefile(prefix, arguments.prefix), (prefix, arguments.prefix)
        if arguments.not_below:
            for path in prefix, executable:
                assert not below(path, arguments.not_below), (path, arguments.not_below)


main()
