"""Where a sparse autoencoder is opened from, and what is refused."""

from types import SimpleNamespace

import httpx2
import huggingface_hub
import pytest

from lib.encoders import Policy, describe
from lib.errors import InputError
from lib.sae import check_fit, save
from lib.sae.database import find_database
from lib.sae.formats import write_saelens
from lib.sae.sources import PACKAGED_SAES, open_sae
from tests.toy_sae import random_sae

OFFLINE = Policy(allow_hub=False)


@pytest.fixture
def root(tmp_path):
    save(random_sae(), tmp_path / "models" / "small")
    write_saelens(random_sae(seed=1), tmp_path / "models" / "deep" / "lens")
    save(random_sae(seed=2), tmp_path / "secret")
    return tmp_path / "models"


@pytest.mark.parametrize(("source", "encoder"), PACKAGED_SAES.items())
def test_the_packaged_ones_belong_to_packaged_encoders(source, encoder):
    opened = open_sae(source.upper(), policy=OFFLINE)
    assert opened.source == source
    check_fit(opened.sae, describe(encoder, policy=OFFLINE))
    assert find_database(opened.folder, opened.sae) is not None


def test_folders_below_the_roots(root):
    policy = Policy(model_roots=(root,), allow_hub=False)
    assert open_sae("small", policy=policy).sae.key == random_sae().key
    assert open_sae(str(root / "small"), policy=policy).folder == root / "small"
    assert open_sae("deep/lens", policy=policy).sae.key == random_sae(seed=1).key


def test_runs(root, tmp_path, monkeypatch):
    save(random_sae(), tmp_path / "runs" / "first.try" / "sae")
    assert open_sae("run:first.try", policy=OFFLINE, runs=tmp_path / "runs").sae.features == 48
    for name in ("run:other", "run:../models/small", "run:", "run:.", "run:first.try/sae"):
        with pytest.raises(InputError, match=r"No finished training|A run's name|leads through"):
            open_sae(name, policy=OFFLINE, runs=tmp_path / "runs")
    (tmp_path / "runs" / "unfinished" / "sae").mkdir(parents=True)
    with pytest.raises(InputError, match="has not ended yet"):
        open_sae("run:unfinished", policy=OFFLINE, runs=tmp_path / "runs")
    monkeypatch.setenv("EMBEDSCOPE_RUNS", str(tmp_path / "runs"))
    assert open_sae("run:first.try", policy=OFFLINE).source == "run:first.try"


@pytest.mark.parametrize(
    "source",
    [
        "",
        "x" * 301,
        "a\nb",
        "../secret",
        "small/../../secret",
        "..\\secret",
        "/etc",
        "~/models",
        "./small/nothing",
        "https://example.org/sae",
        "owner",
        "owner//name",
        "owner/name/./x",
        "-owner/name",
        "owner/na--me",
    ],
)
def test_names_that_are_refused(root, source):
    with pytest.raises(InputError):
        open_sae(source, policy=Policy(model_roots=(root,)))


def test_outside_and_missing_are_told_alike(root, tmp_path):
    policy = Policy(model_roots=(root,), allow_hub=False)
    told = []
    for name in ("secret", "nothing"):
        with pytest.raises(InputError) as refused:
            open_sae(str(tmp_path / name), policy=policy)
        told.append(str(refused.value).replace(name, "*"))
    assert told[0] == told[1]


def test_links_that_lead_out(root, tmp_path):
    (root / "linked").symlink_to(tmp_path / "secret")
    policy = Policy(model_roots=(root,), allow_hub=False)
    with pytest.raises(InputError):
        open_sae("linked", policy=policy)
    (root / "half").mkdir()
    for name in ("config.json", "sae.safetensors"):
        (root / "half" / name).symlink_to(tmp_path / "secret" / name)
    with pytest.raises(InputError, match="is a link that leads out"):
        open_sae("half", policy=policy)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub of one repository whose files lie in a folder; it tells what was fetched."""
    held = tmp_path / "hub"
    write_saelens(random_sae(), held / "64_32")
    save(random_sae(seed=3), held / "64_128")
    for name in ("training_state.pt", "huge.bin"):
        (held / "64_32" / name).write_bytes(b"x")
    fetched = []

    def info(_self, hub_id, **_options):
        if hub_id != "owner/saes":
            raise huggingface_hub.errors.RepositoryNotFoundError(
                "no", response=httpx2.Response(404, request=httpx2.Request("GET", "https://example.org"))
            )
        names = [path.relative_to(held).as_posix() for path in sorted(held.rglob("*")) if path.is_file()]
        return SimpleNamespace(sha="0" * 40, siblings=[SimpleNamespace(rfilename=name, size=1) for name in names])

    def download(_hub_id, name, **_options):
        fetched.append(name)
        return str(held / name)

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", info)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_names, **_options: None)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    return fetched


def test_the_hub_gives_only_what_is_needed(hub):
    opened = open_sae("owner/saes/64_32", policy=Policy())
    assert hub == ["64_32/cfg.json", "64_32/sae_weights.safetensors"]
    assert opened.sae.key == random_sae().key
    assert opened.source == "owner/saes/64_32"
    assert open_sae("owner/saes/64_128/", policy=Policy()).sae.key == random_sae(seed=3).key


def test_a_repository_of_several(hub):
    with pytest.raises(InputError, match=r"these folders of owner/saes do: 64_128, 64_32; name one"):
        open_sae("owner/saes", policy=Policy())
    with pytest.raises(InputError, match="owner/saes/64_7 holds no sparse autoencoder itself"):
        open_sae("owner/saes/64_7", policy=Policy())
    with pytest.raises(InputError, match="knows no public repository owner/other"):
        open_sae("owner/other", policy=Policy())


def test_without_a_network(hub, monkeypatch):
    with pytest.raises(InputError, match=r"owner/saes/64_32 is not in the model cache and the hub may not be asked"):
        open_sae("owner/saes/64_32", policy=OFFLINE)

    def fail(*_names, **_options):
        raise httpx2.ConnectTimeout("no route")

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", fail)
    with pytest.raises(InputError, match="The model hub cannot be reached"):
        open_sae("owner/saes/64_32", policy=Policy())


def test_what_is_cached_opens_offline(hub, tmp_path, monkeypatch):
    held = tmp_path / "hub"
    monkeypatch.setattr(
        huggingface_hub,
        "try_to_load_from_cache",
        lambda _hub_id, name: str(held / name) if (held / name).is_file() else None,
    )
    assert open_sae("owner/saes/64_32", policy=OFFLINE).sae.key == random_sae().key
    assert hub == []
