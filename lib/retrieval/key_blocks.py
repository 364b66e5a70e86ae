"""All keys of a search, block by block, by every core: what both candidates and counts look at.

Each thread computes the keys of some queries and looks at them while they are warm; numpy's own threads would have to
wait for one another at the end of every product, and idle while the keys are looked at.
"""

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from queue import SimpleQueue

import numpy as np
from numpy.typing import NDArray

from lib.geometry.vectors import blocks
from lib.progress import Told
from lib.retrieval.measures import Scale, Vectors, document_side, keys, query_side

Look = Callable[[slice, int, NDArray[np.float32]], None]

QUERY_ROWS = 2_048  # in all threads together
DOCUMENT_ROWS = 8_192  # 64 MB of keys against the query rows
_FEWEST_ROWS = 64  # queries a thread below which products are too flat to be fast
_WORTH_THREADS = 2**29  # multiplications in a search that are worth beginning threads
_WORTH_SPANS = 4  # spans of other work that are


def each_key_block(
    queries: Vectors, documents: Vectors, asked: NDArray[np.int64], by: Scale, look: Look, *, told: Told
) -> None:
    """Have `look` see the keys of all documents for the queries at the rows `asked` (m,), block by block.

    It is given which of `asked`, the row of the first document, and the keys, which are overwritten once it returns.
    Blocks of one span of queries come in the order of their documents, never two at a time; spans may run at once.
    """
    m, n = len(asked), len(documents)
    workers, rows = _shares(m, n * documents.shape[1])
    buffers: SimpleQueue[NDArray[np.float32]] = SimpleQueue()
    for _ in range(workers):
        buffers.put(np.empty(min(m, rows) * min(n, DOCUMENT_ROWS), dtype=np.float32))

    def one(span: slice, block: NDArray[np.float32], first: int) -> int:
        side, buffer = query_side(queries, asked[span], by), buffers.get()
        try:
            out = buffer[: len(side) * len(block)].reshape(len(side), len(block))
            look(span, first, keys(side, block, by.measure, out=out))
        finally:
            buffers.put(buffer)
        return len(side) * len(block)

    done, of = 0, m * n
    told(done, of)
    with ThreadPoolExecutor(workers) as pool, one_blas_thread() if workers > 1 else nullcontext():
        run = pool.map if workers > 1 else map
        for columns in blocks(n, DOCUMENT_ROWS):
            block = document_side(documents, columns, by)
            for compared in run(lambda span: one(span, block, columns.start), blocks(m, rows)):  # noqa: B023
                told(done := done + compared, of)


def _shares(m: int, numbers: int) -> tuple[int, int]:
    """How many threads share m queries over that many numbers, and how many queries each takes at a time."""
    cores = _cores()
    if m < _FEWEST_ROWS * cores or m * numbers < _WORTH_THREADS:
        return 1, max(1, QUERY_ROWS // 2)
    most = max(1, QUERY_ROWS // cores)
    rounds = -(-m // (most * cores))
    return cores, -(-m // (rounds * cores))


def in_threads(one: Callable[[slice], None], spans: Iterable[slice]) -> None:
    """`one` for each of `spans`; few of them are done sooner than threads would be begun."""
    spans = list(spans)
    if len(spans) < _WORTH_SPANS:
        for span in spans:
            one(span)
        return
    with ThreadPoolExecutor(_cores()) as pool:
        for _ in pool.map(one, spans):
            pass


def _cores() -> int:
    return min(8, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


_limiting = threading.Lock()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Have numpy's products take one thread each; torch's are left alone.

    Where another search has seen to it, or another library's call has the threads limited, there is nothing to do:
    who sets them must set them back, and only once.
    """
    if not _limiting.acquire(blocking=False):
        yield
        return
    try:
        from threadpoolctl import ThreadpoolController

        pools = ThreadpoolController().select(internal_api="openblas")
        free = any(pool["num_threads"] > 1 for pool in pools.info())
        with pools.limit(limits=1) if free else nullcontext():
            yield
    finally:
        _limiting.release()
