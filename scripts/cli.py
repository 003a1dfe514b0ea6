"""What the scripts share: types for flags, and mistakes answered in one line. It imports nothing slow."""

import argparse
import math
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class _Formatter(argparse.ArgumentDefaultsHelpFormatter):
    def _get_help_string(self, action):  # a default of None is explained by the flag's own help
        return action.help if action.default is None else super()._get_help_string(action)


def parser(description):
    return argparse.ArgumentParser(description=description, formatter_class=_Formatter, allow_abbrev=False)


def number(kind, at_least=None, above=None):
    """An argparse type: a finite int or float with a lower limit."""
    wanted = "a whole number" if kind is int else "a number"
    if at_least is not None:
        wanted += f" of at least {at_least}"
    if above is not None:
        wanted += f" above {above}"

    def parse(text):
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        low = (at_least is not None and value < at_least) or (above is not None and value <= above)
        if low or not math.isfinite(value):
            raise argparse.ArgumentTypeError(f"{text!r} is not {wanted}")
        return value

    return parse


def say(*lines):
    """Prints lines; once the reader of standard output has gone (as head does), the work goes on in silence."""
    try:
        print(*lines, sep="\n", flush=True)
    except BrokenPipeError:
        _silence()


def shown(path):
    """path as a person in the current folder would type it."""
    path = Path(path).absolute()
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def run(main):
    """Calls main(); a user's mistake becomes one line on standard error and exit code 2."""
    try:
        main()
    except BrokenPipeError:
        _silence()
    except (ValueError, OSError) as error:
        sys.exit(_fail(error))


def _silence():
    """The reader of standard output has gone: nothing more is sent there, not even by Python's own last flush."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(error):
    if isinstance(error, OSError) and error.filename is not None:
        error = f"{error.filename}: {error.strerror}"
    print(f"{Path(sys.argv[0]).name}: error: {' '.join(str(error).split())}", file=sys.stderr)
    return 2
