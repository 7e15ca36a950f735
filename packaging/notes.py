"""Prints what CHANGELOG.md says of a version: the notes of its release.

    python3 packaging/notes.py CHANGELOG VERSION

A version without a section of its own is an error: a release says what is new.
"""

import pathlib
import re
import sys


def notes(changelog, version):
    """The text between the version's heading and the next one."""
    heading = re.compile(r"^## \[?v?" + re.escape(version) + r"\]?(?=$|[\s(-])[^\n]*\n", re.MULTILINE)
    found = heading.search(changelog)
    if not found:
        raise SystemExit(f"CHANGELOG.md has no section for {version}: rename Unreleased to it")
    rest = changelog[found.end() :]
    # A line that begins with `## ` within a fence is not a heading.
    fenced, lines = False, []
    for line in rest.splitlines():
        if line.startswith("```"):
            fenced = not fenced
        if line.startswith("## ") and not fenced:
            break
        lines.append(line)
    text = "\n".join(lines).strip()
    if not text:
        raise SystemExit(f"CHANGELOG.md says nothing of {version}")
    return text


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    print(notes(pathlib.Path(sys.argv[1]).read_text(), sys.argv[2]))
