"""Every benchmark that needs no data of its own, one after another: `make bench`."""

import subprocess
import sys

NAMES = ("encode", "store", "geometry", "app")


def main() -> None:
    """Run each in a process of its own, so that none inherits another's memory or warm caches."""
    for name in NAMES:
        print(f"\n## {name}\n", flush=True)
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False)
    print("\nThe out-of-distribution table needs a data set: python -m benchmarks.ood --data PATH/data.jsonl")


if __name__ == "__main__":
    main()
