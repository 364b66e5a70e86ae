"""Names, addresses and checkpoints of an attacker: nothing is opened outside, nobody is asked, nothing runs."""

import json
import pickle
import socket
import sys

import pytest
from streamlit.testing.v1 import AppTest

from lib.encoders import Policy, describe, open_encoder
from lib.errors import InputError
from lib.finetune.sources import describe_any
from lib.sae.sources import open_sae
from tests.toy_links import controls

NAMES = (
    "file:///etc/passwd", "http://169.254.169.254/latest/meta-data", "//169.254.169.254/x", "\\\\host\\share",
    "../../../etc", "/proc/self/environ", "/dev/zero", "~/.ssh", "a/../../etc", "owner/..%2f..%2fetc",
    "owner/name\0.json", "run:../../etc", "run:/etc", "run:..", "owner/ｎame", "о/wner", "owner/na\u202eme",
    "x" * 10_000, "-rf", "$(id)/x", "`id`", "%s%n",
)  # fmt: skip


@pytest.mark.parametrize("opened", [describe, open_sae, describe_any])
def test_no_name_reaches_a_file_or_another_machine(opened, monkeypatch, tmp_path):
    def refuse(*_):
        raise AssertionError("another machine was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    (tmp_path / "roots").mkdir()
    for name in NAMES:
        with pytest.raises(InputError) as caught:
            opened(name, policy=Policy(model_roots=(tmp_path / "roots",), allow_hub=True, hub_ids=()))
        said = str(caught.value)
        assert "\n" not in said
        assert len(said) < 600
        assert str(tmp_path) not in said


class Trap:
    """What would leave a file behind if it were ever unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def checkpoint(folder):
    """A folder that looks like an encoder, without weights."""
    folder.mkdir()
    config = {"model_type": "bert", "hidden_size": 8, "vocab_size": 10, "num_hidden_layers": 1}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_a_pickle_by_another_name_is_not_opened(tmp_path):
    folder = checkpoint(tmp_path / "model")
    (folder / "model.safetensors").write_bytes(pickle.dumps(Trap(tmp_path / "ran")))
    with pytest.raises(InputError, match="safetensors"):
        open_encoder(str(folder), policy=Policy(model_roots=(tmp_path,)))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("kind", ["os.system", "antigravity.x", "subprocess.Popen", "..evil.Module", "builtins.exec"])
def test_a_module_that_names_code_is_not_imported(tmp_path, kind):
    folder = checkpoint(tmp_path / "model")
    (folder / "modules.json").write_text(json.dumps([{"idx": 0, "name": "0", "path": "", "type": kind}]))
    with pytest.raises(InputError):
        describe(str(folder), policy=Policy(model_roots=(tmp_path,)))
    assert "antigravity" not in sys.modules


HOSTILE = {
    "markup": "<img src=x onerror=window.__hit=1>[a](javascript:alert(1))$x$",
    "many digits": "9" * 40,
    "negative": "-1",
    "not a number": "nan",
    "infinite": "1e999",
    "long": "A" * 100_000,
}
VIEWS = (
    ("geometry", {"view": "Anisotropy"}), ("retrieval", {"view": "Quality", "query_sample": "lab"}),
    ("retrieval", {"view": "Search", "query_sample": "lab"}), ("glossary", {}),
)  # fmt: skip


@pytest.mark.parametrize(("page", "base"), VIEWS)
def test_parameters_of_an_address_break_no_view(root, page, base):
    """Each control of the view is given what it cannot be: the view stands, or says one sentence."""

    def opened(query):
        at = AppTest.from_file(str(root / "app.py"), default_timeout=60)
        at.switch_page(f"pages/{page}.py")
        at.query_params.update(query)
        return at.run()

    names = [name for name in controls(opened(base)) if name not in base]
    names += ["seed", "share", "term", "unknown"]
    for value in HOSTILE.values():
        at = opened(base | dict.fromkeys(names, value))
        assert not at.exception, [fault.value for fault in at.exception]
        assert all("\n" not in error.value and "Traceback" not in error.value for error in at.error)
