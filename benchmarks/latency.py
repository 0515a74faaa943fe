"""How long a corrector takes for one digit and for many: torch, compiled torch and onnxruntime.

    python benchmarks/latency.py [--run pretrained/diff_in_stn_full] [--images 1,256]
        [--hypotheses 1,4,16] [--ways torch,compiled,onnx] [--threads 0] [--seconds 2]

Each row is a number of images at once and of hypotheses, and of each way the median and, in
brackets, the ninth decile of milliseconds a call, of calls that fill so many seconds. The ways take
turns, so that a machine whose speed drifts treats them alike. `torch` is what `correct` does, but
for reading what the user gave: poses, warp, judge, choice. First calls, in which graphs are
compiled, are not counted; how long they took stands below. A way whose package is missing is left
out with a word. `--threads 0` are as many as torch takes by itself; onnxruntime gets as many.
"""

import argparse
import functools
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch
from rows import Rows

import diffstn
from diffstn.tasks.export_corrector import Exported, example, exported

Call = Callable[[], Any]
TURNS = 8


def by_torch(model: Any, k: int, images: int) -> Call:
    """A call of the model as it is."""
    x, latents, _ = example(model, k, images)
    module = Exported(model, None)
    return lambda: module(x, latents)


def by_compiled(model: Any, k: int, images: int) -> Call:
    """A call of the model, compiled for these shapes."""
    x, latents, _ = example(model, k, images)
    torch.compiler.reset()
    warnings.filterwarnings("ignore", "Dynamo detected a call to a `functools.lru_cache`")
    module = torch.compile(Exported(model, None))
    return lambda: module(x, latents)


def by_onnx(model: Any, k: int, images: int) -> Call:
    """A call of the exported file in onnxruntime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(file(model, k), options)
    x, latents, same = example(model, k, images)
    told = {"images": x.numpy()} | ({"latents": latents.numpy()} if same is None else {})
    return lambda: session.run(None, told)


@functools.cache
def file(model: Any, k: int) -> bytes:
    """The exported file, which takes any number of images."""
    return exported(model, k)


WAYS: dict[str, Callable[[Any, int, int], Call]] = {
    "torch": by_torch,
    "compiled": by_compiled,
    "onnx": by_onnx,
}


def milliseconds(call: Call, seconds: float) -> list[float]:
    """Of single calls, as many as fit, at least one."""
    found: list[float] = []
    while not found or sum(found) < 1e3 * seconds:
        start = time.perf_counter()
        call()
        found.append(1e3 * (time.perf_counter() - start))
    return found


def quantiles(times: Sequence[float]) -> str:
    """Median and, in brackets, the ninth decile."""
    ordered = torch.tensor(sorted(times))
    middle, late = ordered.quantile(torch.tensor([0.5, 0.9])).tolist()
    return f"{middle:.3g} ({late:.3g})"


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", default="pretrained/diff_in_stn_full")
    parser.add_argument("--images", default="1,256")
    parser.add_argument("--hypotheses", default="1,4,16")
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=2.0)
    asked = parser.parse_args(words)
    if asked.threads:
        torch.set_num_threads(asked.threads)
    model: Any = diffstn.load(asked.run)
    ways = asked.ways.split(",")
    print(f"CPU, {torch.get_num_threads()} threads; milliseconds a call\n")
    rows = Rows(("images", "k", *ways), (6, 3, *[14 for _ in ways]))
    said = []
    with torch.inference_mode():
        for images in map(int, asked.images.split(",")):
            for k in map(int, asked.hypotheses.split(",")):
                calls: dict[str, Call] = {}
                for way in ways:
                    start = time.perf_counter()
                    try:
                        calls[way] = WAYS[way](model, k, images)
                        calls[way]()
                    except Exception as error:  # a compiler or a package that is not there
                        calls.pop(way, None)
                        said.append(f"{way}, {images} × {k}: {str(error).splitlines()[0][:120]}")
                    else:
                        took = time.perf_counter() - start
                        said.append(f"{way}, {images} × {k}: ready after {took:.1f} s")
                times: dict[str, list[float]] = {way: [] for way in calls}
                for _ in range(TURNS):
                    for way, call in calls.items():
                        times[way] += milliseconds(call, asked.seconds / TURNS)
                cells = [quantiles(times[way]) if way in times else "–" for way in ways]
                rows.add(images, k, *cells)
    print("\n" + "\n".join(said))


if __name__ == "__main__":
    main()
