"""Runs: their folder, their process, how it ends, the queue, and what a torn log, a kill or a second server does."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from lib import runs
from lib.errors import InputError
from lib.locks import alone
from lib.runs import queue, worker
from lib.runs.paths import without_paths
from lib.runs.run import began_at, read_json

ENDED = {"finished", "failed", "stopped"}


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A folder of runs of this test's own; whatever still works in it at the end is killed."""
    folder = tmp_path / "runs"
    monkeypatch.setenv("EMBEDSCOPE_RUNS", str(folder))
    yield folder
    for run in runs.list_runs(root=folder):
        runs.delete(run)


@pytest.fixture
def started(root):
    """Start the toy command: `started("wait")`."""

    def start(what, **settings):
        run = runs.create("toy", title=what, root=root, **settings)
        (run.inputs / "secret.npy").write_bytes(b"vectors")
        return runs.start(run, [what, "--out", str(run.result)], module="tests.toy_run")

    return start


def until(run, *states, seconds=20.0):
    """Wait until the run is in one of `states`."""
    end = time.monotonic() + seconds
    while (known := runs.status(run)).state not in states:
        assert time.monotonic() < end, (known, run.log())
        time.sleep(0.02)
    return known


def has_begun(run):
    """Wait until its command writes."""
    end = time.monotonic() + 20
    while not runs.events(run.event_file)[0]:
        assert time.monotonic() < end, run.log()
        time.sleep(0.02)
    return run


def logged(run, text):
    """Wait until its process has printed `text`: a traceback comes after all else."""
    end = time.monotonic() + 20
    while text not in run.log():
        assert time.monotonic() < end, run.log()
        time.sleep(0.02)


def test_a_run_from_beginning_to_end(started, root):
    run = started("finish", owner="token", about={"k": 4})
    known = until(run, *ENDED)
    assert (known.state, known.reason, known.ended) == ("finished", None, True)
    assert known.spent > 0
    assert (run.result / "made.txt").read_text() == "finish"
    found, offset = runs.events(run.event_file)
    assert [event["step"] for event in found] == [1, 2]
    assert found[1]["loss"] is None
    assert runs.events(run.event_file, after=offset) == ([], offset)
    assert not run.inputs.exists()
    again = runs.find_run(run.id, root=root)
    assert again == run
    assert again.about == {"k": 4}
    assert again.owned_by("token")
    assert not again.owned_by("other")
    assert "token" not in (run.folder / "run.json").read_text()


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("refuse", "Four texts are too few: bring more."),
        ("crash", "Its process met an error that was not foreseen (RuntimeError); its log says where."),
        ("leave", "Its process met an error that was not foreseen; its log says where."),
    ],
)
def test_a_run_that_fails_says_why(started, what, reason):
    run = started(what)
    known = until(run, *ENDED)
    assert (known.state, known.reason) == ("failed", reason)
    assert run.inputs.exists()  # it may be resumed
    if what == "crash":
        logged(run, "secret details")
    else:
        assert "secret details" not in run.log()


def test_stop_and_resume(started):
    run = has_begun(started("wait"))
    assert runs.status(run).state == "running"
    with pytest.raises(InputError, match="This run is running"):
        runs.resume(run)
    runs.stop(run)
    runs.stop(run)  # a second press does nothing
    assert until(run, *ENDED).state == "stopped"
    assert runs.events(run.event_file)[0][-1] == {"step": 2, "checkpoint": True}
    runs.resume(run)
    assert until(run, "finished", "failed").state == "finished"
    assert [event.get("resumed") for event in runs.events(run.event_file)[0]] == [False, None, True, None]
    with pytest.raises(InputError, match="This run is finished"):
        runs.resume(run)


def test_a_killed_run_can_be_resumed(started, monkeypatch):
    run = has_begun(started("wait"))
    os.kill(runs.status(run).pid, signal.SIGKILL)
    known = until(run, *ENDED)
    assert known.state == "failed"
    assert "it was killed, the memory ran out" in known.reason
    with run.event_file.open("ab") as file:
        file.write(b'{"step": 2, "lo')  # torn by the kill
    with monkeypatch.context() as patch:
        patch.setenv("EMBEDSCOPE_TRAINING_MINUTES", "1e-5")
        with pytest.raises(InputError, match="used up the"):  # the time of a killed process counts, too
            runs.resume(run)
    runs.resume(run)
    until(run, "finished")
    assert [event["step"] for event in runs.events(run.event_file)[0]] == [1, 1, 2]


def test_one_that_would_not_stop_is_killed(started, root, monkeypatch):
    run = started("stubborn")
    until(run, "running")
    while len(runs.events(run.event_file)[0]) < 2:
        time.sleep(0.02)
    runs.stop(run)
    runs.advance(root)
    assert runs.status(run).state == "running"
    monkeypatch.setattr(queue, "GRACE", 0.0)
    runs.advance(root)
    assert until(run, *ENDED).state == "stopped"


def test_the_others_wait_their_turn(started, root):
    first = has_begun(started("wait"))
    second, third = started("finish"), started("finish")
    assert [runs.status(run).state for run in (first, second, third)] == ["running", "waiting", "waiting"]
    assert (runs.ahead(second), runs.ahead(third)) == (1, 2)
    runs.stop(third)
    assert runs.status(third).state == "stopped"
    runs.stop(first)
    assert until(second, *ENDED).state == "finished"  # the process that ended has begun the next one
    assert runs.status(third).state == "stopped"
    assert runs.status(first).state == "stopped"


def test_a_poll_moves_the_queue_on_after_a_kill(started, root):
    first, second = has_begun(started("wait")), started("finish")
    os.kill(runs.status(first).pid, signal.SIGKILL)
    until(first, "failed")
    assert runs.status(second).state == "waiting"
    runs.advance(root)
    assert until(second, *ENDED).state == "finished"


def test_a_queue_has_an_end(started, monkeypatch):
    monkeypatch.setattr(queue, "_MOST_WAITING", 1)
    started("wait"), started("wait")
    with pytest.raises(InputError, match="1 runs wait for their turn already"):
        started("wait")


def test_a_session_has_one_run_at_a_time(started, root):
    first = has_begun(started("wait", owner="me"))
    with pytest.raises(InputError, match="Another run of yours, 'wait', is at work") as fault:
        started("finish", owner="me")
    assert "choose it and stop it" in str(fault.value)
    other = started("finish", owner="you")
    with pytest.raises(InputError, match="waits for its turn"):
        started("finish", owner="you")
    runs.stop(first)
    until(first, "stopped")
    until(other, "finished")
    second = has_begun(started("wait", owner="me"))
    with pytest.raises(InputError, match="Another run of yours"):
        runs.resume(first)
    runs.stop(second)
    until(second, "stopped")
    runs.resume(first)
    assert until(first, "finished", "failed").state == "finished"


def test_two_starts_at_once_are_not_both_let_in(root, monkeypatch):
    monkeypatch.setattr(queue, "advance", lambda root: None)
    made = [runs.create("toy", title=title, owner="me", root=root) for title in "ab"]
    refused = []

    def start(run):
        try:
            runs.start(run, ["finish", "--out", str(run.result)], module="tests.toy_run")
        except InputError as fault:
            refused.append(str(fault))

    several = [threading.Thread(target=start, args=(run,)) for run in made]
    for thread in several:
        thread.start()
    for thread in several:
        thread.join()
    assert sorted(runs.status(run).state for run in made) == ["new", "waiting"]
    assert len(refused) == 1


def test_a_resumed_run_waits_in_the_same_queue(started, monkeypatch):
    stopped = has_begun(started("wait"))
    runs.stop(stopped)
    until(stopped, "stopped")
    monkeypatch.setattr(queue, "_MOST_WAITING", 1)
    has_begun(started("wait"))
    started("wait")
    with pytest.raises(InputError, match="1 runs wait for their turn already"):
        runs.resume(stopped)


def test_inputs_that_there_is_no_room_for(started, root, monkeypatch):
    """Refused before any older dictionary is removed for them."""
    old = started("finish")
    until(old, "finished")
    monkeypatch.setenv("EMBEDSCOPE_RUNS_GB", "1e-5")
    large = runs.create("toy", title="large", root=root)
    (large.inputs / "vectors.npy").write_bytes(bytes(20_000))
    with pytest.raises(InputError, match=r"would take 0.02\d? MB on disk, and all runs together may take 0.01 MB here"):
        runs.start(large, ["finish", "--out", str(large.result)], module="tests.toy_run")
    assert old.folder.exists()
    runs.delete(large)
    monkeypatch.setenv("EMBEDSCOPE_RUNS_GB", "4e-5")
    working = runs.create("toy", title="large", root=root)
    (working.inputs / "vectors.npy").write_bytes(bytes(20_000))
    has_begun(runs.start(working, ["wait", "--out", str(working.result)], module="tests.toy_run"))
    second = runs.create("toy", title="second", root=root)
    (second.inputs / "vectors.npy").write_bytes(bytes(20_000))
    with pytest.raises(InputError, match="runs that are not done yet hold"):
        runs.start(second, ["finish", "--out", str(second.result)], module="tests.toy_run")


def test_a_log_tells_no_places(started, root, tmp_path):
    run = started("crash")
    until(run, "failed")
    logged(run, "secret details")
    assert '/toy_run.py", line' in run.log()
    for place in (str(tmp_path), sys.prefix, sys.base_prefix, str(Path.cwd())):
        assert place not in run.log()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{run}/sae cannot be written", "…/sae cannot be written"),
        ('File "/opt/lib/x.py", line 3', 'File "…/x.py", line 3'),
        ("/etc/passwd: does not exist.", "…/passwd: does not exist."),
        ("~/texts/a.npy", "…/a.npy"),
        (r"C:\Users\me\a.npy is broken", "…/a.npy is broken"),
        ("30,000 texts/s, 1 / 2, a/b/c.npy, k/d", "30,000 texts/s, 1 / 2, a/b/c.npy, k/d"),
        ("https://huggingface.co/owner/name", "https://huggingface.co/owner/name"),
    ],
)
def test_text_without_paths(text, shown, tmp_path):
    assert without_paths(text.format(run=tmp_path), tmp_path) == shown


def test_the_run_outlives_the_server_that_began_it(root):
    code = (
        "from lib import runs; run = runs.create('toy', title='t');"
        "print(runs.start(run, ['wait', '--out', str(run.result)], module='tests.toy_run').id)"
    )
    server = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    run = has_begun(runs.find_run(server.stdout.strip(), root=root))
    assert runs.status(run).state == "running"
    runs.stop(run)
    assert until(run, *ENDED).state == "stopped"


def test_two_servers_begin_a_run_once(started, root):
    first = has_begun(started("wait"))
    others = [started("finish") for _ in range(3)]
    code = f"from lib import runs; from pathlib import Path; [runs.advance(Path({str(root)!r})) for _ in range(50)]"
    servers = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    runs.stop(first)
    for run in others:
        until(run, "finished")
        assert [event["step"] for event in runs.events(run.event_file)[0]] == [1, 2]
    assert [server.wait() for server in servers] == [0, 0]


def test_a_process_that_is_not_the_latest_start_does_nothing(started):
    run = started("finish")
    until(run, "finished")
    worker.main(run.folder, "another launch")
    assert len(runs.events(run.event_file)[0]) == 2
    runs.delete(run)
    worker.main(run.folder, "another launch")
    assert not run.folder.exists()


def test_another_process_of_the_same_number_is_not_the_run_s(started):
    run = has_begun(started("wait"))
    state = read_json(run.folder / "state.json")
    (run.folder / "state.json").write_text(json.dumps(state | {"began": state["began"] - 100}))
    assert runs.status(run).state == "failed"
    (run.folder / "state.json").write_text(json.dumps(state))
    assert runs.status(run).state == "running"
    assert began_at(state["pid"]) == pytest.approx(state["began"], abs=1)


def test_a_folder_is_had_by_one_process_at_a_time(tmp_path):
    folder = tmp_path / "out"
    ask = f"from lib.locks import alone; from pathlib import Path\nwith alone(Path({str(folder)!r})): print('mine')"
    with alone(folder):
        with pytest.raises(InputError, match=r"at work in .*out: wait until it has ended"), alone(folder):
            pass
        other = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=False)
        assert "Another process is at work" in other.stderr
    assert list(folder.iterdir()) == []
    with alone(folder):
        pass


def test_delete_takes_all_and_ends_the_process(started, root):
    run = has_begun(started("wait"))
    pid = runs.status(run).pid
    runs.delete(run)
    assert not run.folder.exists()
    end = time.monotonic() + 5
    while began_at(pid) is not None:
        assert time.monotonic() < end
        time.sleep(0.02)
    with pytest.raises(InputError, match="There is no run"):
        runs.find_run(run.id, root=root)


def test_the_owner_s_time_is_kept(started, monkeypatch):
    monkeypatch.setenv("EMBEDSCOPE_TRAINING_MINUTES", "0.001")
    run = started("wait")
    known = until(run, *ENDED)
    assert (known.state, known.reason) == ("stopped", "It took 0.001 minutes, the most that a run may take here.")
    with pytest.raises(InputError, match="used up the"):
        runs.resume(run)


def test_a_command_that_goes_on_after_its_time_is_ended(root, monkeypatch):
    monkeypatch.setenv("EMBEDSCOPE_TRAINING_MINUTES", "5")
    left, ending = [], threading.Lock()
    monkeypatch.setattr(worker.os, "_exit", left.append)
    run = runs.create("toy", title="stubborn", root=root)
    worker._give_up(run, ending)
    known = runs.status(run)
    assert left == [130]
    assert (known.state, known.reason) == ("stopped", "It took 5 minutes, the most that a run may take here.")
    worker._give_up(run, ending)  # it has ended, or is ending by itself
    assert left == [130]


@pytest.mark.parametrize("name", ["", "..", "../../etc", "A" * 32, "0" * 31, "0" * 32, "0" * 33, "/etc/passwd"])
def test_no_run_of_that_name(root, name):
    with pytest.raises(InputError, match="There is no run"):
        runs.find_run(name, root=root)


def test_runs_are_listed_by_kind_and_owner(root):
    first = runs.create("sae", title="a", owner="one", root=root)
    second = runs.create("other", title="b", owner="two", root=root)
    assert [run.id for run in runs.list_runs(root=root)] == [second.id, first.id]
    assert [run.id for run in runs.list_runs(root=root, kind="sae")] == [first.id]
    assert [run.id for run in runs.list_runs(root=root, owner="two")] == [second.id]
    assert runs.list_runs(root=root, owner="three") == []
    assert runs.list_runs(root=root / "none") == []
    assert runs.status(first).state == "new"
    assert len(first.id) == 32
    assert first.folder.stat().st_mode & 0o077 == 0


def test_what_nobody_needs_is_removed(root, monkeypatch, started):
    forgotten = runs.create("sae", title="never started", root=root)
    old = started("refuse")
    until(old, "failed")
    monkeypatch.setattr(queue, "_FORGOTTEN", -1.0)
    monkeypatch.setattr(queue, "_INPUTS_KEPT", -1.0)
    queue._clear([(one, runs.status(one)) for one in runs.list_runs(root=root)])
    assert not forgotten.folder.exists()
    assert not old.inputs.exists()
    with pytest.raises(InputError, match="no longer kept"):
        runs.resume(old)
    monkeypatch.setenv("EMBEDSCOPE_RUNS_GB", "1e-9")
    queue._clear([(one, runs.status(one)) for one in runs.list_runs(root=root)])
    assert not old.folder.exists()


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        runs.create("sae", title="t", root=tmp_path / "file")


def test_a_broken_or_newer_folder_does_not_stop_the_others(root):
    run = runs.create("sae", title="t", root=root)
    broken = runs.create("sae", title="t", root=root)
    (broken.folder / "run.json").write_text("{")
    about = json.loads((run.folder / "run.json").read_text())
    (run.folder / "run.json").write_text(json.dumps(about | {"of_tomorrow": 1}))
    (run.folder / "state.json").write_text("[]")
    assert [found.id for found in runs.list_runs(root=root)] == [run.id]
    assert runs.status(run).state == "new"


def test_events_of_a_torn_log(tmp_path):
    path = tmp_path / "deep" / "events.jsonl"
    assert runs.events(path) == ([], 0)
    log = runs.EventWriter(path)
    log.write({"step": 1})
    with path.open("ab") as file:
        file.write(b'[1]\n\xff\xfe\n{"step": 2}\n{"ste')
    found, offset = runs.events(path)
    assert found == [{"step": 1}, {"step": 2}]
    runs.EventWriter(path).write({"step": 3})
    assert runs.events(path, after=offset)[0] == [{"step": 3}]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("EMBEDSCOPE_TRAINING", "perhaps", "should be on or off, got 'perhaps'"),
        ("EMBEDSCOPE_TRAINING_MINUTES", "0", "should be a number of minutes above 0"),
        ("EMBEDSCOPE_TRAINING_MINUTES", "nan", "should be a number of minutes above 0"),
        ("EMBEDSCOPE_TRAINING_TEXTS", "many", "should be a whole number above 0"),
        ("EMBEDSCOPE_RUNS_GB", "-1", "should be a number of gigabytes above 0"),
    ],
)
def test_limits_that_cannot_be_read(name, value, words):
    with pytest.raises(InputError, match=words):
        runs.RunLimits.from_environment({name: value})


def test_limits_of_the_owner():
    limits = runs.RunLimits.from_environment(
        {"EMBEDSCOPE_TRAINING": "OFF", "EMBEDSCOPE_TRAINING_MINUTES": "2.5", "EMBEDSCOPE_TRAINING_TEXTS": "1000"}
    )
    assert limits == runs.RunLimits(allowed=False, minutes=2.5, texts=1_000)
    with pytest.raises(InputError, match=r"has switched training off.*, where `that` does the same"):
        limits.check(10, command="that")
    with pytest.raises(InputError, match=r"200,001 texts are more than the 200,000.*, or train by `that` on your own"):
        runs.RunLimits().check(200_001, command="that")
    runs.RunLimits().check(200_000, command="that")
    with pytest.raises(InputError, match=r"about 3 minutes, and a training may take 2.5 here: wait less, or train by"):
        limits.check_time(151, command="that", less="wait less")
    limits.check_time(150, command="that", less="wait less")


def test_a_run_that_there_is_no_room_for_names_its_own_command(root, monkeypatch):
    monkeypatch.setenv("EMBEDSCOPE_RUNS_GB", "1e-9")
    run = runs.create("toy", title="t", root=root)
    with pytest.raises(InputError, match=r"or train by `python -m tests.toy_run train` on your own machine"):
        runs.start(run, ["train", "--out", str(run.result)], module="tests.toy_run")


def test_a_long_log_is_read_in_pieces(tmp_path, monkeypatch):
    path = tmp_path / "events.jsonl"
    log = runs.EventWriter(path)
    for step in range(50):
        log.write({"step": step})
    with path.open("ab") as file:
        file.write(b'{"step": half')
    monkeypatch.setattr(sys.modules["lib.runs.events"], "_READ_AT_ONCE", 40)
    assert [event["step"] for event in runs.all_events(path)] == list(range(50))
    assert runs.all_events(tmp_path / "none") == []
