"""Run folders of strangers: their configuration and what lies beside it."""

import json
from typing import Any

from tests.hostile.case import Answer, Case, a, config, file, gone, link, pipe, setting, sparse

EVALUATE = "evaluate run=run accelerator=cpu limit=20"
SAMPLE = "sample run=run accelerator=cpu per_class=1 out=out"
RESUME = "train out=run resume=true epochs=2"

BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join([f'*{chr(97 + i)}'] * 10)}]\n" for i in range(12)
)
DEEP = "a: " + "[" * 20_000 + "]" * 20_000
EVIL = {"_target_": "os.system", "command": "touch $CANARY"}
PARTIAL = {"_target_": "functools.partial", "_args_": ["os.system"]}


def raw(name: str, content: bytes | str, *commands: str) -> list[Case]:
    """The configuration is these bytes."""
    return [
        Case(f"config.yaml: {name}", one, prepare=(a("trained"), file("run/config.yaml", content)))
        for one in commands or (EVALUATE,)
    ]


def changed(key: str, value: Any, *commands: str, says: str = "") -> list[Case]:
    """A key of the configuration has that value."""
    shown = str(value)[:40]
    return [
        Case(f"{key}: {shown}", one, prepare=(a("trained"), setting(key, value)), says=says)
        for one in commands or (EVALUATE,)
    ]


def without(key: str) -> list[Case]:
    """A key is missing from the configuration."""
    return [
        Case(f"no {key}", one, prepare=(a("trained"), config(lambda c: c.pop(key) and None)))
        for one in (EVALUATE, RESUME)
    ]


BYTES = [
    *raw("empty", ""),
    *raw("null", "null"),
    *raw("a list", "[1,2]"),
    *raw("a number", "3"),
    *raw("a bomb", BOMB, EVALUATE, RESUME, SAMPLE),
    *raw("deep", DEEP, EVALUATE, RESUME),
    *raw("recursive", "a: &a {b: *a}"),
    *raw("merged with itself", "a: &a {<<: *a}"),
    *raw("python object", "!!python/object/apply:os.system ['touch $CANARY']", EVALUATE, RESUME),
    *raw("python module", "a: !!python/module:os"),
    *raw("not UTF-8", b"\xff\xfe\x00a: 1"),
    *raw("zero bytes", b"\0" * 4096),
    *raw("control letters", "a: \x07\x1b[31m"),
    *raw("a tab", "\ta: 1"),
    *raw("two documents", "a: 1\n---\nb: 2\n"),
    *raw("a huge number", "a: " + "9" * 10_000),
    *raw("a date", "2020-01-01: 2020-13-45"),
    *raw("keys that are lists", "? [1,2]\n: 3"),
    *raw("a date as a key", "2020-01-01: 3"),
    *raw("an interpolation", "a: ${oc.env:HOME}", EVALUATE, RESUME),
    *raw("a recursive interpolation", "a: ${b}\nb: ${a}"),
    *raw("a million keys", "".join(f"k{i}: 0\n" for i in range(200_000))),
    *raw("64 MB of a comment", "#" * (2**26 + 1)),
]

KEYS = [
    *(case for key in ("model", "data", "task", "trainer", "evaluate", "optimizer") for case in without(key)),
    *(case for key in ("choices", "encoder", "ema_decay", "seed", "classifier") for case in without(key)[:1]),
    *(case for key in ("model", "data", "task", "trainer", "evaluate", "choices", "encoder", "optimizer")
      for case in changed(key, 3)),
    *(case for key in ("model", "data", "task", "trainer", "evaluate", "callbacks", "logger")
      for case in changed(key, "text")),
    *(case for key in ("model", "data", "task", "encoder") for case in changed(key, [1, 2])),
    *(case for key in ("model", "data", "task", "encoder", "classifier") for case in changed(key, {})),
    *changed("model._target_", 3),
    *changed("model._target_", ["os.system"]),
    *changed("model._target_", "diffstn.models.stn"),
    *changed("model._target_", "diffstn..x"),
    *changed("model._target_", "x" * 100_000),
    *changed("encoder.width", 10**9),
    *changed("encoder.width", 30_000),
    *changed("encoder.width", 10**30),
    *changed("encoder.width", float("nan")),
    *changed("data.workers", 10**6, RESUME),
    *changed("data.distortion.canvas", [10**6, 10**6]),
    *changed("data.root", "/dev/zero"),
    *changed("seed", 10**30, RESUME),
    *changed("trainer.devices", 1000, RESUME),
    *changed("trainer.max_time", "x", RESUME),
    *changed("trainer.default_root_dir", "../outside", RESUME),
    *changed("trainer.precision", "../x"),
    *changed("trainer.strategy", {"_target_": "os.system"}, RESUME),
    *changed("evaluate.checkpoint", "../../outside/precious"),
    *changed("evaluate.weights", "../x"),
    *changed("evaluate.checkpoint", 3),
    *changed("ema_decay", "text"),
]  # fmt: skip

CODE = [
    *(case for key in ("model", "data", "task", "encoder", "optimizer", "classifier", "lr_scheduler")
      for case in changed(key, EVIL)),
    *changed("encoder", PARTIAL),
    *changed("encoder", {"_target_": "diffstn.store.run_folder.os.system"}),
    *changed("encoder", {"_target_": "diffstn.store.stopping.subprocess.run", "args": ["touch"]}),
    *changed("encoder", {"_target_": "diffstn.models.stn.__loader__.exec_module"}),
    *changed("encoder", {"_target_": "torch.optim.optimizer.functools.partial"}),
    *changed("encoder", {"_target_": "diffstn.located.importlib.import_module", "name": "this"}),
    *changed("encoder", {"_target_": "diffstn.located.located", "target": "antigravity.x"}),
    *changed("encoder", {"_target_": "diffstn.store.run_folder.RunFolder", "path": "x"}),
    *changed("encoder", {"_target_": "diffstn.store.stopping.requeue"}),
    *changed("encoder", {"_target_": "diffstn.cli.main.run", "command": "train"}),
    *changed("encoder", {"_target_": "diffstn.store.saved.saved", "folder": "../outside"}),
    *changed("data", {"_target_": "diffstn.library.train", "out": "../outside/run"}),
    *changed("task", {"_target_": "diffstn.figures.curves.training_curves", "path": "../outside/x"}),
    *changed("encoder._args_", [EVIL]),
    *changed("encoder.inner", EVIL),
    *changed("callbacks", {"x": EVIL}, RESUME),
    *changed("logger", {"x": EVIL}, RESUME),
    *changed("trainer.plugins", EVIL, RESUME),
    *changed("trainer.profiler", EVIL, RESUME),
    *changed("trust", ["os"], RESUME, EVALUATE)[:0],
    Case("a configuration that trusts itself", RESUME, prepare=(
        a("trained"), setting("trust", ["os", "builtins"]), setting("encoder", EVIL))),
    Case("the same, evaluated", EVALUATE, prepare=(
        a("trained"), setting("trust", ["os", "builtins"]), setting("encoder", EVIL))),
]  # fmt: skip

CHECKPOINT = "pytorch_lightning.callbacks.ModelCheckpoint"
OUTSIDE = [
    *(
        Case(f"a callback writes to {value}", RESUME, prepare=(a("trained"), setting("callbacks", {"x": {"_target_": CHECKPOINT, key: value}})))
        for key, value in (("dirpath", "../outside"), ("filename", "../../../outside/x"), ("dirpath", "elsewhere"), ("filename", "/tmp/hostile-x"))
    ),
    *(
        Case(f"{name}.{key} of a logger is {value}", RESUME, prepare=(a("trained"), setting("logger", {name: {"_target_": f"pytorch_lightning.loggers.{target}", key: value}})))
        for name, target, key, value in (
            ("tensorboard", "TensorBoardLogger", "save_dir", "../outside"),
            ("tensorboard", "TensorBoardLogger", "name", "../../outside"),
            ("tensorboard", "TensorBoardLogger", "sub_dir", "../../outside"),
            ("csv", "CSVLogger", "save_dir", "../outside"),
            ("mlflow", "MLFlowLogger", "tracking_uri", "file:../outside"),
            ("mlflow", "MLFlowLogger", "tracking_uri", "http://127.0.0.1:9/"),
            ("mlflow", "MLFlowLogger", "artifact_location", "../outside"),
            ("wandb", "WandbLogger", "save_dir", "../outside"),
        )
    ),
    Case("the data would be fetched to elsewhere", EVALUATE, prepare=(a("trained"), setting("data.images", {"_target_": "diffstn.data.sources.cifar10.CIFAR10", "_partial_": True}), setting("data.root", "../outside/data"), setting("data.download", True))),
    *(
        Case(f"{name} leads outside", command, prepare=(a("trained"), link(f"run/{name}", target)))
        for command in (RESUME, EVALUATE)
        for name, target in (
            ("train.log", "{outside}/precious.txt"),
            ("status.json", "{outside}/precious.txt"),
            ("status.json.part", "{outside}/precious.txt"),
            (".writing", "{outside}/precious.txt"),
            ("checkpoints", "{outside}"),
            ("evaluations", "{outside}"),
            ("figures", "{outside}"),
            ("metrics.part", "{outside}/precious.txt"),
        )
    ),
    Case("a checkpoint's draft leads outside", RESUME, prepare=(a("trained"), link("run/checkpoints/last.ckpt.part", "{outside}/precious.txt"))),
    Case("samples lead outside", "sample run=run accelerator=cpu per_class=1", prepare=(a("trained"), link("run/samples", "{outside}"))),
    Case("a link within the run", EVALUATE, Answer.HARMLESS, prepare=(a("trained"), link("run/latest", "checkpoints"))),
]  # fmt: skip

JSON: dict[str, bytes | str] = {
    "empty": "",
    "a list": "[]",
    "a number": "1e999",
    "deep": "[" * 100_000,
    "deep groups": '{"a":' * 50_000,
    "not UTF-8": b"\xff\xfe",
    "zero bytes": b"\0" * 100,
    "NaN": '{"kind": NaN}',
    "null": "null",
    "cut": '{"kind": "upr',
    "a huge number": '{"state": ' + "9" * 5000 + "}",
}
TABLES: dict[str, bytes | str] = {
    "empty": "",
    "not UTF-8": b"\xff\xfe",
    "zero bytes": b"\0" * 100,
    "no step": "a,b\n1,2\n",
    "a field of a megabyte": "step,train/loss\n1," + "9" * 2**20 + "\n",
    "of nothing": "step,train/loss\nx,y\n",
    "words": "step,name\n1,2\n",
}
OVERRIDES: dict[str, bytes | str] = {
    "empty": "",
    "not UTF-8": b"\xff\xfe",
    "hostile": "out=../outside\ntrust=[os]\n",
    "zero bytes": b"\0" * 100,
}
FACTS: dict[str, Any] = {
    "an unknown name": {"kind": "upright", "evil": 1},
    "an unknown family": {"kind": "distorted", "transformation": {"family": "os.system"}},
    "a family that is a list": {"kind": "distorted", "transformation": {"family": [1]}},
    "a family that is text": {"kind": "distorted", "transformation": "affine"},
    "no kind": {"channels": 1},
    "channels of text": {"kind": "distorted", "channels": "many", "size": [28, 28]},
    "a huge size": {"kind": "distorted", "channels": 1, "size": [10**9, 10**9], "canvas": [10**9, 10**9], "classes": ["a"]},
    "a million classes": {"kind": "distorted", "channels": 1, "size": [28, 28], "canvas": [28, 28], "classes": 10**9},
    "a size of nothing": {"kind": "distorted", "channels": 0, "size": [], "classes": []},
    "a negative size": {"kind": "distorted", "channels": 1, "size": [-28, -28], "classes": ["a"]},
}  # fmt: skip
BESIDE = [
    *(Case(f"facts.json: {name}", "correct photos run=run out=out", prepare=(
        a("trained"), file("photos/a.png", "x"), file("run/facts.json", content)))
      for name, content in JSON.items() if name not in ("NaN", "a huge number")),
    *(Case(f"facts.json: {name}", "correct photos run=run out=out", prepare=(
        a("trained"), file("photos/a.png", "x"), file("run/facts.json", json.dumps(content))))
      for name, content in FACTS.items()),
    *(Case(f"loggers.json: {name}", f"{RESUME} logger=tensorboard", prepare=(
        a("trained"), file("run/loggers.json", content)))
      for name, content in JSON.items() if name not in ("NaN", "a huge number")),
    *(Case(f"{name} is a pipe", command, prepare=(a("trained"), pipe(f"run/{name}")))
      for command, name in (
          (EVALUATE, "config.yaml"), (RESUME, "config.yaml"), (RESUME, "status.json"),
          (RESUME, "overrides.txt"), (RESUME, "metrics.csv"), (RESUME, "train.log"),
          (RESUME, ".writing"), (RESUME, "loggers.json"), (RESUME, "facts.json.part"),
          (RESUME, "checkpoints/last.ckpt"), (EVALUATE, "checkpoints/best.ckpt"),
          (SAMPLE, "metrics.csv"), (EVALUATE, "evaluations"), (EVALUATE, "facts.json"))),
    *(Case(f"{name} is endless", command, prepare=(a("trained"), link(f"run/{name}", "/dev/zero")))
      for command, name in (
          (EVALUATE, "config.yaml"), (RESUME, "overrides.txt"), (SAMPLE, "metrics.csv"),
          (EVALUATE, "checkpoints/best.ckpt"), (RESUME, "checkpoints/last.ckpt"))),
    *(Case(f"{name} is sparse", command, prepare=(a("trained"), sparse(f"run/{name}")))
      for command, name in (
          (EVALUATE, "config.yaml"), (RESUME, "loggers.json"))),
    Case("facts.json is sparse", "correct photos run=run out=out", prepare=(
        a("trained"), file("photos/a.png", "x"), sparse("run/facts.json"))),
    Case("overrides.txt is sparse", RESUME, Answer.HARMLESS, prepare=(a("trained"), sparse("run/overrides.txt"))),
    Case("metrics.csv is sparse, sampled", SAMPLE, prepare=(a("trained"), sparse("run/metrics.csv"))),
    *(Case(f"metrics.csv: {name}", SAMPLE, prepare=(a("trained"), file("run/metrics.csv", content)))
      for name, content in TABLES.items()),
    Case("metrics.csv: huge numbers", SAMPLE, Answer.HARMLESS, prepare=(
        a("trained"), file("run/metrics.csv", "step,train/loss\n1e308,1e308\n-1e308,-1e308\n2,0.5\n"))),
    *(Case(f"overrides.txt: {name}", RESUME, Answer.HARMLESS, prepare=(
        a("trained"), file("run/overrides.txt", content)))
      for name, content in OVERRIDES.items()),
    *(Case(f"status.json: {name}", RESUME, Answer.HARMLESS, prepare=(
        a("trained"), file("run/status.json", content))) for name, content in JSON.items()),
    Case("status.json of a run in the list", "evaluate run=nowhere", prepare=(
        lambda place: place.write("runs/x/config.yaml", "[]"),
        lambda place: place.write("runs/x/status.json", "[" * 100_000))),
    Case("the list of runs has a pipe", "evaluate run=nowhere", prepare=(
        pipe("runs/x/config.yaml"), file("runs/x/status.json", "{}"))),
    Case("the list of runs has control letters", "evaluate run=nowhere", prepare=(
        a("trained"), file("runs/x/config.yaml", 'choices: {model: "\\e[2J\\n\\n"}'),
        file("runs/x/status.json", '{"state": "\\u001b[2J"}'))),
    Case("the run is empty", EVALUATE, prepare=(file("run/config.yaml", ""),)),
    Case("no checkpoints", EVALUATE, prepare=(a("trained"), gone("run/checkpoints"))),
    Case("an old judge is a bomb", EVALUATE, prepare=(
        a("trained"), file("run/judge.yaml", BOMB), config(lambda c: {
            k: v for k, v in c.items() if k != "task"} | {"classifier": {"mode": "frozen", "run": "x"}}))),
    Case("an old judge is a pipe", EVALUATE, prepare=(
        a("trained"), pipe("run/judge.yaml"), config(lambda c: {
            k: v for k, v in c.items() if k != "task"} | {"classifier": {"mode": "frozen", "run": "x"}}))),
    *(Case(f"an old configuration: no {key}", EVALUATE, prepare=(
        a("trained"), config(lambda c, key=key: {  # type: ignore[misc]
            k: v for k, v in c.items() if k not in ("task", key)})))
      for key in ("data", "optimizer", "evaluate", "epochs", "choices")),
    Case("an old configuration: data of text", EVALUATE, prepare=(
        a("trained"), config(lambda c: {k: v for k, v in c.items() if k != "task"} | {"data": "x"}))),
]  # fmt: skip

GROUPS = {
    "config.yaml, bytes": BYTES,
    "config.yaml, keys": KEYS,
    "config.yaml, code": CODE,
    "writing elsewhere": OUTSIDE,
    "other files of a run": BESIDE,
}
