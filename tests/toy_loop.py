"""Waiting for what is asynchronous, from a test that is not."""

from concurrent.futures import ThreadPoolExecutor

import anyio


def finished(ask):
    """What `await ask()` gives; in a thread of its own, since a browser's loop may run in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(anyio.run, ask).result()
