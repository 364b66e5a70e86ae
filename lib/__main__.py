"""`python -m lib ...`: the headless twin of every page."""

import sys

from lib.cli import main

if __name__ == "__main__":
    sys.exit(main())
