"""A whole worker for `mcp-repl --worker`: a calculator that speaks the sideband protocol.

A cell is a line `NAME = EXPRESSION`, an `EXPRESSION`, or `ask NAME`, which waits for input.
See docs/sideband.md.
"""

import json
import os
import socket
import sys


class Interrupted(Exception):
    """What waited was interrupted."""


class Sideband:
    """The connection to the server."""

    def __init__(self, protocol=1, nonce=None):
        self.nonce = os.environ.pop("MCP_REPL_NONCE")
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(os.environ.pop("MCP_REPL_SIDEBAND"))
        # Two streams: one for both would lose what it has read ahead when it writes.
        self.messages = connection.makefile("r", encoding="utf-8", newline="\n")
        self.stream = connection.makefile("w", encoding="utf-8", newline="\n")
        self.marks = 0
        self.send("hello", protocol=protocol, nonce=nonce or self.nonce,
                  implementation="calculator", version="1.0", pid=os.getpid())

    def send(self, kind, **fields):
        self.stream.write(json.dumps({"type": kind, **fields}) + "\n")
        self.stream.flush()

    def mark(self):
        """Marks this place on the terminal; messages that refer to it carry the number."""
        self.marks += 1
        print(f"\x1b]5379;{self.nonce};{self.marks}\x07", end="", flush=True)
        return self.marks

    def receive(self):
        """The next message; the end of the stream is the end of the worker."""
        line = self.messages.readline()
        message = json.loads(line) if line else {"type": "shutdown"}
        if message["type"] == "interrupt":
            self.send("interrupted")
        return message

    def ask(self, prompt):
        """Waits for a line of input."""
        sys.stdout.write(prompt)
        wait = self.mark()
        self.send("input_wait", mark=wait, wait=wait, reader="readline", prompt=prompt)
        while True:
            message = self.receive()
            if message["type"] == "stdin":
                line = message["data"].split("\n")[0]
                self.send("input_taken", wait=wait, bytes=len(line.encode()) + 1)
                print()
                return line
            if message["type"] == "interrupt":
                self.send("input_taken", wait=wait, bytes=0)
                raise Interrupted
            if message["type"] == "shutdown":
                raise SystemExit


def run(line, variables, sideband):
    """Runs one line of a cell."""
    name, _, expression = line.partition("=")
    if line.startswith("ask "):
        name = line[4:].strip()
        variables[name] = float(sideband.ask(f"{name}? "))
    elif expression:
        variables[name.strip()] = eval(expression, {"__builtins__": {}}, variables)
    else:
        print(eval(line, {"__builtins__": {}}, variables))


def main():
    sideband, variables = Sideband(), {}
    sideband.send("ready", mark=sideband.mark())
    while (message := sideband.receive())["type"] != "shutdown":
        if message["type"] != "cell":
            continue
        outcome = "ok"
        try:
            for line in filter(str.strip, message["source"].splitlines()):
                run(line, variables, sideband)
        except Interrupted:
            outcome = "interrupted"
        except Exception as error:
            print(f"error: {error}")
            outcome = "error"
        mark = sideband.mark()
        sideband.send("cell_done", id=message["id"], mark=mark, outcome=outcome)
        sideband.send("ready", mark=mark)
    sideband.send("exiting", status=0)


if __name__ == "__main__":
    main()
