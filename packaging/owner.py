"""Names the owner of the repository in the files that have OWNER: Cargo.toml and README.md.

    python3 packaging/owner.py NAME

All packages take the name from Cargo.toml. README.md has the line `mcp-name:` by which the MCP
registry knows that the package on PyPI is the owner's.
"""

import re
import sys

from project import ROOT

FILES = ("Cargo.toml", "README.md")
# Where OWNER is the placeholder and not a word.
PLACEHOLDER = re.compile(r"(?<=github\.com/|io\.github\.)OWNER(?=/mcp-repl)")


def main(name):
    """Replaces it."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]*", name):
        raise SystemExit(f"{name!r} is not the name of an owner on GitHub")
    for file in FILES:
        place = ROOT / file
        place.write_text(PLACEHOLDER.sub(name, place.read_text()))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(sys.argv[1])
