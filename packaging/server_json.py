"""Prints `server.json` for the MCP registry, schema 2025-12-11.

    python3 packaging/server_json.py [BUNDLE]

BUNDLE is the `.mcpb` of this version, named by where the release has it and by its hash.
"""

import hashlib
import json
import pathlib
import sys

from project import project, pypi_name

SCHEMA = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"


def server(of, bundle=None):
    """What the registry is told."""

    def package(kind, identifier, **more):
        return {
            "registryType": kind,
            "identifier": identifier,
            "version": of.version,
            **more,
            "transport": {"type": "stdio"},
            "environmentVariables": [
                {
                    "name": "MCP_REPL_PYTHON",
                    "description": "The Python to run; without it, the one of the project's .venv "
                    "or the first on PATH",
                    "format": "filepath",
                    "isRequired": False,
                }
            ],
        }

    packages = [
        package("pypi", pypi_name(), runtimeHint="uvx"),
        package("npm", of.name, runtimeHint="npx"),
    ]
    if bundle:
        digest = hashlib.sha256(bundle.read_bytes()).hexdigest()
        packages.append(package("mcpb", of.asset(bundle.name), fileSha256=digest))
    return {
        "$schema": SCHEMA,
        "name": of.registry_name,
        "title": "Python REPL",
        "description": of.description,
        "version": of.version,
        "repository": {"url": of.repository, "source": "github"},
        "packages": packages,
    }


if __name__ == "__main__":
    bundles = [pathlib.Path(argument) for argument in sys.argv[1:]]
    print(json.dumps(server(project(), *bundles), indent=2))
