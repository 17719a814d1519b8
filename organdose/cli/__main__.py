"""`python -m organdose.cli`."""

from organdose.cli import main

if __name__ == "__main__":
    main()
