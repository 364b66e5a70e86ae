"""`python -m lib mcp`: the tools for programming agents, over stdin and stdout or over HTTP on this machine alone."""

import argparse
import sys
from typing import Any

from lib.errors import InputError

_PORT = 8765


def add(commands: Any) -> None:
    """The command and its options."""
    command = commands.add_parser("mcp", help="serve the tools to a programming agent (Model Context Protocol)")
    command.add_argument("--http", action="store_true", help="serve over HTTP on 127.0.0.1 instead of stdin and stdout")
    command.add_argument("--port", type=int, metavar="N", help=f"with --http: the port (default: {_PORT})")
    command.add_argument(
        "--root", action="append", default=[], metavar="DIR",
        help="a folder below which texts, encoders and dictionaries may be read; may be given repeatedly",
    )  # fmt: skip
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> None:
    """Serve until the client leaves."""
    if chosen.port is not None and not chosen.http:
        raise InputError("--port is where --http serves: give that too.")
    if chosen.port is not None and not 1 <= chosen.port <= 65_535:
        raise InputError(f"--port is a number from 1 to 65535, got {chosen.port}.")

    from lib.agents.roots import Roots
    from lib.agents.server import HOST, PATH, build_server, serve
    from lib.agents.workbench import Workbench

    server = build_server(Workbench(Roots.of(chosen.root)))
    port = (chosen.port or _PORT) if chosen.http else None
    if port is not None:
        print(f"Serving http://{HOST}:{port}{PATH}; Ctrl-C ends it.", file=sys.stderr)
    serve(server, port=port)
