"""Checkpoints, safetensors, pickles and cached statistics of strangers."""

import functools
import io
import json
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from tests.hostile.case import Answer, Case, Place, Prepare, a, file, gone, made, sparse

EVALUATE = "evaluate run=run accelerator=cpu limit=20"
RESUME = "train out=run resume=true epochs=2"
WARM = "train model=stn encoder=fc classifier=joint trainer.fast_dev_run=true out=out ckpt=net.ckpt"
INCEPTION = (
    "evaluate run=pretrained/mnist_unet accelerator=cpu samples=4 features=inception"
    " inception_weights=net.pth"
)


class Payload:
    """What a pickle of it does when it is read."""

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, ("import os; open(os.environ['CANARY'], 'w').close()",)


def torch_bytes(content: Any) -> bytes:
    """What torch.save writes."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def zipped(files: dict[str, bytes], how: int = zipfile.ZIP_STORED) -> bytes:
    """A zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", how) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def rezipped(content: bytes, change: Callable[[str, bytes], bytes], how: int = 0) -> bytes:
    """A checkpoint of which `change` has edited the records."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {name: change(name, archive.read(name)) for name in archive.namelist()}
    return zipped(files, how)


def edited(name: str, change: Callable[[dict[str, Any]], Any]) -> Prepare:
    """A checkpoint of the run is loaded, changed and saved again, and so whole."""

    def prepare(place: Place) -> None:
        for path in (place.run / "checkpoints").glob(f"{name}.ckpt*"):
            content = torch.load(path, weights_only=True)
            found = change(content)
            torch.save(content if found is None else found, path)

    return prepare


def mapped(name: str, change: Callable[[bytes], bytes]) -> Prepare:
    """The bytes of a checkpoint are changed."""

    def prepare(place: Place) -> None:
        for path in (place.run / "checkpoints").glob(f"{name}.ckpt*"):
            path.write_bytes(change(path.read_bytes()))

    return prepare


def alone(name: str) -> Prepare:
    """No other checkpoint than that one."""

    def prepare(place: Place) -> None:
        for path in (place.run / "checkpoints").iterdir():
            if path.name != f"{name}.ckpt":
                path.unlink()

    return prepare


def everywhere(change: Callable[[Any], Any], key: str) -> Callable[[dict[str, Any]], None]:
    """Every tensor of a state is changed."""

    def edit(content: dict[str, Any]) -> None:
        for state in (key, "ema_state_dict"):
            content[state] = {name: change(value) for name, value in content[state].items()}

    return edit


def huge(value: Any) -> Any:
    """A tensor of 4 TB that takes four bytes in a file."""
    return torch.zeros(1).as_strided((2**40,), (0,))


@functools.cache
def bomb(name: str, start: bytes = b"") -> bytes:
    """A zip archive of a few megabytes that unpacks to 2 GB."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open(name, "w", force_zip64=True) as file,
    ):
        file.write(start)
        for _ in range(32):
            file.write(b"\0" * 2**26)
    return buffer.getvalue()


WEIGHTS: dict[str, Callable[[Any], Any]] = {
    "NaN": lambda v: v * float("nan") if v.is_floating_point() else v,
    "other shapes": lambda v: torch.zeros(3, 1, 4),
    "4 TB that are one number": huge,
    "text": lambda v: "x",
    "numbers": lambda v: 1.0,
    "sparse": lambda v: torch.zeros(2**20, 2**20, layout=torch.sparse_coo),
    "complex": lambda v: v.to(torch.complex64),
    "quantised": lambda v: torch.quantize_per_tensor(torch.zeros(4), 1.0, 0, torch.qint8),
    "meta": lambda v: torch.zeros(2**40, device="meta"),
    "nested": lambda v: {"a": v},
}
CONTENTS: dict[str, Any] = {
    "a list": [1, 2],
    "a number": 3,
    "None": None,
    "an empty group": {},
    "a state of text": {"state_dict": "x", "ema_state_dict": "x"},
    "a state of a list": {"state_dict": [1], "ema_state_dict": [1]},
    "no tensors": {"state_dict": {}, "ema_state_dict": {}},
    "keys that are numbers": {"state_dict": {1: torch.ones(1)}, "ema_state_dict": {1: 2}},
}

CHECKPOINTS = [
    *(Case(f"best.ckpt, weights: {name}", EVALUATE, prepare=(
        a("trained"), edited("*", everywhere(change, "state_dict"))))
      for name, change in WEIGHTS.items()),
    *(Case(f"last.ckpt, weights: {name}", RESUME, prepare=(
        a("trained"), edited("*", everywhere(change, "state_dict"))))
      for name, change in WEIGHTS.items() if name != "NaN"),
    *(Case(f"best.ckpt: {name}", EVALUATE, prepare=(
        a("trained"), edited("*", lambda c, content=content: [content] if content is None else content)))  # type: ignore[misc]
      for name, content in CONTENTS.items()),
    *(Case(f"last.ckpt: {name}", RESUME, prepare=(
        a("trained"), edited("*", lambda c, content=content: [content] if content is None else content)))  # type: ignore[misc]
      for name, content in CONTENTS.items()),
    *(Case(f"{where}: a pickle with a payload", command, prepare=(
        a("trained"), mapped("*", lambda b: pickle.dumps(Payload()))))
      for where, command in (("best.ckpt", EVALUATE), ("last.ckpt", RESUME))),
    *(Case(f"{where}: a payload in a whole archive", command, prepare=(
        a("trained"), mapped("*", lambda b: torch_bytes({"state_dict": Payload()}))))
      for where, command in (("best.ckpt", EVALUATE), ("last.ckpt", RESUME))),
    *(Case(f"{where}: a zip bomb", command, prepare=(
        a("trained"), mapped("*", lambda b: bomb("archive/data.pkl"))))
      for where, command in (("best.ckpt", EVALUATE), ("last.ckpt", RESUME))),
    *(Case(f"{where}: compressed", command, prepare=(
        a("trained"), mapped("*", lambda b: rezipped(b, lambda n, c: c, zipfile.ZIP_DEFLATED))))
      for where, command in (("best.ckpt", EVALUATE), ("last.ckpt", RESUME))),
    *(Case(f"best.ckpt: {name}", EVALUATE, prepare=(a("trained"), mapped("*", change)))
      for name, change in {
          "empty": lambda b: b"", "zeros": lambda b: b"\0" * len(b), "half": lambda b: b[: len(b) // 2],
          "a zip of nothing": lambda b: zipped({}), "a zip of others": lambda b: zipped({"../x": b"x"}),
          "no pickle": lambda b: rezipped(b, lambda n, c: b"" if n.endswith(".pkl") else c),
          "a deep pickle": lambda b: rezipped(
              b, lambda n, c: b"\x80\x02" + b"]" * 10**6 + b"." if n.endswith(".pkl") else c),
          "an endless pickle": lambda b: rezipped(
              b, lambda n, c: b"\x80\x02c__builtin__\nbytearray\n(J\x00\x00\x00\x7ftR." if n.endswith(".pkl") else c),
          "short records": lambda b: rezipped(b, lambda n, c: c[:1] if "/data/" in n else c),
      }.items()),
    Case("best.ckpt is sparse", EVALUATE, prepare=(a("trained"), alone("best"), sparse("run/checkpoints/best.ckpt"))),
    Case("last.ckpt is sparse", RESUME, prepare=(a("trained"), alone("last"), sparse("run/checkpoints/last.ckpt"))),
    Case("first.ckpt: text", RESUME, prepare=(
        a("trained"), gone("run/checkpoints"), file("run/checkpoints/first.ckpt", "x"))),
    Case("first.ckpt: other shapes", RESUME, prepare=(
        a("trained"), gone("run/checkpoints"),
        made("run/checkpoints/first.ckpt", lambda: torch_bytes({"state_dict": {"a": torch.ones(1)}})))),
    Case("first.ckpt: 4 TB that are one number", RESUME, prepare=(
        a("trained"), gone("run/checkpoints"),
        made("run/checkpoints/first.ckpt", lambda: torch_bytes({"state_dict": {"a": huge(0)}})))),
    *(Case(f"last.ckpt, loops: {name}", RESUME, prepare=(a("trained"), edited("*", change)))
      for name, change in {
          "none": lambda c: c.pop("loops") and None,
          "text": lambda c: c.update(loops="x"),
          "no callbacks": lambda c: c.update(callbacks=3),
          "negative steps": lambda c: c.update(global_step=-5),
          "optimiser of text": lambda c: c.update(optimizer_states="x"),
          "optimiser of others": lambda c: c.update(optimizer_states=[{"state": {}, "param_groups": []}]),
          "no optimiser": lambda c: c.update(optimizer_states=[]),
          "schedule of text": lambda c: c.update(lr_schedulers="x"),
          "NaN": everywhere(WEIGHTS["NaN"], "state_dict"),
          "hyperparameters": lambda c: c.update(hyper_parameters={"_target_": "os.system"}, hparams_name="x"),
      }.items() if name != "hyperparameters"),
    *(Case(f"ckpt=: {name}", WARM, prepare=(made("net.ckpt", make),)) for name, make in {
        "empty": lambda: b"", "a payload": lambda: pickle.dumps(Payload()),
        "a payload in an archive": lambda: torch_bytes(Payload()),
        "of others": lambda: torch_bytes({"state_dict": {"a": torch.ones(1)}}),
        "a list": lambda: torch_bytes([1]), "text": lambda: torch_bytes({"state_dict": "x"}),
        "values of text": lambda: torch_bytes({"state_dict": {"a": "x"}}),
        "4 TB": lambda: torch_bytes({"state_dict": {"a": huge(0)}}),
        "a bomb": lambda: bomb("archive/data.pkl"),
    }.items()),
]  # fmt: skip


def safetensors(header: Any, data: bytes = b"", length: int | None = None) -> bytes:
    """A file of that header, true or not."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def one(dtype: str = "F32", shape: Any = (1,), offsets: Any = (0, 4)) -> dict[str, Any]:
    return {"a": {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}}


def good() -> bytes:
    """The weights that ship."""
    import diffstn

    return (Path(diffstn.__file__).parent / "pretrained/judge/weights.safetensors").read_bytes()


def not_numbers() -> bytes:
    """The weights that ship, all of them NaN."""
    from safetensors.torch import load, save

    return save({name: v * float("nan") for name, v in load(good()).items()})


HEADERS: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "seven bytes": lambda: b"\0" * 7,
    "no header": lambda: safetensors(b""),
    "a header that is no JSON": lambda: safetensors(b"{{{{"),
    "a header that is a list": lambda: safetensors([1]),
    "a header as long as memory": lambda: safetensors(b"{}", length=2**63),
    "a header longer than the file": lambda: safetensors(b"{}", length=10**6),
    "a header cut": lambda: good()[:100],
    "data cut": lambda: good()[:-100],
    "random bytes": lambda: bytes(range(256)) * 100,
    "an unknown type": lambda: safetensors(one("X7"), b"\0" * 4),
    "a shape of 10^18": lambda: safetensors(one(shape=(10**18,)), b"\0" * 4),
    "a negative shape": lambda: safetensors(one(shape=(-1,)), b"\0" * 4),
    "offsets beyond the end": lambda: safetensors(one(offsets=(0, 10**15)), b"\0" * 4),
    "offsets backwards": lambda: safetensors(one(offsets=(4, 0)), b"\0" * 4),
    "names of others": lambda: safetensors(one(), b"\0" * 4),
    "deep": lambda: safetensors(b"[" * 10**6),
    "eight-bit floats": lambda: safetensors(one("F8_E4M3", (4,)), b"\0" * 4),
    "no tensors": lambda: safetensors({}),
    "NaN": not_numbers,
    "a pickle with a payload": lambda: pickle.dumps(Payload()),
}
SAFETENSORS = [
    *(Case(f"weights.safetensors: {name}", EVALUATE, prepare=(
        a("shipped"), made("run/weights.safetensors", make))) for name, make in HEADERS.items()),
    Case("weights.safetensors is sparse", EVALUATE, prepare=(a("shipped"), sparse("run/weights.safetensors"))),
    Case("weights.safetensors is a folder", EVALUATE, prepare=(
        a("shipped"), gone("run/weights.safetensors"), file("run/weights.safetensors/x", ""))),
]  # fmt: skip


def legacy(content: Any) -> bytes:
    """What torch.save wrote before it wrote archives."""
    buffer = io.BytesIO()
    torch.save(content, buffer, _use_new_zipfile_serialization=False)
    return buffer.getvalue()


PICKLES = [
    Case(f"Inception weights: {name}", INCEPTION, prepare=(made("net.pth", make),))
    for name, make in {
        "a payload": lambda: pickle.dumps(Payload()),
        "a payload in an archive": lambda: torch_bytes(Payload()),
        "a payload as torch once wrote": lambda: legacy(Payload()),
        "empty": lambda: b"",
        "random bytes": lambda: bytes(range(256)) * 10,
        "a list": lambda: torch_bytes([torch.ones(1)]),
        "others' tensors": lambda: torch_bytes({"a": torch.ones(1)}),
        "4 TB": lambda: torch_bytes({"a": huge(0)}),
        "an image": lambda: b"\x89PNG\r\n\x1a\n",
        "a bomb": lambda: bomb("archive/data.pkl"),
    }.items()
] + [
    Case("Inception weights in a stranger's configuration", EVALUATE.replace("limit=20", "samples=4"), prepare=(
        lambda place: place.copy("unet"),
        lambda place: _set(place, "task", features="inception", inception_weights="run/w.pth"),
        made("run/w.pth", lambda: pickle.dumps(Payload())))),
    Case("Inception weights are a pipe", INCEPTION, prepare=(lambda place: os.mkfifo(place.work / "net.pth"),)),
]  # fmt: skip


def _set(place: Place, group: str, **values: Any) -> None:
    import yaml

    path = place.run / "config.yaml"
    content = yaml.safe_load(path.read_text())
    content[group] |= values
    path.write_text(yaml.safe_dump(content))


CACHE = "evaluate run=run accelerator=cpu samples=140 track=0 sampler.steps=1 out=out"


def cached(make: Callable[[], bytes]) -> Prepare:
    """Every file of the cache of real statistics is replaced."""

    def prepare(place: Place) -> None:
        place.copy("unet")
        source = place.runs["cache"]
        for path in source.rglob("*.safetensors"):
            target = place.root / "cache" / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(make())

    return prepare


STATISTICS = [
    Case(f"cached statistics: {name}", CACHE, Answer.HARMLESS, prepare=(cached(make),))
    for name, make in {
        "empty": lambda: b"",
        "half a header": lambda: safetensors(b"{}", length=10**6),
        "names of others": lambda: safetensors(one(), b"\0" * 4),
        "a payload": lambda: pickle.dumps(Payload()),
    }.items()
]

GROUPS = {
    "checkpoints": CHECKPOINTS,
    "safetensors": SAFETENSORS,
    "pickled weights": PICKLES,
    "cached statistics": STATISTICS,
}
