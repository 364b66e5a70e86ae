"""Calls: a tool's function, run in a thread of its own: one heavy call at a time, progress told, cancellation heard."""

import base64
import inspect
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import anyio
import anyio.to_thread
from mcp.server.mcpserver import Context
from mcp.types import CallToolResult, ContentBlock, ImageContent, TextContent

from lib.agents.answers import Answer, as_json
from lib.agents.desk import Desk
from lib.agents.workbench import Workbench
from lib.errors import InputError, Stopped

_LOOK = 0.2
"""Seconds between two looks at how far a call is, and at whether the caller has left."""


@dataclass(frozen=True)
class Tool:
    """A function that agents may call."""

    function: Callable[..., Answer]
    """Takes a desk, then its arguments; its name, docstring and annotations are what agents read."""
    title: str
    """Its name for people."""
    heavy: bool = True
    """Whether it may encode texts or compute for long: then it waits for other heavy calls."""

    @property
    def name(self) -> str:
        """What agents call it."""
        return self.function.__name__


def as_call(tool: Tool, bench: Workbench) -> Callable[..., Awaitable[CallToolResult]]:
    """`tool` as the SDK registers it: the same arguments but for the desk, and the answer's class as output schema."""
    own = inspect.signature(tool.function)
    parameters = list(own.parameters.values())[1:]

    async def call(ctx: Context[Any, Any], **arguments: Any) -> CallToolResult:
        return await _run(tool, bench, arguments, ctx)

    context = inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=Context)
    answer = Annotated[CallToolResult, own.return_annotation]
    call.__name__ = tool.name
    call.__doc__ = inspect.getdoc(tool.function)
    call.__signature__ = inspect.Signature([*parameters, context], return_annotation=answer)  # type: ignore[attr-defined]
    call.__annotations__ = {one.name: one.annotation for one in (*parameters, context)} | {"return": answer}
    return call


def refused(sentence: str) -> CallToolResult:
    """An answer that says why there is none."""
    return CallToolResult(content=[TextContent(type="text", text=sentence)], is_error=True)


async def _run(tool: Tool, bench: Workbench, arguments: dict[str, Any], ctx: Context[Any, Any]) -> CallToolResult:
    desk = Desk(bench)
    result = refused("The call was cancelled.")
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(_report, desk, ctx)
            result = await anyio.to_thread.run_sync(partial(_work, tool, desk, arguments), abandon_on_cancel=True)
            group.cancel_scope.cancel()
    finally:
        desk.stop.set()
    return result


def _work(tool: Tool, desk: Desk, arguments: dict[str, Any]) -> CallToolResult:
    try:
        with _turn(desk) if tool.heavy else nullcontext():
            answer = tool.function(desk, **arguments)
        made, text = as_json(answer)
    except (InputError, Stopped) as fault:
        return refused(str(fault))
    pictures: list[ContentBlock] = [
        ImageContent(type="image", data=base64.b64encode(one).decode(), mime_type="image/png") for one in desk.pictures
    ]
    return CallToolResult(content=[TextContent(type="text", text=text), *pictures], structured_content=made)


@contextmanager
def _turn(desk: Desk) -> Iterator[None]:
    """Wait until no other heavy call runs; leave the queue if the caller has left."""
    busy: threading.Lock = desk.bench.busy
    while not busy.acquire(timeout=_LOOK):
        desk.done = (0, 1, "Waiting for another call to finish")
        desk.check()
    try:
        yield
    finally:
        busy.release()


async def _report(desk: Desk, ctx: Context[Any, Any]) -> None:
    """Tell the client how far the call is, as a number that only rises: parts finished and the share of this one."""
    finished, told, before = 0.0, 0.0, ""
    while True:
        await anyio.sleep(_LOOK)
        if desk.done is None:
            continue
        done, of, doing = desk.done
        if before and doing != before:
            finished += 1
        before = doing
        now = finished + done / max(of, 1)
        if now > told:
            told = now
            await ctx.report_progress(now, None, f"{doing}: {done:,} of {of:,}")
