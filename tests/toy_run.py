"""A command for runs to work on: `python -m tests.toy_run WHAT --out DIR [--resume]`."""

import sys
import time
from pathlib import Path

from lib.runs import EventWriter

ENOUGH = 20.0  # seconds after which a command that nobody stops ends by itself


def main(what, out, *, resumed):
    """Do `what`; the exit status."""
    log = EventWriter(out / "events.jsonl")
    log.write({"step": 1, "what": what, "resumed": resumed})
    if what == "wait" and not resumed:
        try:
            end = time.monotonic() + ENOUGH
            while time.monotonic() < end:
                time.sleep(0.02)
        except KeyboardInterrupt:
            log.write({"step": 2, "checkpoint": True})
            return 130
    if what == "stubborn":
        import signal

        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        log.write({"step": 2})
        time.sleep(ENOUGH)
    if what == "refuse":
        print("Encoding: 1 of 1\nFour texts are too few: bring more.", file=sys.stderr)
        return 2
    if what == "crash":
        raise RuntimeError("secret details")
    if what == "leave":
        return "Farewell."
    log.write({"step": 2, "loss": float("nan")})
    (out / "made.txt").write_text(what)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[sys.argv.index("--out") + 1]), resumed="--resume" in sys.argv))
