"""What the scripts share: types for flags, and a user's mistake answered in one line. Imported before NumPy."""

import os
import sys

if "IPython" not in sys.modules:  # figures need no backend, and one that is not installed would stop matplotlib
    os.environ.pop("MPLBACKEND", None)
# More threads may add in another order, and so change the last bits; matrices as small as these gain nothing by them.
# NumPy reads these when it is imported, which must come after.
os.environ.update(
    dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1")
)

from edge_demo.console.failures import place

import argparse
import logging
import math
import re
import signal
import threading
import traceback
from contextlib import contextmanager
from functools import wraps
from pathlib import Path

from edge_demo.datasets.patches import InputError
from edge_demo.training import TrainingDiverged

logging.getLogger("matplotlib").setLevel(logging.ERROR)  # where it keeps its fonts is not the user's concern

ROOT = Path(__file__).resolve().parents[2]
MOST = 10**9  # of anything that is counted: a typing error rather than a wish


# ------------------------------------------------------------------------------------------------ flags


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are one line; scripts call error() for what no single flag can know."""

    def error(self, message):
        sys.exit(fail(f"{message} (--help lists all flags)"))

    def parse_args(self, arguments):  # the space before -1e-3 and -1,2 says that they are no flags
        return super().parse_args([f" {text}" if re.match(r"-[.\d]", text) else text for text in arguments])


class _Formatter(argparse.ArgumentDefaultsHelpFormatter):
    def _get_help_string(self, action):  # what these are by default, the flag's own help says
        return action.help if str(action.default) in ("None", "False", "[]") else super()._get_help_string(action)


def parser(description):
    return Parser(description=description, formatter_class=_Formatter, allow_abbrev=False)


def path(text):
    """An argparse type: a path, of which the shell has left a ~ where it stands behind a =."""
    return Path(os.path.expanduser(text))


def number(kind, at_least=-MOST, above=None, at_most=MOST):
    """An argparse type: an int or a float with limits."""
    wanted = "a whole number" if kind is int else "a number"
    wanted += f" from {at_least:,} to {at_most:,}" if above is None else f" above {above:,}, at most {at_most:,}"

    def parse(text):
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        if not at_least <= value <= at_most or (above is not None and value <= above):
            raise argparse.ArgumentTypeError(f"{text.strip()!r} is not {wanted}")
        return value

    return parse


def shape(text):
    """An argparse type: ROWSxCOLUMNS, such as 20x30, as (rows, columns)."""
    found = re.fullmatch(r"([1-9]\d{0,8})[xX×]([1-9]\d{0,8})", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not ROWSxCOLUMNS, two whole numbers such as 20x30")
    return tuple(map(int, found.groups()))


def listed(parse):
    """What add_argument is told of a flag with several values, apart or joined by commas: --hidden 32 16, or 32,16."""

    def parse_all(text):
        return [parse(part) for part in text.split(",") if part] or [parse(text)]

    return {"nargs": "+", "action": _Flat, "type": parse_all}


class _Flat(argparse.Action):
    def __call__(self, parser, options, lists, flag=None):
        if len(lists) > 1 and max(map(len, lists)) > 1:
            parser.error(f"argument {flag}: join numbers by commas or by spaces, not by both; decimals have points")
        setattr(options, self.dest, [value for values in lists for value in values])


# ------------------------------------------------------------------------------------------------ outputs


def check_folder(path):
    """Raises InputError, before any work is done, where path cannot be a folder."""
    there = next(folder for folder in (path.absolute(), *path.absolute().parents) if folder.exists())
    if not there.is_dir():
        raise InputError(f"argument --out: {path} cannot be a folder, because {there} is a file")


def check_output(path, inputs):
    """Raises InputError, before any work is done, where the file path is one of the inputs, whatever leads there."""
    target = path.resolve()  # also of .. in a folder that is still to be made
    for given in map(Path, inputs):
        if target.is_file() and given.exists() and target.samefile(given):
            raise InputError(f"argument --out: {path} is what is read, {given}: name another file")


def shown(path):
    """path as a person in the current folder would type it."""
    path = Path(path).absolute()
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def say(*lines):
    """Prints lines at once, also into a file or to another program."""
    print(*lines, sep="\n", flush=True)


def warn(text):
    """Prints one line on standard error."""
    print(f"{Path(sys.argv[0]).name}: warning: {text}", file=sys.stderr)


def fail(text, code=2):
    """Prints one line on standard error; returns the exit code."""
    print(f"{Path(sys.argv[0]).name}: error: {' '.join(str(text).split())}", file=sys.stderr)
    return code


# ------------------------------------------------------------------------------------------------ the program


def command(main):
    """Makes main(argv) a script's main(argv=None), which returns its exit code.

    argv: the arguments after the script's name, those of the process by default. A user's mistake (InputError, a file
    that cannot be opened, TrainingDiverged) becomes one line on standard error and code 2, Ctrl-C one and 130. Any
    other error is one in the code: it keeps its traceback, ends with a line that says where, and has code 1.
    """

    @wraps(main)
    def run(argv=None):
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):  # what a terminal cannot show, × in ASCII, is no reason to fail
                stream.reconfigure(errors="backslashreplace")
        program = argv is None and not hasattr(sys, "ps1") and _is_main_thread()  # no notebook, no test
        if program and hasattr(signal, "SIGPIPE"):
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # a reader that has seen enough, as head, ends the program
        try:
            return main(sys.argv[1:] if argv is None else list(argv)) or 0
        except SystemExit as end:  # --help, and a flag that argparse refuses
            return end.code or 0
        except KeyboardInterrupt:
            return fail("interrupted", 130)
        except MemoryError:
            return fail("the memory of this machine is not enough: use smaller sizes")
        except (InputError, TrainingDiverged) as error:
            return fail(error)
        except Exception as error:
            if isinstance(error, OSError) and error.filename is not None:
                return fail(f"{error.filename}: {error.strerror}")
            traceback.print_exc()
            return fail(place(error), 1)

    return run


def _is_main_thread():
    return threading.current_thread() is threading.main_thread()


@contextmanager
def stoppable():
    """Yields an Event that the first Ctrl-C sets while the block runs; another one ends the program as usual."""
    stop = threading.Event()

    def first(*_):
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    if not _is_main_thread():  # to which Ctrl-C belongs
        yield stop
        return
    usual = signal.signal(signal.SIGINT, first)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, usual)
