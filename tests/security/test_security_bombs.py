"""Small files that would become large: each is refused with a sentence before the memory or the time is spent."""

import contextlib
import io
import json
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from lib.corpora import Limits, read_corpus
from lib.corpora.json_values import MOST_VALUES, values_at_most
from lib.corpora.queries import read_query_set
from lib.corpora.vectors import parse_vector
from lib.errors import InputError
from lib.finetune.monitor import foreign, reading, scalars
from lib.finetune.monitor.foreign import read_upload
from lib.sae.database import read_database

LIMITS = Limits(max_bytes=1_500_000)
MEGABYTE = 2**20


@contextlib.contextmanager
def memory_below(megabytes):
    """What Python takes in this block, at its highest."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < megabytes * MEGABYTE
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"text\n" + b"," * 1_100_000, "line 2: a record of more than 1,000,000 fields"),
        ("a.csv", b"text" + b"," * 1_100_000 + b"\na\n", "line 1: a record of more than 1,000,000 fields"),
        ("a.tsv", b"text" + b"\t" * 1_100_000 + b"\na\n", "line 1: a record of more than 1,000,000 fields"),
        ("a.csv", b"text\n" + (b"," * 300_000 + b'"\n"') * 4, "line 5: a record of more than 1,000,000 fields"),
        ("a.csv", b",".join(b"c%d" % i for i in range(2_000)) + b"\n", "2,000 different columns are more than is read"),
        ("a.csv", b"text,b,c,d\n" + b"a,,,\n" * 40_000, r"4 different columns are more than is read \(1,000 columns"),
        (
            "a.jsonl",
            b'{"text": "a", "x": [' + b"[]," * 497_000 + b"[]]}",
            "line 1: more than 150,000 values up to here",
        ),
        (
            "a.jsonl",
            b'{"text": "a", ' + b",".join(b'"%d":1' % i for i in range(1_500)) + b"}",
            "1,501 different columns",
        ),
        ("a.jsonl", b'{"text": "a", "x": [[],[],[],[]]}\n' * 15_000, "more than 150,000 values up to here"),
    ],
    ids=["commas", "header", "tabs", "over lines", "columns", "cells", "lists", "keys", "lists in many rows"],
)
def test_many_values_in_few_bytes(name, content, message):
    with memory_below(150), pytest.raises(InputError, match=message) as caught:
        read_corpus(content, name=name, limits=LIMITS)
    assert len(str(caught.value)) < 400


def test_fifty_megabytes_on_one_line():
    for name, content, size in (("a.txt", b"", 50), ("a.csv", b"text\n", 2), ("a.jsonl", b'{"text": "', 2)):
        end = b'"}' if name == "a.jsonl" else b""
        with pytest.raises(InputError, match=r"a text of [0-9,]+ characters, the most is 100,000"):
            read_corpus(content + b"x" * size * MEGABYTE + end, name=name)


def test_ordinary_files_stay_within_the_bound():
    """A vector of each row, and texts full of commas, count little."""
    vector = json.dumps([0.123456789] * 1_024)
    lines = "\n".join(f'{{"text": "one, two, three: {i}", "embedding": {vector}}}' for i in range(100)).encode()
    limits = Limits(max_bytes=len(lines))
    assert read_corpus(lines, name="a.jsonl", limits=limits).embeddings.shape == (100, 1_024)
    assert Limits().max_cells == 20_971_520


def test_a_cell_is_no_vector_where_it_holds_too_much():
    cell = "[" + "[]," * MOST_VALUES + "1]"
    assert parse_vector(cell) is cell
    assert parse_vector("[1, 2]") == [1, 2]
    assert values_at_most("[1, 2]") == values_at_most(b"[1, 2]") == 3


def test_too_many_values_in_one_row():
    with pytest.raises(InputError, match=r"line 1: up to 1,100,00. values in one row, the most is 1,000,000"):
        read_corpus(b'{"text": "a", "x": [' + b"1," * 1_100_000 + b"1]}", name="a.jsonl")


def test_members_of_a_zip_that_lie_upon_each_other():
    """One packed member under a hundred names: each would unpack to the same bytes again."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("pairs.jsonl", b'{"query": "a", "document": "b"}\n' * 40_000)
    data = sink.getvalue()
    directory, end = data.rfind(b"PK\x01\x02"), data.rfind(b"PK\x05\x06")
    entries = b"".join(data[directory:end].replace(b"pairs.jsonl", b"pai%02d.jsonl" % i) for i in range(99))
    bomb = (
        data[:directory] + entries + struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 99, 99, len(entries), directory, 0)
    )
    with memory_below(40), pytest.raises(InputError, match=r"unpacks to more than|is damaged"):
        read_query_set(bomb, name="a.zip", limits=LIMITS)


def test_a_zip_in_a_zip_stays_closed():
    inner, outer = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("pairs.jsonl", b"0" * 10 * MEGABYTE)
    with zipfile.ZipFile(outer, "w") as archive:
        archive.writestr("inner.zip", inner.getvalue())
    with memory_below(5), pytest.raises(InputError, match="no file of a query set"):
        read_query_set(outer.getvalue(), name="a.zip", limits=LIMITS)


def test_an_array_that_claims_more_than_it_holds():
    from lib.corpora.vectors import read_vectors

    sink = io.BytesIO()
    np.lib.format.write_array_header_1_0(sink, {"descr": "<f4", "fortran_order": False, "shape": (10**6, 4096)})
    with memory_below(5), pytest.raises(InputError, match="array takes 16,384,000,000 bytes, got 100"):
        read_vectors(sink.getvalue() + bytes(100), name="a.npy")


def record(content):
    """A record of a TensorBoard file."""
    return struct.pack("<Q", len(content)) + b"0000" + content + b"0000"


def varint(number):
    """A number as protocol buffers write it."""
    out = b""
    while number > 127:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])


def test_a_tensorboard_record_of_nothing_but_empty_values():
    """Two bytes a value, some hundred in memory: a record that long holds no scalars, and is passed over."""
    empty = b"\x0a\x00" * 2_000_000
    bomb = record(b"\x1a\x0dbrain.Event:2") + record(b"\x2a" + varint(len(empty)) + empty)
    with memory_below(40), pytest.raises(InputError, match="no step of a training"):
        read_upload("events.out.tfevents.1", bomb)


def test_records_without_end(monkeypatch):
    monkeypatch.setattr(scalars, "_MOST_RECORDS", 1_000)
    with pytest.raises(InputError, match="more than 1,000 records, the most that is read: write fewer scalars"):
        read_upload("events.out.tfevents.1", record(b"\x1a\x0dbrain.Event:2") + record(b"") * 1_001)


def test_tags_without_end():
    def value(name):
        return b"\x0a" + varint(len(name) + 7) + b"\x0a" + varint(len(name)) + name + b"\x15\0\0\x80\x3f"

    records = [
        record(b"\x10\x01\x2a" + varint(len(one)) + one) for one in (value(b"eval/%d" % i) for i in range(3_000))
    ]
    log = read_upload("events.out.tfevents.1", record(b"\x1a\x0dbrain.Event:2") + b"".join(records))
    assert len(log.metrics) <= 64


@pytest.mark.parametrize("name", ["trainer_state.json", "events.jsonl"])
def test_a_log_of_empty_lists(name, monkeypatch):
    monkeypatch.setattr(foreign, "MOST_VALUES", 100_000)
    with memory_below(20), pytest.raises(InputError, match="holds more than 100,000 values"):
        read_upload(name, b'{"log_history": [' + b"[]," * 1_000_000 + b"[]]}")


def test_a_log_nested_deeply():
    with pytest.raises(InputError, match="is not the state of a trainer"):
        read_upload("trainer_state.json", b"[" * 1_000_000)


def test_a_log_that_names_layers_for_steps_without_any(monkeypatch):
    """Two arrays of steps by layers would be made, whatever the steps hold."""
    monkeypatch.setattr(reading, "_MOST_GRADIENTS", 10_000)
    begin = json.dumps({"event": "begin", "layers": ["x"] * 512}).encode()
    steps = b"".join(b'\n{"event":"step","step":%d,"loss":1}' % step for step in range(1, 1_001))
    log = read_upload("events.jsonl", begin + steps)
    assert len(log.step) == 1_000
    assert log.gradients_base.shape == (1_000, 0)


def test_a_log_that_is_resumed_at_every_line():
    """Each would go through all evaluations again: a few hundred are taken, the rest is passed over."""
    told = reading.Reading()
    told.take({"event": "step", "step": 10})
    for _ in range(1_000):
        told.take({"event": "step", "step": 10})
    assert told.rewinds == 100
    told.take({"event": "step", "step": 11})
    assert told.log().step.tolist() == [10, 11]


def test_a_feature_database_of_empty_rows(small_sae, monkeypatch):
    monkeypatch.setattr("lib.sae.database._MOST_VALUES", 10_000)
    with (
        memory_below(5),
        pytest.raises(InputError, match=r"holds more than 10,000 values: write the database as \.parquet"),
    ):
        read_database(b'{"features":[' + b"{}," * 200_000 + b"{}]}", small_sae, name="a.json")
