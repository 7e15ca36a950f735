"""Makes the archive that a release has for a target, and `cargo binstall` unpacks.

    python3 packaging/archive.py DIRECTORY EXTRAS TARGET=BINARY...

EXTRAS is a folder with `man` and `completions` (packaging/extras.py), which are the same for all.
"""

import pathlib
import sys
import tarfile

from project import LICENCES, ROOT, by_target, project


def plain(entry):
    """An entry without what tells of the machine that made it, or of the way the file came."""
    program = entry.isdir() or entry.name.count("/") == 1 and entry.name.endswith("/mcp-repl")
    entry.mode = 0o755 if program else 0o644
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    return entry


def main(directory, extras, *arguments):
    """Makes an archive for each."""
    of = project()
    for target, binary in by_target(arguments).items():
        name = f"{of.name}-{of.version}-{target}"
        place = pathlib.Path(directory) / f"{name}.tar.gz"
        with tarfile.open(place, "w:gz") as archive:
            archive.add(binary, f"{name}/mcp-repl", filter=plain)
            for text in (*LICENCES, "README.md", "CHANGELOG.md"):
                archive.add(ROOT / text, f"{name}/{text}", filter=plain)
            for folder in ("man", "completions"):
                archive.add(pathlib.Path(extras) / folder, f"{name}/{folder}", filter=plain)
        print(place)


if __name__ == "__main__":
    if len(sys.argv) < 4:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
