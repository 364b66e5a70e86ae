"""Every benchmark that needs no data of its own, one after another: `make bench`."""

import subprocess
import sys

NAMES = (
    "encode",
    "store",
    "geometry",
    "layers",
    "heads",
    "search",
    "metrics",
    "app",
    "pages",
    "sae_training",
    "sae_diagnostics",
    "sae_faithfulness",
    "sae_network",
    "sae_steer",
    "sae_match",
    "sae_browser",
    "finetune_monitor",
    "finetune_drift",
)


def main() -> None:
    """Run each in a process of its own, so that none inherits another's memory or warm caches."""
    for name in NAMES:
        print(f"\n## {name}\n", flush=True)
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False)
    print("\nTwo tables need data sets: python -m benchmarks.ood --data PATH/data.jsonl")
    print("and python -m benchmarks.retrieval_sets FOLDER --into docs/retrieval.md")


if __name__ == "__main__":
    main()
