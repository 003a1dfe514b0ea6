"""What the scripts share: flags as people type them, mistakes in one line, errors in the code with their place."""

from edge_demo.console import cli, report

import io
import os
import runpy
import signal
import subprocess
import sys
import threading
from contextlib import redirect_stdout
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import ROOT, call, listing

from edge_demo.datasets import InputError
from edge_demo.training import TrainingDiverged

# ------------------------------------------------------------------------------------------------ flags


@pytest.mark.parametrize(
    ("flags", "scores"),
    [
        (["--logits", "2", "-1e-3"], [2, -0.001]),
        (["--logits", "-1,2"], [-1, 2]),
        (["--logits=-1,2"], [-1, 2]),
        (["--logits", "2,", "-.5,", "3e1"], [2, -0.5, 30]),
    ],
)
def test_numbers_may_be_negative_and_joined_by_commas_or_spaces(flags, scores):
    parser = cli.parser("")
    parser.add_argument("--logits", **cli.listed(cli.number(float)))
    assert parser.parse_args(flags).logits == scores


def test_two_commas_for_decimals_are_refused_with_a_hint(capsys):
    assert call("plot_softmax.py", "--logits", "2,5", "0,5").returncode == 2
    assert "decimals have points" in call("plot_softmax.py", "--logits", "2,5", "0,5").stderr


def test_a_tilde_is_the_home_folder_also_behind_an_equals_sign(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert call("plot_softmax.py", "--out=~/x").returncode == 0
    assert "x" + os.sep + "softmax_steps.png" in listing(tmp_path)


# ------------------------------------------------------------------------------------------------ errors


def end_by(error):
    """(exit code, last line, whether there was a traceback) of a script that raises error."""

    @cli.command
    def main(argv):
        raise error

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", io.StringIO())
        code = main([])
        lines = sys.stderr.getvalue().splitlines()
    assert lines[0].startswith("Traceback") or len(lines) == 1
    return code, lines[-1], len(lines) > 1


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (InputError("line 3,\n column 4"), 2, "error: line 3, column 4"),
        (TrainingDiverged("it diverged"), 2, "error: it diverged"),
        (FileNotFoundError(2, "No such file or directory", "mine.csv"), 2, "error: mine.csv: No such file"),
        (MemoryError(), 2, "use smaller sizes"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_what_a_user_can_mend_is_one_line(error, code, words):
    found = end_by(error)
    assert found == (code, found[1], False)
    assert words in found[1]


@pytest.mark.parametrize("error", [ValueError("shapes"), KeyError("x"), OSError("no file"), ZeroDivisionError()])
def test_any_other_error_keeps_its_traceback(error):
    code, line, traceback = end_by(error)
    assert (code, traceback) == (1, True)
    assert f": {type(error).__name__}:" in line


class Halved:
    """A layer whose backward returns half of what it should."""

    def forward(self, inputs):
        self.inputs = inputs
        return np.maximum(inputs, 0.0)

    def backward(self, grad_output):
        return grad_output[:, :8] * (self.inputs > 0.0)


def test_an_error_in_a_layer_ends_with_its_file_line_and_shapes(tmp_path, monkeypatch):
    monkeypatch.setattr("edge_demo.network.ReLU", Halved)
    done = call("train.py", "--out", tmp_path / "run", "--quiet")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Traceback")
    last = done.stderr.splitlines()[-1]
    line = Halved.backward.__code__.co_firstlineno + 1
    assert f"test_console.py, line {line}, in backward of Halved: ValueError: operands could not be broadcast" in last
    assert ", 16)" in last.partition("(inputs (")[2]
    assert "grad_output (" in last


# ------------------------------------------------------------------------------------------------ outputs


def test_an_output_that_is_an_input_is_refused_whatever_leads_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.csv").write_text("mine")
    (tmp_path / "link.csv").symlink_to("mine.csv")
    (tmp_path / "other.csv").write_text("mine")
    for name in ("mine.csv", "link.csv", "../" + tmp_path.name + "/mine.csv"):
        with pytest.raises(InputError, match=r"mine\.csv: name another"):
            cli.check_output(cli.path(name), ["other.csv", tmp_path / "mine.csv"])
    cli.check_output(cli.path("new.csv"), ["mine.csv"])
    cli.check_output(cli.path("other.csv"), ["mine.csv", "missing.csv"])


@pytest.fixture(scope="module")
def run(few, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "run"
    assert call("train.py", "--data", few, "--out", folder, "--epochs", "1", "--no-figures").returncode == 0
    return folder


def test_predictions_are_the_same_through_links_and_devices_and_never_replace_what_is_read(few, run, tmp_path):
    new = (few / "test.csv").read_bytes()
    (tmp_path / "new.csv").write_bytes(new)
    (tmp_path / "target.csv").touch()
    (tmp_path / "link.csv").symlink_to("target.csv")
    usual = call("predict.py", tmp_path / "new.csv", "--run", run).stdout
    assert len(usual.splitlines()) == 61
    assert call("predict.py", "-", "--run", run, stdin=new).stdout == usual
    call("predict.py", tmp_path / "new.csv", "--run", run, "--out", tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "target.csv").read_text(encoding="utf-8") == usual
    for inputs in (tmp_path / "new.csv", run / "state.npz"):
        before = inputs.read_bytes()
        assert call("predict.py", tmp_path / "new.csv", "--run", run, "--out", inputs).returncode == 2
        assert inputs.read_bytes() == before


# ------------------------------------------------------------------------------------------------ surroundings


def start(*command, **options):
    """A process in another folder than the project's, unless cwd says so."""
    return subprocess.Popen(
        [sys.executable, *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def test_a_script_finds_the_package_however_it_is_started(tmp_path):
    started = [
        start(ROOT / "scripts" / "predict.py", "--help", cwd=tmp_path),
        start("-P", ROOT / "scripts" / "predict.py", "--help", cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}),
        start("-m", "scripts.predict", "--help", cwd=ROOT),
    ]
    for process in started:
        out, err = process.communicate()
        assert (process.returncode, err) == (0, "")
        assert "--run" in out


def test_a_reader_that_has_seen_enough_ends_the_program_in_silence(run):
    with start(ROOT / "scripts" / "predict.py", ROOT / "data" / "test.csv", "--run", run) as process:
        process.stdout.read(5)
        process.stdout.close()
        assert process.stderr.read() == ""


def test_a_notebook_runs_a_script_in_any_thread_with_its_own_standard_output(few, run, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["predict.py", str(few / "test.csv"), "--run", str(run)])
    monkeypatch.setattr(sys, "ps1", "In : ", raising=False)
    ends, text = [], io.StringIO()

    def work():
        try:
            runpy.run_path(str(ROOT / "scripts" / "predict.py"), run_name="__main__")
        except SystemExit as end:
            ends.append(end.code)

    usual = signal.getsignal(signal.SIGPIPE) if hasattr(signal, "SIGPIPE") else None
    with redirect_stdout(text):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        work()
    assert ends == [0, 0]
    assert len(text.getvalue().splitlines()) == 2 * 61
    assert usual is None or signal.getsignal(signal.SIGPIPE) == usual


# ------------------------------------------------------------------------------------------------ what is printed


def test_checks_are_one_line_where_all_is_well_and_else_a_line_for_each_that_fails():
    gradient, heart = (SimpleNamespace(name=name, text="0.01", passed=True) for name in ("gradient", "by heart"))
    dead = SimpleNamespace(name="dead", text="layer 3, ReLU", passed=False)
    assert report.checks([gradient, heart]) == ["checks    2 passed: gradient 0.01, 16 patches by heart 0.01"]
    assert report.checks([gradient, dead]) == ["check     dead: layer 3, ReLU"]
