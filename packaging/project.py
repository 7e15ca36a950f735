"""What all packages say of the project, from Cargo.toml, and the platforms there are packages for."""

import json
import pathlib
import re
import shutil
import subprocess
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parent.parent
LICENCES = ("LICENSE-APACHE", "LICENSE-MIT")


@dataclass(frozen=True)
class Platform:
    """How npm names what Rust names by a target."""

    name: str
    os: str
    cpu: str
    libc: "str | None" = None


PLATFORMS = {
    "x86_64-unknown-linux-gnu": Platform("linux-x64-gnu", "linux", "x64", "glibc"),
    "aarch64-unknown-linux-gnu": Platform("linux-arm64-gnu", "linux", "arm64", "glibc"),
    "x86_64-unknown-linux-musl": Platform("linux-x64-musl", "linux", "x64", "musl"),
    "aarch64-unknown-linux-musl": Platform("linux-arm64-musl", "linux", "arm64", "musl"),
    "x86_64-apple-darwin": Platform("darwin-x64", "darwin", "x64"),
    "aarch64-apple-darwin": Platform("darwin-arm64", "darwin", "arm64"),
}


@dataclass(frozen=True)
class Project:
    """The fields of Cargo.toml."""

    name: str
    version: str
    description: str
    repository: str
    licence: str

    @property
    def owner(self):
        """Who has the repository."""
        return self.repository.split("/")[-2]

    @property
    def registry_name(self):
        """The server's name in the MCP registry, which README.md and npm's package repeat."""
        return f"io.github.{self.owner}/{self.name}"

    def asset(self, file):
        """Where a release has this file."""
        return f"{self.repository}/releases/download/v{self.version}/{file}"


def project():
    """The project, as cargo reads it."""
    command = ["cargo", "metadata", "--no-deps", "--offline", "--format-version", "1"]
    told = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    [package] = [p for p in json.loads(told)["packages"] if p["name"] == "mcp-repl"]
    fields = ("name", "version", "description", "repository", "license")
    return Project(*(package[field] for field in fields))


def pypi_name():
    """The name on PyPI, which pyproject.toml has."""
    text = (ROOT / "pyproject.toml").read_text()
    return re.search(r'^\[project\]\nname = "(.+)"$', text, re.MULTILINE).group(1)


def fresh(directory):
    """This directory, empty."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


def put(source, place, mode=0o644):
    """Copies a file to a place, with this mode: that of a file is lost on its way through a CI."""
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, place)
    place.chmod(mode)


def put_program(source, place):
    """Copies a program to a place."""
    put(source, place, 0o755)


def put_licences(directory):
    """Copies the licences into a directory."""
    for licence in LICENCES:
        put(ROOT / licence, directory / licence)


def write_json(place, value):
    """Writes JSON as people read it."""
    place.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def by_target(arguments):
    """Parses TARGET=BINARY, each; a target is one of PLATFORMS."""
    binaries = {}
    for argument in arguments:
        target, _, binary = argument.partition("=")
        if target not in PLATFORMS or not binary:
            raise SystemExit(f"{argument}: not TARGET=BINARY with a target of {', '.join(PLATFORMS)}")
        binaries[target] = pathlib.Path(binary)
    return binaries
