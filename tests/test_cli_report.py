"""`python -m lib report`: files, and exit statuses that a build can go by."""

import json

import pytest

from lib.cli import main

SAMPLE = ("--corpus", "sample:topics", "--queries", "sample:medical")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Every form of one report, with assertions that all hold."""
    folder = tmp_path_factory.mktemp("report")
    outs = {name: folder / f"report.{name}" for name in ("html", "markdown", "json")}
    options = [part for name, out in outs.items() for part in (f"--{name}", str(out))]
    demands = ("ndcg@10>=0.55", " anisotropy <= 0.3", "ndcg@10.low >= 0.5", "ndcg@20>0", "ndcg@10[causes]>0")
    asserted = [part for text in demands for part in ("--assert", text)]
    status = main(["report", *SAMPLE, *options, *asserted, "--title", "Nightly"])
    return status, outs


def test_all_hold_and_every_form_is_written(written):
    status, outs = written
    assert status == 0
    assert outs["html"].read_text().startswith("<!doctype html>")
    assert outs["markdown"].read_text().startswith("# Nightly\n")
    made = json.loads(outs["json"].read_text())
    assert [one["holds"] for one in made["assertions"]] == [True] * 5
    assert made["facts"]["ndcg@20"] >= made["facts"]["ndcg@10"]
    assert made["facts"]["settled"] <= 6  # the sample's layers lie on the shelf


def test_the_command_that_it_quotes_gives_the_same_numbers(written, capsys):
    made = json.loads(written[1]["json"].read_text())
    command = next(one["command"] for one in made["sections"] if one["name"] == "ranks")
    assert main(command.removeprefix("python -m lib ").split()[:1] + _quoted(command)) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["metrics"]["ndcg@10"] == pytest.approx(made["facts"]["ndcg@10"])


def _quoted(command):
    import shlex

    return shlex.split(command.removeprefix("python -m lib "))[1:]


def test_one_that_fails_gives_one_and_says_its_value(capsys):
    status = main(["report", "--queries", "sample:lab", "--assert", "ndcg@10>=1.5", "--assert", "anisotropy<1"])
    said = capsys.readouterr()
    assert status == 1
    assert "FAIL  ndcg@10 >= 1.5" in said.err
    assert "no value: The report has no corpus" in said.err
    assert said.out == ""


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--queries", "sample:lab", "--assert", "ndgc@10>1"), "the nearest are"),
        (("--queries", "sample:lab", "--assert", "ndcg@10[law]>0"), "no topic 'law'"),
        (("--assert", "ndcg@10>1"), "--corpus"),
        (("--queries", "sample:lab", "--html", "-"), "name one"),
        (("--queries", "sample:lab", "--markdown", "-", "--json", "-"), "place of its own"),
        (("--queries", "sample:lab", "--seed", "-1"), "seed"),
        (("--queries", "sample:lab", "--against", "all-MiniLM-L6-v2 (packaged)"), "itself"),
    ],
)
def test_bad_input_is_two_and_one_sentence(capsys, arguments, told):
    assert main(["report", *arguments]) == 2
    said = capsys.readouterr().err.strip()
    assert told in said
    assert "\n" not in said


def test_help_lists_every_name(capsys):
    assert main(["report", "--assert", "help"]) == 0
    assert "ndcg@10 " in capsys.readouterr().out


def test_text_on_stdout_without_quotes(capsys):
    assert main(["report", "--queries", "sample:lab", "--markdown", "-", "--without-texts"]) == 0
    said = capsys.readouterr().out
    assert "document " in said
    assert '"texts\\_quoted"' in said or "texts\\_quoted" in said
