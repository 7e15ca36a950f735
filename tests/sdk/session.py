"""A data scientist's session through the official MCP SDK, as an agent leads it.

    python session.py SERVER DIRECTORY

SERVER is the mcp-repl binary, DIRECTORY where it is started: a `.venv` there is the session's
Python. Every step checks what an agent needs to see in the reply. Exits with 0 when all is seen.
"""

import asyncio
import sys

from mcp import Client, StdioServerParameters

IDLE = "<<repl status: idle>>\n"


class Session:
    """The `repl` tool, with its calls counted."""

    def __init__(self, client):
        self.client = client
        self.calls = 0

    async def repl(self, input, **arguments):
        """The text of the reply to a payload."""
        self.calls += 1
        result = await self.client.call_tool("repl", {"input": input, **arguments})
        assert not result.is_error, result
        text = "".join(part.text for part in result.content if part.type == "text")
        print(f"--- {input!r}\n{text}", flush=True)
        return text

    async def gives(self, input, reply, **arguments):
        """The reply is exactly this."""
        text = await self.repl(input, **arguments)
        assert text == reply, f"{input!r} gave {text!r}, not {reply!r}"

    async def shows(self, input, *parts, **arguments):
        """The reply has all of these in it, in this order."""
        text = await self.repl(input, **arguments)
        at = 0
        for part in parts:
            found = text.find(part, at)
            assert found >= 0, f"{part!r} is not (at its place) in the reply to {input!r}:\n{text}"
            at = found + len(part)
        return text


async def explore(session):
    """Reads a data set that scikit-learn ships, and looks at it."""
    await session.gives("from sklearn.datasets import load_wine\nimport pandas as pd", IDLE)
    await session.gives("wine = load_wine(as_frame=True)\ndf = wine.frame\ndf.shape", "(178, 14)\n")
    # A table is laid out for the terminal: all of its columns, none wrapped away.
    await session.shows("df[['alcohol', 'hue', 'proline']].head(3)", "alcohol", "14.23", "1065.0")
    await session.shows("df.info()", "RangeIndex: 178 entries, 0 to 177", "target", "memory usage")
    await session.shows("df['target'].value_counts()", "1    71", "0    59", "2    48")
    await session.gives("list(wine.target_names)[0] == 'class_0'", "True\n")
    await session.shows("df.groupby('target')['alcohol'].mean().round(2)", "13.74", "12.28", "13.15")
    await session.gives("int(df.isna().sum().sum())", "0\n")


async def fit(session):
    """Fits a model and looks at how good it is."""
    cell = """\
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

X, y = wine.data, wine.target
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0, stratify=y)
model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))

model.fit(X_train, y_train)"""
    await session.shows(cell, "Pipeline(steps=")
    await session.gives("model.score(X_test, y_test) > 0.9", "True\n")
    await session.gives("bool(cross_val_score(model, X, y, cv=5).mean() > 0.9)", "True\n")
    cell = "for fold in range(3):\n    print(f'\\rfold {fold + 1}/3', end='')\nprint()"
    await session.gives(cell, "fold 3/3\n")
    # Two processes of their own.
    cell = "bool(cross_val_score(model, X, y, cv=4, n_jobs=2).mean() > 0.9)"
    await session.shows(cell, "True\n")


async def debug(session):
    """Makes a mistake, reads the traceback, and finds it with the debugger."""
    cell = """\
def alcohol_ratio(frame, target):
    part = frame[frame['target'] == target]
    return part['alcohol'].mean() / part['alcohool'].mean()

def report(frame):
    return [alcohol_ratio(frame, target) for target in (0, 1, 2)]"""
    await session.gives(cell, IDLE)
    text = await session.shows(
        "report(df)",
        "Traceback (most recent call last):",
        "return [alcohol_ratio(frame, target) for target in (0, 1, 2)]",
        "return part['alcohol'].mean() / part['alcohool'].mean()",
        "KeyError: 'alcohool'",
    )
    assert "mcp_repl" not in text, text
    await session.shows("import pdb\npdb.run('report(df)', globals())", "(Pdb) ")
    await session.shows("break alcohol_ratio", "Breakpoint 1 at <cell ", "(Pdb) ")
    await session.shows("continue", "-> part = frame[frame['target'] == target]\n(Pdb) ")
    await session.shows("next", "-> return part['alcohol'].mean()", "(Pdb) ")
    await session.gives("p len(part), [c for c in part if c.startswith('al')]",
                        "(59, ['alcohol', 'alcalinity_of_ash'])\n(Pdb) ")
    await session.shows("quit")
    cell = """\
def alcohol_ratio(frame, target):
    return frame[frame['target'] == target]['alcohol'].mean() / frame['alcohol'].mean()

[round(float(ratio), 2) for ratio in report(df)]"""
    await session.gives(cell, "[1.06, 0.94, 1.01]\n")


async def answer(session):
    """Answers what the program asks."""
    cell = """\
def ask():
    column = input('column? ')
    digits = int(input('digits? '))
    return round(float(df[column].max()), digits)

ask()"""
    await session.gives(cell, "column? ")
    await session.gives("hue", "digits? ")
    await session.gives("1", "1.7\n")


async def interrupt(session):
    """Starts what takes too long, sees so, and interrupts it."""
    text = await session.repl("tries = 0\nwhile True: tries += 1", timeout_ms=500)
    assert text.startswith("<<repl status: busy, elapsed_ms="), text
    text = await session.repl("x = 1", timeout_ms=0)
    assert text.startswith("[repl] input discarded while worker busy\n<<repl status: busy"), text
    await session.shows("\x03", "Traceback (most recent call last):", "KeyboardInterrupt\n")
    await session.gives("tries > 0, df.shape", "(True, (178, 14))\n")


async def start_anew(session):
    """Ends the session and goes on in a fresh one."""
    await session.gives("import sys\nprint('done')\nsys.exit(2)",
                        "done\n[repl] session ended (exit status 2)\n")
    await session.shows("df", "[repl] new session started\n", "NameError: name 'df' is not defined")
    await session.gives("df = 'mine'\ndf", "'mine'\n")
    await session.shows("\x04print('fresh')", "[repl] new session started\nfresh\n")
    await session.shows("import sys\nprint(sys.prefix)", ".venv")


async def main(server, directory):
    # Nothing is to wait for a client that comes back, and nothing of this machine is set.
    grace = {"MCP_REPL_GRACE": "0", "XDG_CONFIG_HOME": "/nowhere"}
    parameters = StdioServerParameters(command=server, args=[], cwd=directory, env=grace)
    async with Client(parameters) as client:
        tools = (await client.list_tools()).tools
        assert [tool.name for tool in tools] == ["repl"], tools
        session = Session(client)
        for part in explore, fit, debug, answer, interrupt, start_anew:
            await part(session)
        assert session.calls >= 25, session.calls
        print(f"{session.calls} calls over protocol {client.protocol_version}")

    # The other era of the protocol, with the handshake; progress while the call waits.
    async with Client(parameters, mode="legacy") as client:
        session = Session(client)
        await session.gives("6 * 7", "42\n")
        told = asyncio.Event()

        async def progress(amount, total, message):
            assert message == "half way", message
            told.set()

        cell = "print('half way')\ninput('go on? ')"
        call = client.call_tool("repl", {"input": cell}, progress_callback=progress)
        assert (await call).content[0].text == "half way\ngo on? "
        await session.gives("yes", "'yes'\n")
        cell = "import time\nprint('half way', flush=True)\nwhile True: time.sleep(60)"
        call = asyncio.create_task(
            client.call_tool("repl", {"input": cell}, progress_callback=progress)
        )
        await asyncio.wait_for(told.wait(), 30)
        await session.repl("\x03")
        await call
        await session.gives("6 * 7", "42\n")
        print(f"{session.calls} calls over protocol {client.protocol_version}")


asyncio.run(main(*sys.argv[1:]))
