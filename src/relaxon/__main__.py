"""`python -m relaxon` is the command line."""

from relaxon.cli import main

if __name__ == "__main__":
    main()
