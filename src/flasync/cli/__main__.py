"""`python -m flasync.cli`: the `flasync` command where its script is not on the PATH."""

from flasync.cli import main

if __name__ == "__main__":
    main()
