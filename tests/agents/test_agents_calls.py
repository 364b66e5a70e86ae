"""How calls run: one heavy one at a time, progress that rises, a caller who leaves; over stdio and over HTTP."""

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time

import anyio
import pytest

pytest.importorskip("mcp")

from mcp import Client, StdioServerParameters

from lib.agents.answers import Answer
from lib.agents.calls import Tool, as_call
from lib.agents.desk import Desk
from lib.agents.server import Server, build_server
from lib.agents.workbench import Kept, Workbench
from lib.errors import Stopped
from tests.toy_loop import finished

NOISY = """
import os, sys
from lib.encoders import Policy
own = Policy.from_environment.__func__
def noisy(cls):
    print("a library that prints")
    os.write(1, b"and one that writes to the descriptor\\n")
    return own(cls)
Policy.from_environment = classmethod(noisy)
from lib.cli import main
sys.exit(main(["mcp"]))
"""


def served(*functions):
    """A server with these functions alone, all heavy."""
    server, bench = Server("test"), Workbench()
    for function in functions:
        server.add_tool(as_call(Tool(function, function.__name__), bench))
    return server, bench


def test_heavy_calls_take_turns():
    running, most = [], []

    def heavy(desk: Desk, number: int) -> Answer:
        running.append(number)
        most.append(len(running))
        time.sleep(0.05)
        running.remove(number)
        return Answer(says=f"{number}.")

    server, _ = served(heavy)

    async def ask():
        async with Client(server) as client, anyio.create_task_group() as group:
            for number in range(4):
                group.start_soon(client.call_tool, "heavy", {"number": number})

    finished(ask)
    assert most == [1, 1, 1, 1]


def test_a_light_call_does_not_wait():
    bench = Workbench()
    server = build_server(bench)

    async def ask():
        async with Client(server) as client:
            return await client.call_tool("list_encoders", {})

    with bench.busy:
        assert not finished(ask).is_error


def test_progress_only_rises_from_part_to_part():
    told = []

    def slow(desk: Desk) -> Answer:
        for doing in ("Encoding", "Comparing"):
            for done in range(1, 4):
                desk.tells(doing)(done, 3)
                time.sleep(0.25)
        return Answer(says="Done.")

    async def tell(progress, total, message):
        told.append((progress, message))

    async def ask():
        async with Client(served(slow)[0]) as client:
            await client.call_tool("slow", {}, progress_callback=tell)

    finished(ask)
    numbers = [number for number, _ in told]
    assert numbers == sorted(set(numbers))
    assert {message.split(":")[0] for _, message in told} == {"Encoding", "Comparing"}


def test_a_caller_who_leaves_stops_the_work_and_frees_the_turn():
    started, stopped = threading.Event(), threading.Event()

    def endless(desk: Desk) -> Answer:
        started.set()
        try:
            while True:
                desk.tells("Waiting")(0, 1)
                time.sleep(0.01)
        except Stopped:
            stopped.set()
            raise

    server, bench = served(endless)

    async def ask():
        async with Client(server) as client:
            with anyio.move_on_after(0.4):
                await client.call_tool("endless", {})

    finished(ask)
    assert started.is_set()
    assert stopped.wait(5)
    assert bench.busy.acquire(timeout=5)


def test_a_bug_shows_no_inner_workings(caplog):
    def broken(desk: Desk) -> Answer:
        raise KeyError("a secret of the server")

    async def ask():
        async with Client(served(broken)[0]) as client:
            return await client.call_tool("broken", {})

    result = finished(ask)
    assert result.is_error
    assert "secret" not in result.content[0].text


def test_few_things_are_kept_and_each_is_made_once():
    kept, made = Kept(), []

    def make(number):
        made.append(number)
        return number

    for number in (1, 2, 1, 3, 1, 2):
        assert kept.get("encoder", number, lambda number=number: make(number)) == number
    assert made == [1, 2, 3, 2]
    assert kept.held("encoder") == [1, 2]


def _environment(tmp_path):
    return os.environ | {"EMBEDSCOPE_STORE": str(tmp_path / "store"), "EMBEDSCOPE_RESULTS": str(tmp_path / "results")}


def test_stdout_holds_the_protocol_alone(root, tmp_path):
    command = StdioServerParameters(
        command=sys.executable, args=["-c", NOISY], cwd=str(root), env=_environment(tmp_path)
    )

    async def ask():
        async with Client(command) as client:
            assert client.server_info.name == "embedscope"
            assert len((await client.list_tools()).tools) > 20
            return await client.call_tool("search", {"query": "chest pain", "by": "words", "limit": 2})

    result = finished(ask)
    assert not result.is_error
    assert len(result.structured_content["hits"]) == 2


@pytest.fixture
def port(root, tmp_path):
    """Where a server of its own listens on this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number = probe.getsockname()[1]
    command = [sys.executable, "-m", "lib", "mcp", "--http", "--port", str(number)]
    process = subprocess.Popen(
        command, cwd=root, env=_environment(tmp_path), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", number)) == 0:
                    break
            assert process.poll() is None
            time.sleep(0.1)
        yield number
    finally:
        process.terminate()
        process.wait(timeout=20)


def _posted(port, **headers):
    """Status of a request that carries these headers."""
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    base = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    connection.request("POST", "/mcp", json.dumps(asked), base | headers)
    status = connection.getresponse().status
    connection.close()
    return status


def test_http_serves_this_machine_alone(port):
    async def ask():
        async with Client(f"http://127.0.0.1:{port}/mcp") as client:
            return await client.call_tool("search_features", {"words": "court"})

    assert not finished(ask).is_error
    assert _posted(port, Host="evil.example") == 421
    assert _posted(port, Host=f"127.0.0.1.evil.example:{port}") == 421
    assert _posted(port, Origin="https://evil.example") == 403
    assert _posted(port, Origin="null") == 403
    with socket.socket() as probe:  # no other address of this machine
        assert probe.connect_ex(("127.0.0.2", port)) != 0
