"""No text is encoded twice, and what was encoded is not lost."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import lib.embeddings
from lib.embeddings import embed, space_of
from lib.encoders import Checkpoint, Prompts
from lib.errors import InputError, Stopped
from lib.store import EmbeddingStore, row_keys

D = 6
CHECKPOINT = Checkpoint(
    source="fake",
    path=Path("nowhere"),
    kind="transformer",
    architecture="bert",
    family=None,
    pooling="mean",
    pooling_guessed=False,
    include_prompt=True,
    dimensions=D,
    max_tokens=4,
    prompts=Prompts(query="query: ", document=""),
    layers=1,
    heads=1,
    normalised=False,
    adapter=None,
    licence=None,
    parameters=1,
    size_bytes=1,
    notices=(),
    content="0" * 64,
)


def vector_of(text: str, prompt: str = "") -> np.ndarray:
    numbers = row_keys([prompt + text])[0, :D]
    return numbers.astype(np.float32) / 255


class FakeEncoder:
    """Vectors from hashes; counts the texts, and how often it was opened."""

    def __init__(self, checkpoint: Checkpoint = CHECKPOINT) -> None:
        self.checkpoint, self.encoded, self.opened = checkpoint, [], 0

    def __call__(self) -> "FakeEncoder":
        self.opened += 1
        return self

    def encode(self, texts: Sequence[str], *, role="document", progress=None, should_stop=None):
        prompt = self.checkpoint.prompts.of(role)
        for done in range(len(texts)):
            if should_stop and should_stop():
                raise Stopped("Stopped.")
            if progress:
                progress(done + 1, len(texts))
        self.encoded += list(texts)
        return SimpleNamespace(
            vectors=np.array([vector_of(text, prompt) for text in texts]),
            truncated_mask=np.array([len(text.split()) > 4 for text in texts]),
        )


def texts_of(n: int, name: str = "text") -> list[str]:
    return [f"{name} {number}" for number in range(n)]


def files(store: EmbeddingStore) -> list[Path]:
    return sorted(store.root.rglob("*.safetensors"))


@pytest.fixture
def store(tmp_path) -> EmbeddingStore:
    return EmbeddingStore(tmp_path / "store")


@pytest.fixture
def encoder() -> FakeEncoder:
    return FakeEncoder()


def run(texts, encoder, store, **settings):
    made = embed(texts, encoder.checkpoint, encoder, store, **settings)
    prompt = encoder.checkpoint.prompts.of(settings.get("role", "document"))
    np.testing.assert_array_equal(made.vectors, np.array([vector_of(text, prompt) for text in texts]))
    return made


def test_the_second_time_nothing_is_encoded_and_the_rows_are_mapped(store, encoder):
    texts = texts_of(30)
    first = run(texts, encoder, store)
    assert (first.encoded, encoder.opened) == (30, 1)
    second = run(texts, encoder, EmbeddingStore(store.root))
    assert (second.encoded, encoder.opened) == (0, 1)
    assert isinstance(second.vectors, np.memmap)
    assert not second.vectors.flags.writeable
    assert first.key == second.key


def test_a_tenth_more_encodes_only_the_new(store, encoder):
    texts, more = texts_of(100), texts_of(10, "new")
    run(texts, encoder, store)
    encoder.encoded.clear()
    mixed = [text for pair in zip(texts[:10], more, strict=True) for text in pair] + texts[10:]
    assert run(mixed, encoder, store).encoded == 10
    assert encoder.encoded == more
    assert isinstance(run(mixed, encoder, store).vectors, np.memmap)
    run(texts, encoder, store)
    assert encoder.encoded == more
    assert len(files(store)) == 1


def test_duplicates_are_encoded_once_in_all_their_places(store, encoder):
    made = run(["a", "b", "a", "a", "c", "b"], encoder, store)
    assert made.encoded == 3
    assert encoder.encoded == ["a", "b", "c"]


def test_cut_texts_are_counted_each_time(store, encoder):
    texts = ["one two three four five", "short", "one two three four five", "six words are more than four"]
    assert run(texts, encoder, store).truncated == 3
    assert run(texts, encoder, store).truncated == 3
    assert run(texts[1:2], encoder, store).truncated == 0


@pytest.mark.parametrize("texts", [["\ud800", "ü", "", "\0", "\U0001f600"], [""]], ids=ascii)
def test_any_text(store, encoder, texts):
    run(texts, encoder, store)
    assert run(texts, encoder, store).encoded == 0


def test_no_texts(store, encoder):
    with pytest.raises(InputError, match="nothing to embed"):
        embed([], CHECKPOINT, encoder, store)
    assert encoder.opened == 0


# Keys and spaces


def test_equal_keys_mean_equal_vectors(store, encoder):
    def key(texts=("a", "b"), checkpoint=CHECKPOINT, to=store, **settings):
        return embed(texts, checkpoint, FakeEncoder(checkpoint), to, **settings).key

    same = {key(), key(["a", "b"]), key(checkpoint=replace(CHECKPOINT, source="elsewhere", path=Path("other")))}
    assert len(same) == 1
    others = [
        key(("b", "a")),
        key(("a",)),
        key(("a", "b", "b")),
        key(role="query"),
        key(precision="bfloat16"),
        key(checkpoint=replace(CHECKPOINT, content="1" * 64)),
        key(checkpoint=CHECKPOINT.with_prompts(document="passage: ")),
        key(to=EmbeddingStore(store.root, dtype="float16")),
    ]
    assert len({*same, *others}) == len(others) + 1


def test_the_prompt_of_the_other_role_does_not_matter(store):
    texts = texts_of(5)
    run(texts, FakeEncoder(), store)
    edited = FakeEncoder(CHECKPOINT.with_prompts(query="ask: "))
    assert run(texts, edited, store).encoded == 0
    assert run(texts, edited, store, role="query").encoded == 5
    assert run(texts, FakeEncoder(), store, role="query").encoded == 5


@pytest.mark.parametrize("prompt", ["\ud800: ", "\U0001f600 ", "a/b\0", "x" * 2000], ids=ascii)
def test_any_prompt(store, prompt):
    encoder = FakeEncoder(replace(CHECKPOINT, prompts=Prompts(document=prompt)))
    run(["a", "b"], encoder, store)
    assert run(["a", "b"], encoder, store).encoded == 0


def test_roles_without_prompts_share_their_rows_unless_weights_or_code_differ():
    plain = replace(CHECKPOINT, prompts=Prompts())
    adapters = (("query", Path("q")), ("document", Path("d")))
    for checkpoint, shared in [
        (plain, True),
        (CHECKPOINT, False),
        (replace(plain, task_adapters=adapters), False),
        (replace(plain, own_code=True), False),
    ]:
        query, document = (space_of(checkpoint, role=role, precision="float32") for role in ("query", "document"))
        assert (query == document) == shared


# Stop, progress, chunks


def test_what_was_finished_when_the_user_stops_is_kept(store, encoder, monkeypatch):
    monkeypatch.setattr(lib.embeddings, "_CHUNK", 10)
    texts, told = texts_of(55), []

    def stop() -> bool:
        return len(told) >= 34

    with pytest.raises(Stopped):
        embed(texts, CHECKPOINT, encoder, store, progress=lambda *at: told.append(at), should_stop=stop)
    assert encoder.encoded == texts[:30]
    encoder.encoded.clear()
    assert run(texts, encoder, store).encoded == 25
    assert encoder.encoded == texts[30:]
    assert len(files(store)) == 1, "the pieces of both runs are merged"
    assert isinstance(run(texts, encoder, store).vectors, np.memmap)


def test_progress_counts_the_texts_to_encode(store, encoder, monkeypatch):
    monkeypatch.setattr(lib.embeddings, "_CHUNK", 4)
    run(["a", "b"], encoder, store)
    told = []
    run(["a", "x", "b", *texts_of(9), "x"], encoder, store, progress=lambda *at: told.append(at))
    assert told == [(done, 10) for done in range(1, 11)]
    assert encoder.opened == 2, "once a call, however many chunks"


def test_what_an_encoder_says_reaches_the_user(store):
    class Broken(FakeEncoder):
        def encode(self, texts, **_settings):
            return SimpleNamespace(vectors=np.full((len(texts), D), np.nan), truncated_mask=np.zeros(len(texts), bool))

    with pytest.raises(InputError, match="not finite"):
        embed(["a"], CHECKPOINT, Broken(), store)
    assert files(store) == []


# Room and damage


def test_a_cap_smaller_than_the_corpus_is_told_before_any_work(tmp_path, encoder):
    store = EmbeddingStore(tmp_path, capacity=5_000)
    with pytest.raises(InputError, match=r"1,000 embeddings of 6 dimensions take 4.61e-05 GB .*EMBEDSCOPE_STORE_GB"):
        embed(texts_of(1000), CHECKPOINT, encoder, store)
    assert encoder.opened == 0


@pytest.mark.parametrize("n", [1, 50, 500])
def test_a_cap_that_just_fits_the_corpus_is_enough(tmp_path, encoder, monkeypatch, n):
    monkeypatch.setattr(lib.embeddings, "_CHUNK", 120)
    probe = EmbeddingStore(tmp_path / "probe")
    store = EmbeddingStore(tmp_path / "store", capacity=probe.bytes_for(n, D))
    run(texts_of(n, "before"), encoder, store)
    assert run(texts_of(n), encoder, store).encoded == n
    assert run(texts_of(n), encoder, store).encoded == 0
    assert store.size() <= store.capacity
    with pytest.raises(InputError, match="take fewer texts"):
        embed(texts_of(n + 1), CHECKPOINT, encoder, store)


def test_duplicates_need_no_room(tmp_path, encoder):
    store = EmbeddingStore(tmp_path, capacity=EmbeddingStore(tmp_path).bytes_for(2, D))
    assert run(["a", "b"] * 2000, encoder, store).encoded == 2


def test_what_ships_needs_no_room(tmp_path, encoder):
    shipped = EmbeddingStore(tmp_path / "shipped")
    run(texts_of(20), encoder, shipped)
    made = run(texts_of(20), encoder, EmbeddingStore(tmp_path / "store", capacity=1, shipped=shipped.root))
    assert made.encoded == 0


def test_rows_evicted_meanwhile_are_encoded_again(store, encoder, monkeypatch):
    real, lost = EmbeddingStore.get, []

    def get(self, space, keys):
        if not lost:
            lost.append(files(self)[0])
            lost[0].unlink()
        return real(self, space, keys)

    monkeypatch.setattr(EmbeddingStore, "get", get)
    made = run(texts_of(5), encoder, store)
    assert made.encoded == 10
    assert encoder.opened == 2


def test_someone_who_always_evicts_is_told_of(store, encoder, monkeypatch):
    def get(self, space, keys):
        raise KeyError("gone")

    monkeypatch.setattr(EmbeddingStore, "get", get)
    with pytest.raises(InputError, match="too small for all that use it at once"):
        embed(["a"], CHECKPOINT, encoder, store)


def test_broken_files_are_encoded_again(store, encoder):
    texts = texts_of(20)
    run(texts, encoder, store)
    (path,) = files(store)
    sound = path.read_bytes()
    for broken in (b"", sound[:-1], sound[:-1] + bytes([sound[-1] ^ 1]), bytes(len(sound)), b"garbage" * 100):
        (path,) = files(store)
        path.write_bytes(broken)
        assert run(texts, encoder, EmbeddingStore(store.root)).encoded == 20
        assert run(texts, encoder, EmbeddingStore(store.root)).encoded == 0
        assert not path.exists()


def test_a_store_that_cannot_be_written(tmp_path, encoder):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        embed(["a"], CHECKPOINT, encoder, EmbeddingStore(tmp_path / "file"))


def test_half_precision_is_handed_on(tmp_path, encoder):
    store = EmbeddingStore(tmp_path, dtype="float16")
    made = embed(["a", "b"], CHECKPOINT, encoder, store)
    assert made.vectors.dtype == np.float16
    np.testing.assert_allclose(made.vectors, [vector_of("a"), vector_of("b")], atol=1e-3)


def test_threads_may_embed_at_once(store, monkeypatch):
    monkeypatch.setattr(lib.embeddings, "_CHUNK", 7)
    texts = texts_of(80)

    def work(seed: int) -> int:
        rng = np.random.default_rng(seed)
        return sum(run([texts[row] for row in rng.integers(0, 80, 30)], FakeEncoder(), store).encoded for _ in range(6))

    with ThreadPoolExecutor(5) as pool:
        assert sum(pool.map(work, range(5))) >= 70
    assert run(texts, FakeEncoder(), store).encoded <= 5


def test_nothing_is_pickled(store, encoder, monkeypatch):
    monkeypatch.setattr(np, "load", None)
    monkeypatch.setattr("pickle.loads", None)
    monkeypatch.setattr("pickle.load", None)
    run(texts_of(5), encoder, store)
    run(texts_of(5), encoder, EmbeddingStore(store.root))
    assert {path.suffix for path in store.root.rglob("*") if path.is_file()} == {".safetensors"}
