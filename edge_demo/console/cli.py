"""What the scripts share: types for flags, and a user's mistake answered in one line. Imported before NumPy."""

import argparse
import logging
import math
import os
import signal
import sys
from contextlib import contextmanager, suppress
from functools import wraps
from itertools import pairwise
from pathlib import Path
from threading import Event

# More threads may add in another order, and so change the last bits; matrices as small as these gain nothing by them.
for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ[name] = "1"  # read when NumPy is imported, after this
logging.getLogger("matplotlib").setLevel(logging.ERROR)  # where it keeps its fonts is not the user's concern

ROOT = Path(__file__).resolve().parents[2]
MOST = 10**9  # of anything that is counted: a typing error rather than a wish


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are one line; scripts call error() for what no single flag can know."""

    def error(self, message):
        sys.exit(fail(f"{message} (--help lists all flags)"))


class _Formatter(argparse.ArgumentDefaultsHelpFormatter):
    def _get_help_string(self, action):  # a default of None is explained by the flag's own help
        return action.help if action.default is None else super()._get_help_string(action)


def parser(description):
    return Parser(description=description, formatter_class=_Formatter, allow_abbrev=False)


def number(kind, at_least=None, above=None, at_most=None):
    """An argparse type: a finite int or float with limits; of ints, no more than MOST unless at_most says so."""
    at_most = MOST if at_most is None and kind is int else at_most
    wanted = "a whole number" if kind is int else "a number"
    if at_least is not None:
        wanted += f" of at least {at_least}"
    if above is not None:
        wanted += f" above {above}"
    if at_most is not None:
        wanted += f", at most {at_most:,}"

    def parse(text):
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        low = (at_least is not None and value < at_least) or (above is not None and value <= above)
        if low or (at_most is not None and value > at_most) or not math.isfinite(value):
            raise argparse.ArgumentTypeError(f"{text.strip()!r} is not {wanted}")
        return value

    return parse


def shape(text):
    """An argparse type: ROWSxCOLUMNS, such as 20x30, as (rows, columns)."""
    parts = text.lower().replace("×", "x").split("x")
    if len(parts) != 2 or not all(part.isdecimal() and 1 <= int(part) <= MOST for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} is not ROWSxCOLUMNS, two whole numbers such as 20x30")
    return tuple(map(int, parts))


def listed(arguments, *flags):
    """Command-line arguments in which the values of these flags may be joined by commas, and may be negative.

    --hidden 32,16 and --logits=-1,2 and --logits 2 -1e-3 become what argparse understands of itself: each value apart,
    and a space before a minus sign, which numbers may have and flags may not.
    """
    expanded, inside = [], False
    for argument in arguments:
        flag, _, values = argument.partition("=")
        if flag in flags:
            expanded.append(flag)
            inside, argument = True, values
        elif argument.startswith("-") and not _is_numbers(argument):
            inside = False
        if not inside:
            expanded.append(argument)
        else:
            expanded += [f" {value}" if value.startswith("-") else value for value in argument.split(",") if value]
    return expanded


def _is_numbers(text):
    try:
        return bool([float(value) for value in text.split(",")])
    except ValueError:
        return False


def need_memory(what, numbers):
    """Raises ValueError if what needs more numbers, of 8 bytes each, than this machine's memory can hold."""
    try:
        have = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows does not say
        have = 8 * 2**30
    if 8 * numbers > have:
        raise ValueError(f"{what} needs about {8e-9 * numbers:,.0f} GB of memory, of which there are {have / 1e9:,.0f}")


def need_network(sizes, patches):
    """need_memory() for a network of layers of these sizes, input and output included, on so many patches."""
    parameters = sum((inputs + 1) * outputs for inputs, outputs in pairwise(sizes))
    what = f"argument --hidden: a network of {parameters:,} parameters, with {patches:,} patches,"
    need_memory(what, 12 * parameters + 3 * patches * sum(sizes))  # with gradients, optimizer; activations


def check_folder(path):
    """Raises ValueError, before any work is done, where no file can be written into the folder path."""
    there = next(folder for folder in (path.absolute(), *path.absolute().parents) if os.path.lexists(folder))
    if not there.is_dir():
        raise ValueError(f"argument --out: {path} cannot be a folder, because {there} is a file")
    if not os.access(there, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
        raise ValueError(f"argument --out: {path} cannot be written, because {there} is read-only")


def say(*lines):
    """Prints lines; once the reader of standard output has gone (as head does), the work goes on in silence."""
    try:
        print(*map(_printable, lines), sep="\n", flush=True)
    except BrokenPipeError:
        _silence(sys.stdout)


def warn(text):
    """Prints one line on standard error."""
    with suppress(OSError):
        print(f"{Path(sys.argv[0]).name}: warning: {_printable(text)}", file=sys.stderr)


def shown(path):
    """path as a person in the current folder would type it."""
    path = Path(path).absolute()
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


@contextmanager
def stoppable():
    """Yields an Event that the first Ctrl-C sets while the block runs; another one ends the program as usual."""
    stop = Event()

    def first(*_):
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    usual = signal.getsignal(signal.SIGINT)
    if usual is not signal.SIG_IGN:  # as it is in the background, or under nohup
        signal.signal(signal.SIGINT, first)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, usual)


def command(main):
    """Makes main(argv) a script's main(argv=None), which returns its exit code.

    argv: the arguments after the script's name, those of the process by default. A user's mistake (InputError,
    TrainingDiverged, a file that cannot be opened) becomes one line on standard error and code 2, Ctrl-C one and 130.
    """

    @wraps(main)
    def run(argv=None):
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):  # what a terminal cannot show, × in ASCII, is no reason to fail
                stream.reconfigure(errors="backslashreplace")
        try:
            return main(sys.argv[1:] if argv is None else list(argv)) or 0
        except SystemExit as end:  # --help, and a flag that argparse refuses
            return end.code or 0
        except KeyboardInterrupt:
            return fail("interrupted", 130)
        except MemoryError:
            return fail("the memory of this machine is not enough: use smaller sizes")
        except (ValueError, OSError) as error:
            return fail(error)

    return run


def fail(error, code=2):
    """Prints one line on standard error; returns the exit code."""
    if isinstance(error, OSError) and error.filename is not None:
        error = f"{error.filename}: {error.strerror}"
    try:
        print(f"{Path(sys.argv[0]).name}: error: {_printable(' '.join(str(error).split()))[:1000]}", file=sys.stderr)
    except OSError:
        _silence(sys.stderr)
    try:
        sys.stdout.flush()
    except (OSError, AttributeError):  # a full disk, a closed pipe; None where there is no standard output
        _silence(sys.stdout)
    return code


def _printable(line):
    """line with what would control the terminal, not be read on it, as an escape; names come from files of others."""
    line = str(line)
    return line if line.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)


def _silence(stream):
    """Sends what is still to be written to a stream that nobody can read, or no disk can hold, nowhere."""
    if stream is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
