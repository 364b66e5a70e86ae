"""Commands of `python -m lib sae` as a test runs them."""

import json

from lib.cli import main


def written(capsys, *arguments):
    """The JSON that a command writes."""
    assert main(["sae", *map(str, arguments)]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys, *arguments):
    """The sentence with which a command refuses; it has written nothing else to the output."""
    assert main(["sae", *map(str, arguments)]) == 2
    captured = capsys.readouterr()
    assert not captured.out
    return captured.err
