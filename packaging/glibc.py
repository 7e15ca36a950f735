"""Fails when files want a younger glibc than they may.

    python3 packaging/glibc.py 2.17 FILE...

A shared object or program names the versions of the symbols it takes: `GLIBC_2.17` and so on, in its
`.gnu.version_r`. They stand in its table of strings as they are, so no tool is needed to read them,
and those of an object within another, as the extension is in the binary, are seen as well.
"""

import pathlib
import re
import sys


def wanted(data):
    """The versions of glibc that are named, as numbers."""
    named = re.findall(rb"\0GLIBC_(\d+)\.(\d+)(?:\.\d+)?(?=\0)", data)
    return sorted({(int(major), int(minor)) for major, minor in named})


def main(most, *files):
    """Checks all of them."""
    limit = tuple(int(part) for part in most.split("."))
    for file in files:
        versions = wanted(pathlib.Path(file).read_bytes())
        if not versions:
            raise SystemExit(f"{file} names no version of glibc")
        if versions[-1] > limit:
            raise SystemExit(f"{file} wants glibc {versions[-1][0]}.{versions[-1][1]}, not {most}")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
