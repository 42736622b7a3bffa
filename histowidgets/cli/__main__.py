"""`python -m histowidgets.cli`: the command line."""

import sys

from histowidgets.cli import main

if __name__ == "__main__":
    sys.exit(main())
