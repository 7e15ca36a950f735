"""Makes npm's packages from built binaries.

    python3 packaging/npm.py DIRECTORY TARGET=BINARY...

DIRECTORY gets a folder for each binary, which npm installs where it fits (`os`, `cpu`, `libc`), and
`mcp-repl`, the package people name: it depends on all of them optionally, and its launcher runs the
one that is there. Each folder is ready for `npm pack` and `npm publish`.
"""

import pathlib
import sys

from project import (
    PLATFORMS,
    ROOT,
    by_target,
    fresh,
    project,
    put,
    put_licences,
    put_program,
    write_json,
)


def package_of(platform):
    """The name of a platform's package."""
    return f"@mcp-repl/{platform.name}"


def common(of):
    """What the package.json of all say."""
    return {
        "version": of.version,
        "license": of.licence,
        "repository": {"type": "git", "url": f"git+{of.repository}.git"},
    }


def make_platform(of, directory, platform, binary):
    """The package with a binary."""
    put_licences(fresh(directory))
    put_program(binary, directory / "bin/mcp-repl")
    package = {
        "name": package_of(platform),
        "description": f"The binary of {of.name} for {platform.name}",
        **common(of),
        "os": [platform.os],
        "cpu": [platform.cpu],
        "files": ["bin/mcp-repl", "LICENSE-*"],
        # Yarn has packages in archives otherwise, and nothing in them can be executed.
        "preferUnplugged": True,
    }
    if platform.libc:
        package["libc"] = [platform.libc]
    write_json(directory / "package.json", package)


def make_launcher(of, directory):
    """The package that people name."""
    put_licences(fresh(directory))
    put(ROOT / "README.md", directory / "README.md")
    put_program(ROOT / "packaging/npm/mcp-repl", directory / "bin/mcp-repl")
    write_json(
        directory / "package.json",
        {
            "name": of.name,
            "description": of.description,
            **common(of),
            "keywords": ["mcp", "repl", "agent", "terminal", "python"],
            # How the MCP registry knows that the package is its owner's.
            "mcpName": of.registry_name,
            "bin": {"mcp-repl": "bin/mcp-repl"},
            "files": ["bin/mcp-repl", "LICENSE-*"],
            "os": sorted({platform.os for platform in PLATFORMS.values()}),
            "preferUnplugged": True,
            "optionalDependencies": {
                package_of(platform): of.version for platform in PLATFORMS.values()
            },
        },
    )


def main(directory, *arguments):
    """Makes all of them."""
    of, directory = project(), pathlib.Path(directory)
    for target, binary in by_target(arguments).items():
        platform = PLATFORMS[target]
        make_platform(of, directory / platform.name, platform, binary)
    make_launcher(of, directory / of.name)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
