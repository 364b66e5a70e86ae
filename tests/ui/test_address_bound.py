"""Every control under lib/ui stands in the address, or in the list of those that do not, with the reason."""

import ast
from pathlib import Path

UI = Path(__file__).parents[2] / "lib" / "ui"
BOUND = {
    "checkbox", "color_picker", "date_input", "datetime_input", "multiselect", "number_input", "pills", "radio",
    "segmented_control", "select_slider", "selectbox", "slider", "tabs", "text_area", "text_input", "time_input",
    "toggle",
}  # fmt: skip
"""What Streamlit can bind."""
NEVER = {"camera_input", "audio_input", "chat_input", "data_editor", "feedback"}
"""What Streamlit cannot bind, and nobody has needed."""
NOT_BOUND = {
    ("corpus_choice.py", "text_area"): "pasted texts are private until a share link is made",
    ("corpus_choice.py", "selectbox"): "the columns of an upload: a share link holds what came of them",
    ("query_upload.py", "selectbox"): "the columns of an upload: a share link holds what came of them",
    ("query_upload.py", "multiselect"): "the columns of an upload: a share link holds what came of them",
    ("browser_address.py", "text_input"): "writes `feature` into the address, as a click on a row does",
    ("browser_feature.py", "text_input"): "edits a label: it changes what is kept, not what is looked at",
    ("browser_llm.py", "checkbox"): "a consent is given by each reader, and never by an address",
    ("recipe_choice.py", "selectbox"): "adds a feature to the recipe, which stands in the address",
    ("recipe_choice.py", "slider"): "changes the recipe, which stands in the address",
    ("share.py", "selectbox"): "says how long a share link lasts, and changes nothing on the page",
}
"""Controls that stand in no address."""


def calls():
    """Each call under lib/ui: file name, name of what is called, the call."""
    for path in sorted(UI.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                yield path.name, name, node


def given(call, name):
    """The source of an argument; None where it is not given."""
    return next((ast.unparse(argument.value) for argument in call.keywords if argument.arg == name), None)


CALLS = list(calls())


def test_every_control_stands_in_the_address():
    unbound = {
        (file, name, call.lineno)
        for file, name, call in CALLS
        if name in BOUND
        and (given(call, "key") is None or given(call, "bind") != "'query-params'")
        and (file, name) not in NOT_BOUND
    }
    assert not unbound, "give each a key and bind='query-params', or a reason in NOT_BOUND"


def test_every_exception_is_still_one():
    used = {(file, name) for file, name, call in CALLS if name in BOUND and given(call, "bind") is None}
    assert set(NOT_BOUND) <= used


def test_every_selection_is_written_down_by_a_callback():
    """A selection cannot be bound: a callback puts it into a control that is, or into the address."""
    alone = {(file, name, call.lineno) for file, name, call in CALLS if given(call, "on_select") == "'rerun'"}
    assert not alone, "on_select: a callback that puts the choice into a bound control or into the address"


def test_nothing_is_used_that_no_address_can_hold():
    assert not {(file, name, call.lineno) for file, name, call in CALLS if name in NEVER}
