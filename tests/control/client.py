"""A client of the control protocol with nothing but the standard library; see docs/control.md.

As a module: `find`, `entries`, `Connection`. As a program it does one of WAYS with a session and prints
what came of it, a line of JSON:

    client.py NAME call '1 + 1'
    client.py NAME long_line
"""

import fcntl
import json
import os
import socket
import stat
import sys
import tempfile
from pathlib import Path

PROTOCOL = 1
MIB = 1 << 20
# How long anything of a host is waited for, in seconds. No test depends on it.
PATIENCE = 120


class ProtocolError(Exception):
    """The host did not keep to the protocol, or no session is there."""


class Refused(Exception):
    """The host said `error` or `refused`."""


def runtime_directory():
    """Where the sessions of this user are listed; checked as a client has to."""
    named = os.environ.get("MCP_REPL_RUNTIME_DIR")
    of_login = os.environ.get("XDG_RUNTIME_DIR")
    if named:
        place = Path(named)
    elif of_login and os.path.isdir(of_login) and os.stat(of_login).st_uid == os.getuid():
        place = Path(of_login, "mcp-repl")
    else:
        place = Path(tempfile.gettempdir(), f"mcp-repl-{os.getuid()}")
    found = os.lstat(place)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise ProtocolError(f"{place} is not this user's own")
    return place


class Entry:
    """A session in the run-time directory."""

    def __init__(self, path):
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        with open(descriptor, encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                self.is_living = False
            except BlockingIOError:
                self.is_living = True
            self.record = json.load(file) if self.is_living else {}
        self.name = path.name[:-len(".session")]
        if self.is_living:
            self.socket = path.with_name(self.record["id"] + ".sock")
            self.token_file = path.with_name(self.record["id"] + ".token")

    def token(self):
        return self.token_file.read_text(encoding="ascii")


def entries(directory=None):
    """The sessions that live, by their names."""
    paths = sorted(Path(directory or runtime_directory()).glob("*.session"))
    return [entry for entry in map(Entry, paths) if entry.is_living]


def find(name, directory=None):
    """The session of this name."""
    for entry in entries(directory):
        if entry.name == name:
            return entry
    raise ProtocolError(f"there is no session {name}")


class Connection:
    """A connection to a host, over its socket or over any connected one."""

    def __init__(self, where):
        self.entry = where if isinstance(where, Entry) else None
        if self.entry:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(PATIENCE)
            self.socket.connect(os.fspath(self.entry.socket))
        else:
            self.socket = where
        self.buffer = bytearray()
        self.last_id = 0
        # What came while something else was waited for.
        self.passed = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    # What is said

    def raw(self, data):
        """Bytes as they are, whole messages or not."""
        self.socket.sendall(data)

    def send(self, kind, follows=b"", **fields):
        """A message, and the bytes that follow it."""
        self.raw(line(kind, **fields) + follows)

    def hello(self, name="client.py", role="client", **fields):
        """Comes in; what the host answers. Fields of any name take the place of those it sends."""
        token = fields.pop("token", None) or self.entry.token()
        said = {"protocol": PROTOCOL, "token": token, "role": role, "name": name, **fields}
        self.send("hello", **said)
        welcome = self.next("welcome")
        if welcome["protocol"] != PROTOCOL:
            raise ProtocolError(f"the host speaks version {welcome['protocol']}")
        return welcome

    def next_id(self):
        self.last_id += 1
        return self.last_id

    def start_call(self, text="", timeout_ms=PATIENCE * 1000, **fields):
        """Makes a call; its number."""
        number = self.next_id()
        self.send("call", id=number, input=text, timeout_ms=timeout_ms, **fields)
        return number

    def reply(self, number, told=True):
        """The reply to a call. Says that it was told, that it was not (False), or nothing (None)."""
        message = self.next("reply", id=number)
        if told is not None:
            self.send("told" if told else "untold", id=number)
        return message["reply"]

    def call(self, text="", told=True, **fields):
        """Makes a call; its reply."""
        return self.reply(self.start_call(text, **fields), told)

    def subscribe(self):
        """Looks on; the whole screen, as a message with its `bytes`."""
        self.send("subscribe")
        return self.next("repaint")

    def type(self, data):
        """Types, and waits until that was taken."""
        self.send("type", data, length=len(data))
        self.next("typed")

    def ask(self, kind, answer, **fields):
        """Asks something that has a number: `complete`, `show`."""
        number = self.next_id()
        self.send(kind, id=number, **fields)
        return self.next(answer, id=number)

    def describe(self):
        """What there is to tell of the session."""
        self.send("describe")
        return self.next("session")

    def end(self):
        """Ends the session, and waits until that is done."""
        self.send("end")
        while self.receive() is not None:
            pass

    # What is heard

    def receive(self):
        """The next message, its bytes as `bytes`; None at the end of the connection."""
        while b"\n" not in self.buffer:
            if not self._read():
                return self._at_end()
        text, _, rest = self.buffer.partition(b"\n")
        message = json.loads(text)
        length = message["length"] if message["type"] in ("repaint", "output") else 0
        self.buffer = rest
        while len(self.buffer) < length:
            if not self._read():
                return self._at_end()
        message["bytes"] = bytes(self.buffer[:length])
        del self.buffer[:length]
        return message

    def _read(self):
        try:
            chunk = self.socket.recv(MIB)
        except ConnectionResetError:
            return False
        self.buffer += chunk
        return bool(chunk)

    def _at_end(self):
        if self.buffer:
            raise ProtocolError(f"the host went in the middle of {bytes(self.buffer[:80])!r}")

    def next(self, kind, **fields):
        """The next message of this kind with these fields. What else comes goes to `passed`."""
        while True:
            message = self.receive()
            if message is None:
                raise ProtocolError(f"the host closed the connection before `{kind}`")
            if message["type"] == "error":
                raise Refused(message["message"])
            if message["type"] == "refused" and message.get("id") == fields.get("id"):
                raise Refused(message["message"])
            wanted = {"type": kind, **fields}
            if all(message.get(name) == value for name, value in wanted.items()):
                return message
            self.passed.append(message)

    def last_words(self):
        """What the host says last: its `error`; None when it closes without a word."""
        said = None
        while True:
            message = self.receive()
            if message is None:
                return said
            if message["type"] == "error":
                said = message["message"]


def line(kind, **fields):
    """The line of a message."""
    return json.dumps({"type": kind, **fields}, separators=(",", ":")).encode() + b"\n"


def text_of(reply):
    """A reply's text, and its other parts as lines."""
    text = ""
    for part in reply["content"]:
        (kind, value), = part.items()
        if kind == "text":
            text += value
        elif kind != "status":
            line_of_it = value["line"] if kind == "attachment" else value
            text += ("\n" if text and not text.endswith("\n") else "") + line_of_it + "\n"
    return text


def came_in(entry, **fields):
    """A connection that was let in."""
    connection = Connection(entry)
    connection.hello(**fields)
    return connection


# What a well-behaved peer does


def way_call(entry, text="1 + 1"):
    with came_in(entry) as connection:
        reply = connection.call(text)
    return {"text": text_of(reply), "status": reply["status"]}


def way_describe(entry):
    with came_in(entry, role="status") as connection:
        answer = connection.describe()
    del answer["bytes"]
    return answer


def way_screen(entry):
    with came_in(entry, role="observer") as connection:
        screen = connection.subscribe()
    return {"columns": screen["columns"], "rows": screen["rows"],
            "bytes": screen["bytes"].decode(errors="replace")}


def way_type(entry, text):
    """Types what Python reads as a string's inside: `x = 5\\r`."""
    with came_in(entry) as connection:
        connection.type(text.encode().decode("unicode_escape").encode())
    return {}


def way_end(entry):
    with came_in(entry, role="status") as connection:
        connection.end()
    return {}


# What a hostile one does. Each gives what the host said last, `null` when that was nothing.


def said(connection):
    try:
        return {"said": connection.last_words()}
    finally:
        connection.close()


def way_wrong_token(entry, token="0" * 32):
    return refusal_of_hello(entry, token=token)


def way_wrong_version(entry, version="99"):
    return refusal_of_hello(entry, protocol=int(version))


def refusal_of_hello(entry, **fields):
    with Connection(entry) as connection:
        try:
            connection.hello(**fields)
        except Refused as refused:
            return {"said": str(refused)}
    return {"said": None}


def way_no_hello(entry):
    """Says something else first."""
    connection = Connection(entry)
    connection.send("describe")
    return said(connection)


def way_half_hello(entry):
    """Says half a hello, and goes."""
    with Connection(entry) as connection:
        connection.raw(line("hello", protocol=PROTOCOL, token=entry.token())[:-20])
    return {}


def way_half_message(entry):
    """Says half a call, and goes."""
    with came_in(entry) as connection:
        connection.raw(line("call", id=1, input="x" * 1000, timeout_ms=0)[:-500])
    return {}


def way_half_bytes(entry):
    """Says half of what it types, and goes."""
    with came_in(entry) as connection:
        connection.send("type", b"x" * 500, length=1000)
    return {}


def way_no_message(entry, text="x"):
    """Says what is no message, once it was let in."""
    connection = came_in(entry)
    connection.raw(text.encode() + b"\n")
    return said(connection)


def way_unknown_type(entry):
    connection = came_in(entry)
    connection.send("explode")
    return said(connection)


def way_absurd_length(entry, length=str(2**64 - 1)):
    connection = came_in(entry)
    connection.raw(b'{"type":"type","length":%s}\n' % length.encode())
    return said(connection)


def way_unanswered_typing(entry):
    """Types far more than a host takes, and waits for no `typed`."""
    connection = came_in(entry)
    return pour(connection, line("type", length=65536) + b"x" * 65536, 64 * MIB)


def way_long_line(entry, size=str(1 << 30)):
    """A line of so many bytes, without an end, once it was let in."""
    return pour(came_in(entry), b"x" * MIB, int(size))


def way_long_hello(entry, size=str(1 << 30)):
    """The same before it said who it is."""
    return pour(Connection(entry), b"x" * MIB, int(size))


def pour(connection, chunk, size):
    """Sends the chunk again and again until it was so much, or the host takes no more."""
    sent = 0
    try:
        while sent < size:
            connection.raw(chunk)
            sent += len(chunk)
    except (BrokenPipeError, ConnectionResetError):
        pass
    return {"sent": sent, **said(connection)}


def way_flood(entry, count="100000"):
    """So many messages in one go, and reads nothing before they are sent or the host takes no more."""
    connection = came_in(entry)
    connection.socket.settimeout(5)
    # Calls that wait for nothing, what needs no answer, and questions.
    messages = [line("interrupt"), line("untold", id=7), line("describe"), line("subscribe"),
                line("complete", id=8, text="pri", cursor=3)]
    sent = 0
    try:
        for number in range(int(count)):
            connection.raw(messages[number % len(messages)])
            sent += 1
    except (socket.timeout, BrokenPipeError, ConnectionResetError):
        pass
    connection.close()
    return {"sent": sent}


def way_connections(entry, count="500"):
    """So many connections at once that say nothing, while one more is let in and served."""
    silent = []
    try:
        for _ in range(int(count)):
            silent.append(Connection(entry))
        with came_in(entry) as connection:
            reply = connection.call("1 + 1")
    finally:
        for one in silent:
            one.close()
    return {"text": text_of(reply)}


def way_stand_still(entry):
    """Looks on and reads nothing, until standard input says a line; then what is on the screen."""
    with came_in(entry, role="observer") as connection:
        connection.subscribe()
        print(json.dumps({"is": "still"}), flush=True)
        sys.stdin.readline()
        repaints = dropped = 0
        while True:
            connection.send("describe")
            connection.next("session")
            seen, connection.passed = connection.passed, []
            repaints += sum(message["type"] == "repaint" for message in seen)
            dropped += sum(len(message["bytes"]) for message in seen)
            if not seen:
                return {"repaints": repaints, "bytes": dropped}


def way_untold(entry, text="1 + 1"):
    """Makes a call, goes without a receipt, and comes back: the first and the second reply."""
    with Connection(entry) as connection:
        welcome = connection.hello()
        first = connection.call(text, told=None)
    with came_in(entry, resume=welcome["resume"]) as connection:
        second = connection.call()
    return {"first": text_of(first), "second": text_of(second)}


WAYS = {name[len("way_"):]: way for name, way in list(globals().items()) if name.startswith("way_")}


def main():
    if len(sys.argv) < 3 or sys.argv[2] not in WAYS:
        sys.exit(f"client.py NAME WAY [ARGUMENT]; WAY is one of {', '.join(WAYS)}")
    _, name, way, *arguments = sys.argv
    try:
        answer = WAYS[way](find(name), *arguments)
    except (ProtocolError, Refused) as error:
        sys.exit(f"{type(error).__name__}: {error}")
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
