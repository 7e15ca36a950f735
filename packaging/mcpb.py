"""Makes the MCP bundle (`.mcpb`), which Claude Desktop installs with a click.

    python3 packaging/mcpb.py DIRECTORY linux=BINARY darwin=BINARY

DIRECTORY gets `mcp-repl-VERSION.mcpb`, and the folder `mcpb` with what is in it. A bundle
distinguishes systems, not processors: macOS's binary is one for both (`lipo`).
"""

import pathlib
import sys
import zipfile

from project import fresh, project, put_licences, put_program, write_json

SYSTEMS = ("darwin", "linux")
# Two bundles of the same files are the same bytes.
EPOCH = (1980, 1, 1, 0, 0, 0)


def manifest(of, systems):
    """The manifest, version 0.3."""
    command = {system: f"${{__dirname}}/server/{system}/mcp-repl" for system in systems}
    return {
        "manifest_version": "0.3",
        "name": of.name,
        "display_name": "Python REPL",
        "version": of.version,
        "description": of.description,
        "long_description": "One tool, `repl`: a live Python session on a real terminal, with your "
        "own Python and environment. It runs with your rights; `mcp-repl attach` in a terminal "
        "puts you into the same session.",
        "author": {"name": of.owner},
        "repository": {"type": "git", "url": of.repository},
        "documentation": f"{of.repository}#readme",
        "license": of.licence,
        "keywords": ["python", "repl", "terminal"],
        "server": {
            "type": "binary",
            "entry_point": f"server/{systems[0]}/mcp-repl",
            "mcp_config": {
                "command": command[systems[0]],
                "args": [],
                # An empty variable is none.
                "env": {"MCP_REPL_PYTHON": "${user_config.python}"},
                "platform_overrides": {
                    system: {"command": command[system]} for system in systems
                },
            },
        },
        "tools": [{"name": "repl", "description": "Runs Python, and answers what waits for input"}],
        "user_config": {
            "python": {
                "type": "string",
                "title": "Python",
                "description": "The path of the Python to use, such as that of a virtual "
                "environment. Empty: the first one on PATH.",
                "default": "",
                "required": False,
            }
        },
        "compatibility": {"platforms": list(systems)},
    }


def main(directory, *arguments):
    """Makes the bundle."""
    of, directory = project(), pathlib.Path(directory)
    binaries = dict(argument.split("=", 1) for argument in arguments)
    unknown = sorted(set(binaries) - set(SYSTEMS))
    if unknown or not binaries:
        raise SystemExit(f"{unknown or 'nothing'}: not linux=BINARY, darwin=BINARY or both")
    systems = [system for system in SYSTEMS if system in binaries]
    folder = fresh(directory / "mcpb")
    put_licences(folder)
    for system in systems:
        put_program(pathlib.Path(binaries[system]), folder / f"server/{system}/mcp-repl")
    write_json(folder / "manifest.json", manifest(of, systems))
    bundle = directory / f"{of.name}-{of.version}.mcpb"
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(file for file in folder.rglob("*") if file.is_file()):
            entry = zipfile.ZipInfo(str(file.relative_to(folder)), EPOCH)
            entry.external_attr = file.stat().st_mode << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, file.read_bytes())
    print(bundle)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
