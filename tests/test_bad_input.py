"""Every mistake is answered by exit code 2 and one line that says where it is; nothing is written, nothing is run."""

import io
import json
import os
import resource
import shutil
import socket
import subprocess
import sys

import numpy as np
import pytest
from conftest import ROOT, call, listing, run_script

SCRIPTS = ["train.py", "make_data.py", "plot_logits.py", "plot_softmax.py", "predict.py", "sweep.py", "study_truth.py"]
SCRIPTS += ["study_overconfidence.py"]
FAST = ["--epochs", "1", "--no-figures", "--quiet"]


def refused(done, *words):
    """The one line of a refusal."""
    assert (done.returncode, done.stdout) == (2, ""), done.stdout + done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr
    return done.stderr


# ------------------------------------------------------------------------------------------------ datasets

HEADER = "label,kind,p00,p01,p10,p11\n"
GOOD = "Edge,vertical,0,1,0,1\nNo Edge,flat,0,0.5,0,0\n"


def dataset(folder, train=HEADER + GOOD, test=HEADER + GOOD):
    folder.mkdir(exist_ok=True)
    for name, content in (("train.csv", train), ("test.csv", test)):
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


# ------------------------------------------------------------------------------------------------ no files


def no_file(path, what):
    if what == "folder":
        path.mkdir()
    elif what == "socket":
        with socket.socket(socket.AF_UNIX) as end:
            end.bind(os.path.relpath(path))
    else:
        path.symlink_to(path)  # a loop


@pytest.mark.parametrize("what", ["folder", "socket", "loop"])
def test_what_is_no_file_is_refused_wherever_a_file_should_be(few, trained_few, tmp_path, what, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("metrics.json", "before.npz", "after.npz", "history.csv", "test_patches.npz"):
        shutil.rmtree(tmp_path / "run", ignore_errors=True)
        shutil.copytree(trained_few, tmp_path / "run")
        (tmp_path / "run" / name).unlink()
        no_file(tmp_path / "run" / name, what)
        refused(call("plot_logits.py", "--run", "run"), name)


@pytest.fixture(scope="module")
def trained_few(few, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained_few") / "run"
    assert call("train.py", "--data", few, "--out", folder, *FAST).returncode == 0
    return folder


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def network_npz(weights1):
    return npz(weights1=weights1, bias1=np.zeros(16), weights2=np.zeros((16, 2)), bias2=np.zeros(2))


def compressed(**arrays):
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


class Bomb:
    """Unpickling it makes a folder."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def changed(text, **values):
    """JSON text with some values replaced; a path is written a__b."""
    content = json.loads(text)
    for path, value in values.items():
        *above, last = path.split("__")
        place = content
        for key in above:
            place = place[key]
        if value is None:
            del place[last]
        else:
            place[last] = value
    return json.dumps(content).encode()


RUN_FILES = {
    "truncated npz": ("after.npz", lambda old: old[:-300]),
    "empty npz": ("after.npz", lambda old: b""),
    "foreign npz": ("after.npz", lambda old: npz(layer0=np.zeros((25, 16)))),
    "npz of text": ("after.npz", lambda old: npz(weights1=np.array(["x"]))),
    "npz of nan": ("after.npz", lambda old: network_npz(np.full((25, 16), np.nan))),
    "bomb of zeros": ("after.npz", lambda old: compressed(weights1=np.zeros((5000, 5000)))),
    "no pixels": ("test_patches.npz", lambda old: npz(labels=np.zeros(3, int))),
    "flat pixels": ("test_patches.npz", lambda old: npz(pixels=np.zeros(3), labels=np.zeros(3, int))),
    "no patches": ("test_patches.npz", lambda old: npz(pixels=np.zeros((0, 25)), labels=np.zeros(0, int))),
    "nan pixels": ("test_patches.npz", lambda old: npz(pixels=np.full((3, 25), np.nan), labels=np.zeros(3, int))),
    "strange labels": ("test_patches.npz", lambda old: npz(pixels=np.zeros((3, 25)), labels=np.array([0, 1, 9]))),
    "broken json": ("metrics.json", lambda old: old[:-30]),
    "json list": ("metrics.json", lambda old: b"[]"),
    "deep json": ("metrics.json", lambda old: b"[" * 100_000),
    "json of utf-16": ("metrics.json", lambda old: old.decode().encode("utf-16")),
    "other schema": ("metrics.json", lambda old: changed(old, schema="edge_demo run 1")),
    "no settings": ("metrics.json", lambda old: changed(old, settings=None)),
    "text for sizes": ("metrics.json", lambda old: changed(old, settings__hidden="16")),
    "other sizes": ("before.npz", lambda old: npz(weights1=np.zeros((24, 16)))),
    "negative sizes": ("metrics.json", lambda old: changed(old, settings__hidden=[-16])),
    "names that are lists": ("metrics.json", lambda old: changed(old, settings__class_names=[[], {}])),
    "names twice": ("metrics.json", lambda old: changed(old, settings__class_names=["a", "a"])),
    "one name": ("metrics.json", lambda old: changed(old, settings__class_names=["a"])),
    "no rate": ("metrics.json", lambda old: changed(old, settings__lr="x")),
    "no batches": ("metrics.json", lambda old: changed(old, settings__batch_size=0)),
    "no target": ("metrics.json", lambda old: changed(old, settings__target="../../etc/passwd")),
    "no history": ("history.csv", lambda old: b""),
    "short history": ("history.csv", lambda old: old[:-30]),
    "words in history": ("history.csv", lambda old: old.replace(b"0.", b"x.")),
    "nan in history": ("history.csv", lambda old: old + b"2,nan,nan,nan,nan\n"),
    "zero byte in history": ("history.csv", lambda old: old + b"\0"),
    "generator list": ("generator.json", lambda old: b"[]"),
    "generator text": ("generator.json", lambda old: b'{"noise": "0.1"}'),
    "generator negative": ("generator.json", lambda old: b'{"noise": -1}'),
    "generator tiny": ("generator.json", lambda old: b'{"noise": 1e-300}'),
    "generator nan": ("generator.json", lambda old: b'{"noise": NaN}'),
    "generator unknown": ("generator.json", lambda old: b'{"noise": 0.1, "color": 1}'),
    "generator pair": ("generator.json", lambda old: b'{"brightness": [0.5]}'),
    "generator deep": ("generator.json", lambda old: b"[" * 100_000),
}


@pytest.mark.parametrize(("name", "change"), RUN_FILES.values(), ids=RUN_FILES)
def test_a_run_with_a_bad_file_is_refused_by_the_name_of_the_file(trained_few, tmp_path, name, change):
    shutil.copytree(trained_few, tmp_path / "run")
    path = tmp_path / "run" / name
    path.write_bytes(change(path.read_bytes() if path.exists() else b""))
    before = listing(tmp_path)
    refused(call("plot_logits.py", "--run", tmp_path / "run"), name)
    refused(call("predict.py", "-", "--run", tmp_path / "run", stdin=b""), name)
    assert listing(tmp_path) == before


@pytest.mark.parametrize("name", ["before.npz", "after.npz", "snapshots.npz", "history.csv", "test_patches.npz"])
def test_a_run_without_one_of_its_files_is_refused_by_the_name_of_the_file(trained_few, tmp_path, name):
    shutil.copytree(trained_few, tmp_path / "run")
    (tmp_path / "run" / name).unlink()
    for script in ("plot_logits.py", "evaluate.py", "animate.py"):
        refused(call(script, "--run", tmp_path / "run"), name)


def test_a_pickle_in_a_run_is_refused_and_never_run(few, trained_few, tmp_path):
    made = tmp_path / "made"
    shutil.copytree(trained_few, tmp_path / "run")
    for name in ("before.npz", "after.npz", "test_patches.npz", "optimizer.npz"):
        old = (tmp_path / "run" / name).read_bytes()
        (tmp_path / "run" / name).write_bytes(npz(weights1=np.array([Bomb(made)], dtype=object)))
        refused(call("train.py", "--resume", "--data", few, "--out", tmp_path / "run", "--epochs", "9", "--quiet"))
        (tmp_path / "run" / name).write_bytes(old)
    assert not made.exists()


# ------------------------------------------------------------------------------------------------ flags

FLAGS = [
    ("train.py", "--hidden", ["-1", "1.5", "x", "", "1000000000", "99999999999999999999", "0 8", "nan", "1e3"]),
    ("train.py", "--epochs", ["-1", "1.5", "1e9", "9" * 30, "9" * 400]),
    ("train.py", "--lr", ["0", "-1", "nan", "inf", "x", "1e999"]),
    ("train.py", "--batch-size", ["0", "-3", "2.5"]),
    ("train.py", "--seed", ["-1", "0.5", "x", "4294967296"]),
    ("train.py", "--optimizer", ["adamw", ""]),
    ("train.py", "--target", ["class"]),
    ("train.py", "--nonsense", ["1"]),
    ("train.py", "--epoch", ["1"]),
    ("make_data.py", "--train", ["0", "-1", "1.5", "1000000000", "9" * 30]),
    ("make_data.py", "--test", ["0", "x"]),
    ("make_data.py", "--noise", ["0", "-0.1", "nan", "1e-320", "1e300"]),
    ("make_data.py", "--brightness", ["1", "1 -1", "nan 1", "1e300 1", "x y"]),
    ("make_data.py", "--contrast", ["0.5 inf"]),
    ("plot_softmax.py", "--logits", ["x", "nan", "inf", "1e999", "1e308"]),
    ("plot_softmax.py", "--temperature", ["0", "-1", "nan", "inf"]),
    ("plot_softmax.py", "--labels", ["only-one"]),
    ("sweep.py", "--hidden", ["-1", "1000000000"]),
    ("sweep.py", "--noise", ["0", "nan", "1e-300"]),
    ("sweep.py", "--train-size", ["0", "1000000000"]),
    ("sweep.py", "--jobs", ["0", "x"]),
    ("study_truth.py", "--hidden", ["0", "1000000000"]),
    ("study_truth.py", "--train-size", ["0", "1.5"]),
    ("study_overconfidence.py", "--train", ["0", "1000000000"]),
    ("study_overconfidence.py", "--hidden", ["0", "1000000000"]),
    ("study_overconfidence.py", "--noise", ["0", "1e-300"]),
    ("predict.py", "--nonsense", ["1"]),
    ("plot_logits.py", "--run", ["missing", ""]),
]


@pytest.mark.parametrize(
    ("script", "flag", "value"), [(script, flag, value) for script, flag, values in FLAGS for value in values]
)
def test_a_bad_flag_is_named_with_its_value(few, tmp_path, monkeypatch, script, flag, value):
    monkeypatch.chdir(tmp_path)
    where = {"predict.py": ["-"], "plot_logits.py": [], "train.py": ["--data", few, "--out", "out"]}
    done = call(script, *where.get(script, ["--out", "out"]), flag, *value.split(" "))
    line = refused(done)
    assert flag[2:] in line or value in line.replace(",", "")
    assert listing(tmp_path) == {}


@pytest.mark.parametrize("script", [name for name in SCRIPTS if name not in ("predict.py", "plot_logits.py")])
def test_an_out_that_is_a_file_or_in_one_is_refused(few, tmp_path, script):
    (tmp_path / "file").write_text("mine")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        refused(call(script, *(["--data", few] if script == "train.py" else []), "--out", out), str(tmp_path / "file"))
    assert listing(tmp_path) == {"file": b"mine"}


def test_make_data_never_replaces_what_it_has_not_made(tmp_path):
    dataset(tmp_path / "own")
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "thesis.tex").write_text("years of work")
    before = listing(tmp_path)
    for name in ("own", "documents"):
        refused(call("make_data.py", "--train", "9", "--test", "9", "--out", tmp_path / name), name)
    assert listing(tmp_path) == before
    for _ in range(2):
        assert call("make_data.py", "--train", "9", "--test", "9", "--out", tmp_path / "new").returncode == 0
        (tmp_path / "new" / "README.md").write_text("mine")
    assert sorted(os.listdir(tmp_path / "new")) == ["README.md", "generator.json", "test.csv", "train.csv"]


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("rate", ["300", "1e5", "1e300"])
def test_divergence_is_one_line_with_a_remedy(few, trained_few, tmp_path, optimizer, rate):
    shutil.copytree(trained_few, tmp_path / "run")
    before = listing(tmp_path)
    done = call("train.py", "--data", few, "--out", tmp_path / "run", "--optimizer", optimizer, "--lr", rate, "--quiet")
    if done.returncode == 0:  # some rates are survived; then no number is unfinished business
        for name, content in listing(tmp_path / "run").items():
            assert name.endswith((".png", ".npz")) or b"nan" not in content.lower().replace(b"nant", b"")
    else:
        refused(done, "training diverged", "try a learning rate ten times smaller")
        assert listing(tmp_path) == before


# ------------------------------------------------------------------------------------------------ predict.py


def test_a_mistake_at_the_end_is_found_before_anything_is_written(few, trained_few, tmp_path):
    bad = (few / "test.csv").read_bytes() + b"Edge,flat,1\n"
    (tmp_path / "bad.csv").write_bytes(bad)
    for file in ("-", tmp_path / "bad.csv"):
        for out in ([], ["--out", tmp_path / "out.csv"]):
            refused(call("predict.py", file, "--run", trained_few, *out, stdin=bad), "line 62")
    assert os.listdir(tmp_path) == ["bad.csv"]


# ------------------------------------------------------------------------------------------------ surroundings


def surrounded(*arguments, **environment):
    return run_script(*arguments, check=False, **environment)


def test_a_closed_standard_output_is_no_error(few, trained_few, tmp_path):
    for script, *arguments in (
        ("predict.py", ROOT / "data" / "test.csv", "--run", trained_few),
        ("train.py", "--data", few, "--out", tmp_path / "run", *FAST[:3]),
        ("plot_softmax.py", "--out", tmp_path / "softmax"),
    ):
        command = [sys.executable, str(ROOT / "scripts" / script), *map(str, arguments)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            process.stdout.read(5)
            process.stdout.close()
            assert (process.stderr.read(), process.wait()) == (b"", 0), script
    assert (tmp_path / "run" / "metrics.json").exists()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_standard_output_is_one_line(trained_few):
    with open("/dev/full", "w") as full:
        command = [sys.executable, ROOT / "scripts" / "predict.py", ROOT / "data" / "test.csv", "--run", trained_few]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "No space left" in done.stderr


def test_no_home_no_utf_8_no_terminal_and_no_place_for_a_cache_matter(tmp_path):
    (tmp_path / "closed").write_text("a file, so nothing can be written below it")
    poor = {"HOME": str(tmp_path / "closed" / "home"), "MPLCONFIGDIR": str(tmp_path / "closed" / "cache")}
    poor |= {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii", "TERM": "dumb"}
    done = surrounded("plot_softmax.py", "--labels", "×", "–", "--out", tmp_path / "softmax", **poor)
    assert (done.returncode, done.stderr) == (0, "")
    done = surrounded("predict.py", "--help", **poor)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()


@pytest.mark.parametrize("limit", [0, 1000, 9000])
def test_a_full_disk_leaves_the_former_run(few, trained_few, tmp_path, limit):
    shutil.copytree(trained_few, tmp_path / "run")
    before = listing(tmp_path)
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, usual[1]))
    try:
        done = call("train.py", "--data", few, "--out", tmp_path / "run", *FAST, "--seed", "5")
        other = call("make_data.py", "--out", tmp_path / "new")
        third = call("predict.py", few / "test.csv", "--run", tmp_path / "run", "--out", tmp_path / "predictions.csv")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    refused(done, "File too large", str(tmp_path / "run"))
    assert (other.returncode, other.stderr.count("\n")) == (2, 1)
    assert third.returncode == (0 if limit == 9000 else 2)
    (tmp_path / "predictions.csv").unlink(missing_ok=True)
    assert listing(tmp_path) == before


@pytest.fixture
def nobody():
    """Root may write anywhere, so these tests give that right away for a while."""
    root = os.geteuid() == 0
    if root:
        os.setresuid(65534, 65534, 0)
    yield
    if root:
        os.setresuid(0, 0, 0)


def let_nobody_in(*folders):
    """Opens the folders above, which pytest closes to all others."""
    for above in {above for folder in folders for above in (folder, *folder.parents)}:
        if above.stat().st_mode & 0o077 == 0:
            above.chmod(above.stat().st_mode | 0o055)


def test_a_read_only_place_leaves_the_former_run_and_says_so(few, trained_few, tmp_path, request):
    shutil.copytree(trained_few, tmp_path / "closed" / "run")
    for name in ("secret", "open"):
        (tmp_path / name).mkdir()
    (tmp_path / "open").chmod(0o777)
    shutil.copy(few / "train.csv", tmp_path / "secret")
    (tmp_path / "secret" / "test.csv").touch(mode=0o000)
    for folder in (tmp_path / "closed", tmp_path / "closed" / "run"):
        folder.chmod(0o555)
    let_nobody_in(tmp_path, few)
    before = listing(tmp_path / "closed")
    data, predict = ["--data", few, "--quiet"], [few / "test.csv", "--run", tmp_path / "closed" / "run"]
    assert call("predict.py", *predict).returncode == 0  # and all modules are loaded that nobody might not read
    request.getfixturevalue("nobody")
    for out in ("run", "new", "new/below"):
        refused(call("train.py", *data, "--out", tmp_path / "closed" / out), "closed is read-only")
        refused(call("plot_softmax.py", "--out", tmp_path / "closed" / out), "read-only")
    refused(call("make_data.py", "--out", tmp_path / "closed" / "new"), "closed is read-only")
    refused(call("plot_logits.py", "--run", tmp_path / "closed" / "run"), "closed", "ermission")
    refused(call("predict.py", *predict, "--out", tmp_path / "closed" / "out.csv"), "closed", "ermission")
    refused(call("train.py", "--data", tmp_path / "secret", "--out", tmp_path / "open" / "any"), "ermission")
    assert listing(tmp_path / "closed") == before


def test_a_read_only_folder_is_not_replaced_even_where_its_place_is_open(few, trained_few, tmp_path, request):
    shutil.copytree(trained_few, tmp_path / "run")
    let_nobody_in(tmp_path, few)
    tmp_path.chmod(0o777)
    (tmp_path / "run").chmod(0o555)
    before = listing(tmp_path)
    request.getfixturevalue("nobody")
    for script, flags in (("train.py", ["--data", few, "--quiet"]), ("make_data.py", [])):
        refused(call(script, *flags, "--out", tmp_path / "run"), "run cannot be written, because it is read-only")
    assert listing(tmp_path) == before
