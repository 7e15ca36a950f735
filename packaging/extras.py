"""Has a binary write what packages ship beside it: man pages and completions of shells.

    python3 packaging/extras.py BINARY DIRECTORY

DIRECTORY gets `man` and `completions`. The binary has to run on this machine; what it writes is the
same on every other.
"""

import pathlib
import subprocess
import sys

from project import fresh

# Each shell's file has the name by which the shell finds it.
COMPLETIONS = {"bash": "mcp-repl", "zsh": "_mcp-repl", "fish": "mcp-repl.fish"}


def main(binary, directory):
    """Writes them."""
    directory = pathlib.Path(directory)
    man = fresh(directory / "man")
    subprocess.run([binary, "man", man], check=True, stdin=subprocess.DEVNULL)
    if not (man / "mcp-repl.1").is_file():
        raise SystemExit(f"{binary} man wrote no mcp-repl.1")
    for shell, name in COMPLETIONS.items():
        place = fresh(directory / "completions" / shell) / name
        command = [binary, "completions", shell]
        place.write_bytes(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
