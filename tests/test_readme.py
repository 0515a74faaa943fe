"""The README's recipes, as they stand."""

import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest

from diffstn.cli.conf import training_config
from diffstn.cli.train import train_command

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BLOCK = re.compile(r"\n\n((?:[^\n]+\n)*[^\n]+)\n\n```(?:python|yaml)\n(.*?)```", re.S)
PATH = re.compile(r"`([\w/]+\.(?:py|yaml))`")
QUICK = [
    *("data.limit_train=64", "data.limit_val=40", "data.limit_test=40", "data.batch_size=32"),
    *("epochs=1", "accelerator=cpu", "trainer.precision=fp32"),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder outside the repository, with the README's files and a small set of letters."""
    folder = tmp_path_factory.mktemp("readme")
    blocks = [(PATH.findall(before), content) for before, content in BLOCK.findall(README)]
    files = {names[-1]: content for names, content in blocks if names}
    assert {"mine/median_pose.py", "mine/letters.py", "mine/turned.py"} <= set(files)
    assert len([name for name in files if name.endswith(".yaml")]) == 4
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    generator = np.random.default_rng(0)
    letters = {}
    for split in ("train", "val", "test"):
        letters[f"{split}_images"] = generator.integers(0, 256, (60, 1, 28, 28), np.uint8)
        letters[f"{split}_labels"] = generator.integers(0, 5, 60, np.uint8)
    np.savez(folder / "letters.npz", **letters)  # type: ignore[arg-type]
    return folder


def commands() -> list[str]:
    blocks = re.findall(r"```bash\n(.*?)```", README[README.index("## Add a model") :], re.S)
    return [line for block in blocks for line in block.splitlines() if line.startswith("python")]


def test_the_recipes_work_from_outside_the_repository(
    place: Path, workplace: Path, monkeypatch: pytest.MonkeyPatch
):
    found = [shlex.split(command)[1:] for command in commands()]
    assert [words[0] for words in found] == ["train.py"] * 4
    monkeypatch.chdir(place)
    monkeypatch.setattr(sys, "path", [*sys.path])
    for _, *words in found:
        assert train_command([*words, *QUICK]) == 0, words
    tables = [path.read_text() for path in place.glob("runs/*/metrics.json")]
    assert len(tables) == 4
    assert sum("median within" in table for table in tables) == 1


def test_the_commands_in_the_readme_compose():
    block = README[README.index("## Commands") : README.index("## In Python")]
    lines = [
        line.split("#")[0] for line in block.splitlines() if line.startswith("python train.py")
    ]
    assert len(lines) > 10
    for line in lines:
        words = [word for word in shlex.split(line)[2:] if word != "-m" and "," not in word]
        assert training_config(words)["choices"]["model"]
