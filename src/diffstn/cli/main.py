"""The console command `diffstn train|sample|evaluate|…` and the three scripts."""

import sys
from collections.abc import Sequence

COMMANDS = {
    "train": "train a model: diffstn train model=diff_in_stn data=affine_mnist",
    "sample": "figures and samples of a run: diffstn sample run=runs/NAME",
    "evaluate": "numbers of a run: diffstn evaluate run=runs/NAME",
    "correct": "turn the images of a folder upright: diffstn correct FOLDER",
    "export": "a corrector as an ONNX file: diffstn export run=runs/NAME",
    "report": "a page to open, of a run, a sweep or several: diffstn report runs/NAME",
}


def run(command: str, arguments: Sequence[str] | None = None) -> int:
    """Run one of `COMMANDS`; return its exit code."""
    try:
        if command == "train":
            from diffstn.cli.train import train_command

            return train_command(arguments)
        if command in ("correct", "export", "report"):
            from diffstn.cli.of_folders import folders_command

            return folders_command(command, arguments)
        from diffstn.cli.of_a_run import run_command

        return run_command(command, arguments)
    except KeyboardInterrupt:  # while modules are imported
        print("interrupted", file=sys.stderr)
        return 130


def main() -> int:
    """The console command `diffstn`."""
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    if command not in COMMANDS:
        asked = command in ("-h", "--help", "")
        out = sys.stdout if asked else sys.stderr
        if not asked:
            print(f"error: no command '{command}'", file=out)
        width = max(map(len, COMMANDS))
        for name, what in COMMANDS.items():
            print(f"  diffstn {name:<{width}}  {what}", file=out)
        return 0 if asked else 2
    sys.argv = [f"{sys.argv[0]} {command}", *sys.argv[2:]]
    return run(command)
