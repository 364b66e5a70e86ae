"""A server in memory, over the sample and one folder that may be read."""

from dataclasses import dataclass

import pytest

pytest.importorskip("mcp")

from mcp import Client

from lib.agents.roots import Roots
from lib.agents.server import Server, build_server
from lib.agents.workbench import Workbench
from tests.toy_loop import finished


@dataclass
class Agent:
    """Calls as an agent makes them, one connection each."""

    server: Server
    bench: Workbench

    def call(self, name, progress=None, **arguments):
        """The whole result of a call."""

        async def ask():
            async with Client(self.server) as client:
                return await client.call_tool(name, arguments, progress_callback=progress)

        return finished(ask)

    def answer(self, name, **arguments):
        """The structured answer of a call that works."""
        result = self.call(name, **arguments)
        assert not result.is_error, result.content[0].text
        return result.structured_content

    def refusal(self, name, **arguments):
        """The sentence with which a call is refused."""
        result = self.call(name, **arguments)
        assert result.is_error
        assert result.structured_content is None
        (content,) = result.content
        assert "Traceback" not in content.text
        assert "\n" not in content.text
        return content.text

    def asks(self, method, *arguments):
        """What a client's method returns: list_tools, read_resource, ..."""

        async def ask():
            async with Client(self.server) as client:
                return await getattr(client, method)(*arguments)

        return finished(ask)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder that may be read."""
    return tmp_path_factory.mktemp("allowed")


@pytest.fixture(scope="module")
def agent(folder):
    """An agent at a server that may read `folder`."""
    bench = Workbench(Roots.of([str(folder)]))
    return Agent(build_server(bench), bench)
