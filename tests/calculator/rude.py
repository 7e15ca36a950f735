"""A worker that breaks the sideband protocol in the way its argument says."""

import json
import os
import signal
import sys

from calculator import Sideband

how = sys.argv[1]


def idle():
    while True:
        signal.pause()


if how == "silent":
    idle()
if how == "stubborn":
    for number in signal.SIGHUP, signal.SIGTERM, signal.SIGINT:
        signal.signal(number, signal.SIG_IGN)
if how == "version":
    Sideband(protocol=99)
    idle()
if how == "nonce":
    Sideband(nonce="of-another-session")
    idle()

sideband = Sideband()
if how == "mute":
    idle()
if how == "bad-start":
    sys.exit("cannot start today")
sideband.send("ready", mark=sideband.mark())
while True:
    message = sideband.receive()
    if message["type"] != "cell":
        continue
    print("working")
    if how == "malformed":
        sideband.stream.write("this is no JSON\n")
    elif how == "not-a-message":
        sideband.stream.write("[1, 2]\n")
    elif how == "unknown":
        sideband.stream.write(json.dumps({"type": "dance"}) + "\n")
    elif how == "binary":
        sideband.stream.flush()
        sideband.stream.buffer.write(b"\xff\xfe\xfd\n")
        sideband.stream.buffer.flush()
    elif how == "endless":
        for _ in range(80):
            sideband.stream.write("x" * (1 << 20))
    elif how == "markless":
        sideband.send("cell_done", id=message["id"], mark=77, outcome="ok")
    elif how == "messageless":
        sideband.mark()
    elif how == "closing":
        sideband.messages.close(), sideband.stream.close()
        idle()
    elif how == "dying":
        os._exit(3)
    elif how == "other-cell":
        sideband.send("cell_done", id=999, mark=sideband.mark(), outcome="ok")
        mark = sideband.mark()
        sideband.send("cell_done", id=message["id"], mark=mark, outcome="ok")
        sideband.send("ready", mark=mark)
    elif how == "chatty":
        mark = sideband.mark()
        sideband.send("cell_done", id=message["id"], mark=mark, outcome="ok", extra={"a": [1]})
        sideband.send("ready", mark=mark, more="fields")
    elif how == "stubborn":
        idle()
    sideband.stream.flush()
