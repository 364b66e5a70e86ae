"""Links are unguessable, end when they should, and tell nothing but what they open."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from lib.corpora import Corpus
from lib.errors import InputError
from lib.shares import Bundle, DeadLinkError, ShareLimits, Shares, default_shares

DAY = 86_400.0


class Clock:
    """Stands still until it is told."""

    now = 1_800_000_000.0

    def __call__(self):
        """Seconds since 1970."""
        return self.now


@pytest.fixture
def clock():
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def shares(tmp_path, clock):
    """An empty folder of shares."""
    return Shares(tmp_path / "shares", clock=clock)


def bundle(*texts):
    """A corpus of these texts."""
    texts = texts or ("private one", "private two")
    return Bundle(Corpus("mine.csv", texts, tuple(str(i) for i in range(len(texts)))))


def listed(tmp_path):
    """Names in the folder but for its lock, by suffix."""
    return sorted(path.suffix for path in (tmp_path / "shares").iterdir() if path.name != ".lock")


def content(folder):
    """Every file with its bytes and time."""
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


def test_a_link_opens_what_was_shared(shares, tmp_path):
    """With its parts and its end; the folder holds neither the id nor the secret, and is its owner's alone."""
    made = shares.create(bundle(), days=7)
    assert shares.read(made.id).corpus.texts == ("private one", "private two")
    record = shares.look(made.id)
    assert (record.holds, record.expires - record.created) == (("corpus",), 7 * DAY)
    folder = tmp_path / "shares"
    assert listed(tmp_path) == [".json", ".safetensors"]
    written = b"".join(path.name.encode() + path.read_bytes() for path in folder.iterdir())
    assert made.id.encode() not in written
    assert made.secret.encode() not in written
    assert len(made.id) == 22
    assert made.id != made.secret
    if os.name == "posix":
        assert folder.stat().st_mode & 0o077 == 0


def test_reading_changes_nothing(shares, tmp_path, clock):
    """Neither a link that opens nor one that does not, nor one that has expired."""
    made = shares.create(bundle(), days=1)
    before = content(tmp_path / "shares")
    shares.read(made.id)
    for share in ("A" * 22, "../../etc/passwd"):
        with pytest.raises(DeadLinkError):
            shares.read(share)
    clock.now += 2 * DAY
    with pytest.raises(DeadLinkError):
        shares.read(made.id)
    assert content(tmp_path / "shares") == before


def test_all_dead_links_read_the_same(shares, tmp_path, clock):
    """Never there, malformed, expired, deleted, tampered with: one sentence, which tells not which."""
    expired, deleted, tampered, cut = (shares.create(bundle(str(i)), days=1 if i == 0 else 7) for i in range(4))
    clock.now += 1.5 * DAY
    shares.delete(deleted.id, deleted.secret)
    for made in (tampered, cut):
        path = tmp_path / "shares" / f"{made.record.bundle}.safetensors"
        data = path.read_bytes()
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]) if made is tampered else data[:-1])
    guesses = ["", "A" * 22, "A" * 21, "A" * 23, f"{tampered.id} ", f"../{tampered.id[3:]}", "..", "a/b", "\0" * 22,
               "é" * 22, "\ud800" * 22, "%2e%2e", f"{tampered.id}\n", "A" * 10**6, expired.record.bundle,
               expired.id, deleted.id, tampered.id, cut.id]  # fmt: skip
    said = set()
    for guess in guesses:
        with pytest.raises(DeadLinkError) as refused:
            shares.read(guess)
        said.add(str(refused.value))
    assert len(said) == 1
    assert "ask its maker for a new one, or open the sample" in said.pop()


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"bundle": "x"}', "[" * 3000, "9" * 5000])
def test_a_record_that_is_none(shares, tmp_path, text):
    """It is as dead as one that is not there, and goes at the next sweep with its bundle."""
    made = shares.create(bundle(), days=7)
    next((tmp_path / "shares").glob("*.json")).write_text(text)
    with pytest.raises(DeadLinkError):
        shares.look(made.id)
    assert shares.sweep() == 1
    assert listed(tmp_path) == []


@pytest.mark.parametrize(
    "change",
    [{"bundle": "../../secret"}, {"expires": "never"}, {"expires": float("nan")}, {"holds": ["x"]}, {"holds": []}],
)
def test_a_record_that_was_changed(shares, tmp_path, change):
    """Its parts are checked before any of them names a file."""
    made = shares.create(bundle(), days=7)
    path = next((tmp_path / "shares").glob("*.json"))
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(DeadLinkError):
        shares.read(made.id)


def test_another_bundle_under_its_name(shares, tmp_path):
    """A sound file that says something else is not opened: the name is the hash of what is in it."""
    made, other = shares.create(bundle("mine"), days=7), shares.create(bundle("theirs"), days=7)
    folder = tmp_path / "shares"
    (folder / f"{made.record.bundle}.safetensors").write_bytes(
        (folder / f"{other.record.bundle}.safetensors").read_bytes()
    )
    with pytest.raises(DeadLinkError):
        shares.read(made.id)
    assert shares.read(other.id).corpus.texts == ("theirs",)
    assert shares.read(shares.create(bundle("mine"), days=7).id).corpus.texts == ("mine",)  # written anew
    assert shares.read(made.id).corpus.texts == ("mine",)


def test_its_maker_deletes_it(shares, tmp_path):
    """With the secret alone, once; whatever else is tried reads the same."""
    made, other = shares.create(bundle(), days=7), shares.create(bundle("other"), days=7)
    for share, secret in ((made.id, other.secret), (other.id, made.secret), (made.id, ""), (made.secret, made.id),
                          ("..", "x"), (made.id, "é")):  # fmt: skip
        with pytest.raises(InputError, match="nothing that this deletion link could delete"):
            shares.delete(share, secret)
    shares.delete(made.id, made.secret)
    assert listed(tmp_path) == [".json", ".safetensors"]
    assert shares.read(other.id).corpus.texts == ("other",)
    with pytest.raises(InputError, match="deleted already"):
        shares.delete(made.id, made.secret)


def test_two_shares_of_the_same_texts(shares, tmp_path):
    """They have a file in common, which goes with the last of them; their links know nothing of each other."""
    first, second = shares.create(bundle(), days=1), shares.create(bundle(), days=30)
    assert first.id != second.id
    assert listed(tmp_path) == [".json", ".json", ".safetensors"]
    shares.delete(first.id, first.secret)
    assert shares.read(second.id).key == bundle().key
    shares.delete(second.id, second.secret)
    assert listed(tmp_path) == []


def test_expired_ones_are_removed(shares, tmp_path, clock):
    """When another is made, and at a sweep; what lives stays."""
    shares.create(bundle("short"), days=1)
    long = shares.create(bundle("long"), days=30)
    clock.now += DAY
    assert shares.sweep() == 1
    assert listed(tmp_path) == [".json", ".safetensors"]
    clock.now += 30 * DAY
    shares.create(bundle("new"), days=1)
    assert listed(tmp_path) == [".json", ".safetensors"]
    with pytest.raises(DeadLinkError):
        shares.look(long.id)
    assert Shares(tmp_path / "nowhere").sweep() == 0
    assert not (tmp_path / "nowhere").exists()


def test_a_share_of_a_share_ends_with_it(shares, clock):
    """Whoever hands on what was shared with them does not make it live longer."""
    assert shares.create(bundle(), days=30, until=clock.now + DAY).record.expires == clock.now + DAY


def test_what_is_too_much_is_refused(tmp_path, clock):
    """Too large, too long, too many, no room; each in a sentence that names the limit."""
    limits = ShareLimits(days=7, megabytes=0.01, gigabytes=0.000_015, most=3)
    shares = Shares(tmp_path / "shares", limits, clock=clock)
    assert limits.choices == (7.0, 1.0)
    assert ShareLimits(days=0.5).choices == (0.5,)
    with pytest.raises(InputError, match="7 days at most, got 30"):
        shares.create(bundle(), days=30)
    with pytest.raises(InputError, match=r"0\.01 MB here.*EMBEDSCOPE_SHARE_MB"):
        shares.create(bundle("x" * 20_000), days=7)
    shares.create(bundle("x" * 5_000), days=7)
    shares.create(bundle("x" * 5_000), days=7)  # the same: takes no more
    with pytest.raises(InputError, match="no room"):
        shares.create(bundle("y" * 5_500), days=7)
    shares.create(bundle("small"), days=1)
    with pytest.raises(InputError, match="no room"):
        shares.create(bundle("small"), days=1)
    clock.now += DAY
    shares.create(bundle("small"), days=1)  # the expired one made room
    limits.check_pace([0.0] * 9, 10.0)
    limits.check_pace([0.0] * 20, 3600.0)
    with pytest.raises(InputError, match=r"10 share links .* wait 30 min"):
        limits.check_pace([0.0] * 10, 1800.0)


def test_a_folder_that_cannot_be_written(tmp_path):
    """It is said, without its path."""
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="could not be written on this server") as refused:
        Shares(tmp_path / "file").create(bundle(), days=7)
    assert str(tmp_path) not in str(refused.value)


def test_the_owner_switches_it_off(tmp_path, clock, monkeypatch):
    """Then nothing is made and nothing opens; making, reading and guessing read the same."""
    monkeypatch.setenv("EMBEDSCOPE_SHARES", str(tmp_path))
    made = default_shares().create(bundle(), days=1)
    monkeypatch.setenv("EMBEDSCOPE_SHARE_LINKS", "off")
    off = default_shares()
    for refused in (lambda: off.create(bundle(), days=1), lambda: off.read(made.id), lambda: off.look("guess")):
        with pytest.raises(InputError, match="switched share links off"):
            refused()
    off.delete(made.id, made.secret)  # what is there can still be taken back
    monkeypatch.setenv("EMBEDSCOPE_SHARE_LINKS", "perhaps")
    with pytest.raises(InputError, match="EMBEDSCOPE_SHARE_LINKS"):
        default_shares()


def test_many_at_once(shares, tmp_path):
    """Sixteen threads share and delete the same texts: who still has a link can open it, and nothing is left over."""

    def one(at):
        made = shares.create(bundle(), days=7)
        if at % 2:
            shares.delete(made.id, made.secret)
            return None
        return made

    with ThreadPoolExecutor(16) as threads:
        kept = [made for made in threads.map(one, range(48)) if made]
    assert all(shares.read(made.id).key == bundle().key for made in kept)
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda made: shares.delete(made.id, made.secret), kept))
    assert listed(tmp_path) == []


def test_a_writer_that_was_killed(shares, tmp_path):
    """Half a file is never a share, and is removed once its writer must be dead."""
    made = shares.create(bundle(), days=7)
    half = tmp_path / "shares" / f"{made.record.bundle}.safetensors.12345678.part"
    half.write_bytes(b"half")
    shares.sweep()
    assert half.exists()
    os.utime(half, (0, 0))
    shares.sweep()
    assert not half.exists()
    assert shares.read(made.id).key == made.record.bundle


def test_it_needs_no_model(root):
    """Sharing imports neither torch nor streamlit."""
    script = "import sys, lib.shares; assert not {'torch', 'streamlit', 'sklearn'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], cwd=root, check=True, timeout=60)


def test_embeddings_of_many_texts(shares):
    """Mapped from disk and copied: what was opened stays after the share is deleted."""
    vectors = np.random.default_rng(0).normal(size=(500, 64)).astype(np.float32)
    texts = tuple(f"text {i}" for i in range(500))
    made = shares.create(Bundle(Corpus("v", texts, texts, embeddings=vectors)), days=1)
    found = shares.read(made.id)
    shares.delete(made.id, made.secret)
    assert (found.corpus.embeddings == vectors).all()


def test_files_of_others_in_the_folder_stay(shares):
    """An owner may name a folder that holds more than shares: only files named as shares are counted or removed."""
    shares.folder.mkdir()
    others = {"notes.json": "{}", "model.safetensors": "weights", f"{'A' * 64}.json": "{}"}
    for name, text in others.items():
        (shares.folder / name).write_text(text)
    made = shares.create(bundle(), days=1)
    shares.delete(made.id, made.secret)
    shares.sweep()
    assert {path.name for path in shares.folder.iterdir()} == {*others, ".lock"}
