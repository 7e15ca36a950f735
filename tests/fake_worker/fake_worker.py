"""A worker that speaks the sideband protocol with its own hands, and breaks it as it is told.

    fake_worker.py HOW FILE

Where FILE does not exist it makes it and misbehaves in the way HOW; where it exists, and for the
way `well`, it behaves: it answers each cell with `ran CELL`. See docs/sideband.md.
"""

import base64
import json
import os
import random
import select
import signal
import socket
import sys
import time
import zlib

HOW, FILE = sys.argv[1:]
NONCE = os.environ["MCP_REPL_NONCE"]


class Worker:
    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(os.environ["MCP_REPL_SIDEBAND"])
        self.lines = self.socket.makefile("rb")
        self.marks = 0

    def raw(self, data):
        self.socket.sendall(data)

    def send(self, kind, **fields):
        self.raw(json.dumps({"type": kind, **fields}).encode() + b"\n")

    def hello(self, **changes):
        self.send("hello", **{"protocol": 1, "nonce": NONCE, "implementation": "fake",
                              "version": "0", "pid": os.getpid(), **changes})

    def print(self, text):
        data = text.encode()
        while data:
            data = data[os.write(1, data):]

    def place(self, number):
        self.print(f"\x1b]5379;{NONCE};{number}\x07")

    def mark(self):
        self.marks += 1
        self.place(self.marks)
        return self.marks

    def ready(self):
        self.send("ready", mark=self.mark())

    def done(self, number, **more):
        mark = self.mark()
        self.send("cell_done", id=number, mark=mark, outcome="ok")
        self.send("ready", mark=mark, **more)

    def receive(self):
        line = self.lines.readline()
        if not line:
            sys.exit()
        message = json.loads(line)
        if message["type"] == "shutdown":
            sys.exit()
        return message

    def cell(self):
        while (message := self.receive())["type"] != "cell":
            pass
        return message["id"], message["source"]


def rest():
    while True:
        signal.pause()


def well(worker):
    worker.hello()
    serve(worker)


def serve(worker):
    worker.ready()
    while True:
        number, source = worker.cell()
        if source == "server":
            source = str(os.getppid())
        worker.print(f"ran {source}\n")
        worker.done(number)


# Ways that are within the rules, or nearly so, before the first `ready`.

def names_capabilities_nobody_knows(worker):
    worker.hello(capabilities=["made_up", "Not A Word", ""])
    hello = worker.receive()
    # The server names what it understands, and not what it was told.
    if hello["type"] == "hello" and hello.get("capabilities") == ["hints", "documents", "directory"]:
        serve(worker)


def runs_while_the_server_is_stopped(worker):
    """Each cell is for how long the server gets no turn, in seconds."""
    worker.hello()
    worker.ready()
    while True:
        number, source = worker.cell()
        os.kill(os.getppid(), signal.SIGSTOP)
        worker.print(f"ran {source}\n")
        worker.done(number)
        time.sleep(float(source))
        os.kill(os.getppid(), signal.SIGCONT)


def says_two_things_at_once(worker):
    """The end of a cell and that the next may come are one write."""
    worker.hello()
    worker.ready()
    while True:
        number, source = worker.cell()
        worker.print(f"ran {source}\n")
        mark = worker.mark()
        messages = [{"type": "cell_done", "id": number, "mark": mark, "outcome": "ok"},
                    {"type": "ready", "mark": mark}]
        worker.raw(b"".join(json.dumps(message).encode() + b"\n" for message in messages))


def tells_what_it_was_sent(worker):
    """It does not name the capability of completions; each cell prints what came before it."""
    worker.hello()
    worker.ready()
    while True:
        kinds = []
        while (message := worker.receive())["type"] != "cell":
            kinds.append(message["type"])
        worker.print(" ".join([*kinds, "cell"]) + "\n")
        worker.done(message["id"])


def completes(worker):
    """The text that is to be completed is how."""
    worker.hello(capabilities=["completion"])
    worker.ready()
    late = []
    while True:
        message = worker.receive()
        if message["type"] == "cell":
            for number in late:
                worker.send("completion", id=number, start=0, matches=["late"])
            late = []
            worker.print(f"ran {message['source']}\n")
            worker.done(message["id"])
        elif message["type"] == "complete":
            number, how = message["id"], message["text"]
            if how == "late":
                late.append(number)
            elif how == "wrong":
                worker.send("completion", id=number + 1000, start=0, matches=["wrong"])
            elif how == "beyond":
                worker.send("completion", id=number, start=99, matches=["beyond"])
            elif how != "never":
                worker.send("completion", id=number, start=0, matches=[how + "!"])


# A way to be told what to do.

def does_as_told(worker):
    """Each cell is a list of steps in JSON, each a list: what to do, and with what."""
    worker.hello()
    limit = worker.receive()["picture_limit"]
    worker.ready()
    while True:
        number, source = worker.cell()
        for step, *more in json.loads(source):
            if step == "print":
                worker.print(more[0])
            elif step == "limit":
                worker.print(json.dumps(limit) + "\n")
            elif step == "png":
                shows(worker, "image/png", png(*more))
            elif step == "noise":
                shows(worker, "image/png", png(*more, None))
            elif step == "cut":
                shows(worker, "image/png", png(40, 30, [255, 0, 0])[:60])
            elif step == "says":
                with open(more[0], "w") as fifo:
                    fifo.write("!")
            elif step == "asks":
                worker.send("input_wait", mark=worker.mark(), wait=number, reader="stdin",
                            prompt="> ")
                taken = len(worker.receive()["data"])
                worker.send("input_taken", wait=number, bytes=taken)
            else:
                worker.send(step, mark=worker.mark(), **more[0])
        worker.done(number)


def shows(worker, mime, data):
    data = base64.b64encode(data).decode()
    worker.send("image", mark=worker.mark(), mime=mime, data=data)


def png(width, height, colour):
    """A PNG of one colour; without one, of noise."""
    def chunk(kind, data):
        check = zlib.crc32(kind + data).to_bytes(4, "big")
        return len(data).to_bytes(4, "big") + kind + data + check
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    row = bytes(colour) * width if colour else None
    rows = b"".join(b"\0" + (row or random.randbytes(3 * width)) for _ in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 1))
            + chunk(b"IEND", b""))


# Ways to misbehave before the first `ready`.

def says_hello_twice(worker):
    worker.hello()
    worker.hello()
    rest()


def says_no_hello(worker):
    worker.ready()
    rest()


def leaves_out_the_nonce(worker):
    worker.send("hello", protocol=1, implementation="fake", version="0", pid=1)
    rest()


def hangs_up_before_hello(worker):
    worker.socket.shutdown(socket.SHUT_RDWR)
    rest()


def comes_late(worker):
    time.sleep(1)
    well(worker)


# Ways to misbehave between cells.

def ends_without_reading_the_cell(worker):
    worker.hello()
    worker.ready()
    # The server's hello is read and not a byte more; then something is there for nobody.
    while worker.socket.recv(1) != b"\n":
        pass
    select.select([worker.socket], [], [])
    os._exit(5)


# Ways to misbehave in a cell.

def announces_a_mark_that_never_comes(worker, number):
    worker.send("cell_done", id=number, mark=99, outcome="ok")
    rest()


def places_marks_out_of_order(worker, number):
    worker.print("before\n")
    worker.place(9)
    worker.place(3)
    worker.send("cell_done", id=number, mark=3, outcome="ok")
    worker.send("ready", mark=9)
    worker.marks = 9


def is_ready_twice(worker, number):
    worker.done(number)
    worker.ready()
    worker.ready()


def sends_a_word_for_a_number(worker, number):
    worker.send("cell_done", id=number, mark="one", outcome="ok")
    rest()


def leaves_out_a_field(worker, number):
    worker.send("cell_done", id=number, outcome="ok")
    rest()


def has_an_outcome_of_its_own(worker, number):
    worker.send("cell_done", id=number, mark=worker.mark(), outcome="splendid")
    rest()


def exits_in_the_middle_of_a_line(worker, number):
    worker.print("half a line")
    worker.raw(b'{"type": "cell_done", "id": ')
    os._exit(7)


def takes_what_nobody_waits_for(worker, number):
    worker.send("input_taken", wait=12345, bytes=6)
    worker.print("went on\n")
    worker.done(number)


def throws_an_answer_away(worker, number):
    worker.print("name? ")
    worker.send("input_wait", mark=worker.mark(), wait=1, reader="readline", prompt="name? ")
    while (message := worker.receive())["type"] != "stdin":
        pass
    # The cell ends as the answer comes, and its reader waits on.
    worker.done(number, discarded_bytes=len(message["data"]))
    data = worker.receive()["data"]
    worker.send("input_taken", wait=1, bytes=len(data))
    worker.print(f"heard {data}")
    worker.ready()


def never_exits_after_exiting(worker, number):
    worker.print("bye\n")
    worker.send("exiting", status=0)
    rest()


def leaves_a_child_with_the_sideband(worker, number):
    if os.fork() == 0:
        os.setsid()
        time.sleep(5)
        os._exit(0)
    worker.print("bye\n")
    os._exit(4)


def floods_the_terminal(worker, number):
    for _ in range(200):
        worker.print("flood of text\n" * 5000)
    worker.done(number)


def floods_the_sideband(worker, number):
    line = b'{"type": "input_taken", "wait": 1, "bytes": 0}\n'
    for _ in range(200):
        worker.raw(line * 1000)
    worker.print("flooded\n")
    worker.done(number)


def floods_with_pictures(worker, number):
    for _ in range(300):
        worker.print("picture\n")
        worker.send("image", mark=worker.mark(), mime="image/png", data="A" * 100_000)
    worker.done(number)


def says_nonsense_about_bytes(worker, number):
    worker.done(number, discarded_bytes=-1)
    rest()


def main():
    worker = Worker()
    if HOW == "well" or os.path.exists(FILE):
        well(worker)
    open(FILE, "w").close()
    way = globals()[HOW]
    if way.__code__.co_argcount == 1:
        way(worker)
    worker.hello()
    worker.ready()
    way(worker, worker.cell()[0])
    while True:
        number, source = worker.cell()
        worker.print(f"ran {source}\n")
        worker.done(number)


if __name__ == "__main__":
    main()
