"""Stands between a client and its server and logs what both say, with the seconds since the start:
tap.py LOG COMMAND [ARGUMENT…]
"""

import subprocess
import sys
import threading
import time

log = open(sys.argv[1], "ab", buffering=0)
start = time.monotonic()
server = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def note(text):
    log.write(f"{time.monotonic() - start:7.2f} ".encode() + text + b"\n")


def copy(source, to, arrow):
    for line in source:
        note(arrow + line.rstrip(b"\n"))
        try:
            to.write(line)
            to.flush()
        except OSError:
            break
    note(arrow + b"(end)")
    try:
        to.close()
    except OSError:
        pass


threading.Thread(target=copy, args=(server.stdout, sys.stdout.buffer, b"<- "), daemon=True).start()
copy(sys.stdin.buffer, server.stdin, b"-> ")
note(b"exit %d" % server.wait())
