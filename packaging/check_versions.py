"""Checks that all that was made has the version of Cargo.toml, and what the MCP registry asks for.

    python3 packaging/check_versions.py DIRECTORY

DIRECTORY is what .ci/packages made. The rules are those of the registry's schema 2025-12-11 and of
its check that a package is its owner's, as far as server.json can break them.
"""

import hashlib
import json
import pathlib
import re
import sys
import zipfile

from project import ROOT, project

NAME = re.compile(r"[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+")


def check_server(server, of, bundle):
    """server.json, against the rules."""
    assert server["$schema"].endswith("/schemas/2025-12-11/server.schema.json")
    assert NAME.fullmatch(server["name"]) and 3 <= len(server["name"]) <= 200, server["name"]
    assert 1 <= len(server["description"]) <= 100, server["description"]
    assert 1 <= len(server["title"]) <= 100
    assert server["version"] == of.version
    assert set(server["repository"]) >= {"url", "source"}
    assert server["repository"]["url"].startswith("https://github.com/")
    kinds = [package["registryType"] for package in server["packages"]]
    assert kinds == ["pypi", "npm", "mcpb"], kinds
    for package in server["packages"]:
        assert package["version"] == of.version
        assert package["transport"] == {"type": "stdio"}
        for variable in package["environmentVariables"]:
            assert variable["name"] and variable["format"] in ("string", "filepath")
    of_bundle = server["packages"][-1]
    assert of_bundle["identifier"].startswith("https://") and "mcp" in of_bundle["identifier"]
    assert of_bundle["identifier"].endswith("/" + bundle.name)
    assert of_bundle["fileSha256"] == hashlib.sha256(bundle.read_bytes()).hexdigest()


def main(directory):
    """Checks all of it."""
    of, directory = project(), pathlib.Path(directory)
    bundle = directory / f"mcp-repl-{of.version}.mcpb"
    server = json.loads((directory / "server.json").read_text())
    check_server(server, of, bundle)

    [wheel] = (directory / "wheels").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        [name] = [n for n in archive.namelist() if n.endswith(".dist-info/METADATA")]
        metadata = archive.read(name).decode()
    assert f"\nVersion: {of.version}\n" in metadata, metadata[:300]
    # The wheel's description is README.md, where PyPI's package says whose it is.
    readme = (ROOT / "README.md").read_text()
    if "mcp-name:" in readme:
        assert f"mcp-name: {server['name']}" in metadata

    packages = sorted((directory / "npm").glob("*/package.json"))
    assert len(packages) >= 2, packages
    for place in packages:
        package = json.loads(place.read_text())
        assert package["version"] == of.version, package
        assert set(package.get("optionalDependencies", {}).values()) <= {of.version}, package
        if package["name"] == of.name:
            assert package["mcpName"] == server["name"]
            assert len(package["optionalDependencies"]) >= 6
    with zipfile.ZipFile(bundle) as archive:
        assert json.loads(archive.read("manifest.json"))["version"] == of.version


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(sys.argv[1])
