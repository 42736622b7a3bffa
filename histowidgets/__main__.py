"""`python -m histowidgets`: the command line, also for torchrun."""

import sys

from histowidgets.cli import main

if __name__ == "__main__":
    sys.exit(main())
