"""Folders of images and clouds, and files of known data sets, of strangers."""

import bz2
import functools
import gzip
import io
import pickle
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from tests.hostile.case import Answer, Case, Place, Prepare, a, file, link, made, pipe, sparse
from tests.hostile.weights import Payload, bomb, zipped

IMAGES = (
    "train model=classifier data=image_folder data.root=photos data.image_size=[8,8]"
    " data.val=0.3 data.test=0.3 data.batch_size=4 encoder=fc trainer.fast_dev_run=true"
    " accelerator=cpu out=out"
)
CLOUDS = (
    "train model=ddpm_sets data=point_cloud_folder data.root=clouds data.points=4 data.val=0.3"
    " data.test=0.3 data.batch_size=4 trainer.fast_dev_run=true accelerator=cpu out=out"
)


def drawn(form: str = "PNG", size: tuple[int, int] = (8, 8), **options: Any) -> bytes:
    """A good image."""
    buffer = io.BytesIO()
    Image.new("RGB", size, (9, 99, 199)).save(buffer, form, **options)
    return buffer.getvalue()


def photos(place: Place) -> None:
    """Two classes of good images."""
    for label in ("cat", "dog"):
        for i in range(20):
            place.write(f"photos/{label}/{i}.png", drawn())


def clouds(place: Place) -> None:
    """Good clouds."""
    rng = np.random.default_rng(0)
    for i in range(30):
        np.save(place.write(f"clouds/x/{i}.npy", ""), rng.normal(size=(8, 3)))


def chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def png(
    width: int, height: int, rows: bytes = b"", more: bytes = b"", depth: int = 8, colour: int = 0
) -> bytes:
    """A PNG of those claims."""
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + more
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n(x) run\nshowpage\n%%EOF\n"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'
XXE = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'

LEFT_OUT: dict[str, Callable[[], bytes]] = {
    "empty.png": lambda: b"",
    "text.png": lambda: b"hello",
    "zeros.png": lambda: b"\0" * 1000,
    "half.png": lambda: drawn(size=(200, 200))[:60],
    "bomb.png": lambda: png(60_000, 60_000),
    "wide.png": lambda: png(2**31 - 1, 1),
    "thirteen-thousand.png": lambda: png(13_000, 13_000, b"\0" * (13_001 * 13_000)),
    "nothing.png": lambda: png(0, 0),
    "depth.png": lambda: png(8, 8, b"\0" * 72, depth=7),
    "text-bomb.png": lambda: png(8, 8, b"\0" * 72, chunk(b"zTXt", b"a\0\0" + zlib.compress(b"\0" * 2**28))),
    "profile-bomb.png": lambda: png(8, 8, b"", chunk(b"iCCP", b"a\0\0" + zlib.compress(b"\0" * 2**28))),
    "postscript.png": lambda: EPS,
    "postscript.jpg": lambda: EPS,
    "vector.png": lambda: SVG,
    "entities.png": lambda: XXE,
    "payload.png": lambda: pickle.dumps(Payload()),
    "half.jpg": lambda: drawn("JPEG", (100, 100))[:200],
    "bomb.gif": lambda: b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0) + b",\0\0\0\0" + struct.pack("<HHB", 65535, 65535, 0) + b"\x08\0;",
    "half.tif": lambda: drawn("TIFF")[:50],
    "loop.tif": lambda: b"II*\0\x08\0\0\0" + b"\xff\xff" + b"\0" * 100,
    "half.webp": lambda: drawn("WEBP")[:20],
    "huge.bmp": lambda: b"BM" + struct.pack("<IHHIIiiHHIIiiII", 100, 0, 0, 54, 40, 2**30, 2**30, 1, 24, 0, 0, 0, 0, 0, 0),
}  # fmt: skip
IMAGE_FILES = [
    *(Case(f"{name}", IMAGES, Answer.SKIPPED, prepare=(photos, made(f"photos/cat/{name}", make)), says=name)
      for name, make in LEFT_OUT.items()),
    Case("a pipe as an image", IMAGES, Answer.SKIPPED, prepare=(photos, pipe("photos/cat/p.png")), says="p.png"),
    Case("a device as an image", IMAGES, Answer.SKIPPED, prepare=(photos, link("photos/cat/z.png", "/dev/zero")), says="z.png"),
    Case("a link to nowhere", IMAGES, Answer.SKIPPED, prepare=(photos, link("photos/cat/n.png", "nowhere")), says="n.png"),
    Case("a sparse image", IMAGES, Answer.SKIPPED, prepare=(photos, sparse("photos/cat/s.png")), says="s.png"),
    Case("a link to its own folder", IMAGES, Answer.HARMLESS, prepare=(photos, link("photos/cat/up", ".."))),
    Case("a stray image", IMAGES, Answer.SKIPPED, prepare=(photos, made("photos/s.png", drawn)), says="s.png"),
    Case("an image's name is not UTF-8", IMAGES, Answer.HARMLESS, prepare=(
        photos, lambda place: open(bytes(place.work) + b"/photos/cat/\xff\xfe.png", "wb").write(drawn()))),
    Case("a class's name is not UTF-8", IMAGES, Answer.HARMLESS, prepare=(
        photos, lambda place: (place.work / "photos/cat").rename(bytes(place.work).decode() + "/photos/\udcff"))),
    Case("names of commands", IMAGES, Answer.HARMLESS, prepare=(
        photos, made("photos/cat/$(touch $CANARY).png", drawn), made("photos/cat/; rm x.png", drawn))),
    Case("a name of lines", IMAGES, Answer.SKIPPED, prepare=(photos, made("photos/cat/a\nb\nTraceback.png".replace("Traceback", "c"), lambda: b"x")), says="left out"),
    Case("an empty class", IMAGES, prepare=(photos, lambda place: (place.work / "photos/none").mkdir())),
    Case("nothing but broken images", IMAGES, prepare=(
        file("photos/cat/a.png", "x"), file("photos/dog/a.png", "x"))),
    Case("no folder", IMAGES),
    Case("the folder is a file", IMAGES, prepare=(file("photos", "x"),)),
    Case("the folder is a pipe", IMAGES, prepare=(pipe("photos"),)),
    Case("the folder is a loop", IMAGES, prepare=(link("photos", "photos"),)),
    *(Case(f"correct: {name}", "correct photos hypotheses=1 out=out", Answer.SKIPPED, prepare=(
        made("photos/good.png", lambda: drawn(size=(28, 28))), made(f"photos/{name}", LEFT_OUT[name])), says=name)
      for name in ("bomb.png", "postscript.png", "half.jpg", "payload.png")),
    Case("correct: images of the same name", "correct photos hypotheses=1 out=out", Answer.HARMLESS, prepare=(
        made("photos/a.png", drawn), made("photos/a.jpg", lambda: drawn("JPEG")))),
    Case("correct: a link outside", "correct photos hypotheses=1 out=out", Answer.HARMLESS, prepare=(
        made("photos/a.png", drawn), link("photos/b.png", "a.png"))),
    Case("correct: below its own images", "correct photos hypotheses=1 out=photos", prepare=(made("photos/a.png", drawn),)),
]  # fmt: skip


def array(content: Any, **options: Any) -> bytes:
    """What numpy.save writes."""
    buffer = io.BytesIO()
    np.save(buffer, content, **options)
    return buffer.getvalue()


def npy(header: bytes, data: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(header)) + header + data


def shaped(shape: str, kind: str = "<f8") -> bytes:
    return npy(
        f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}}}\n".encode(), b"\0" * 64
    )


def ply(
    vertices: object, faces: object = 0, body: bytes = b"", form: str = "ascii", more: str = ""
) -> bytes:
    return (
        f"ply\nformat {form} 1.0\n{more}element vertex {vertices}\nproperty float x\nproperty float y\n"
        f"property float z\nelement face {faces}\nproperty list uchar int vertex_indices\nend_header\n"
    ).encode() + body


CLOUDS_LEFT_OUT: dict[str, Callable[[], bytes]] = {
    "empty.npy": lambda: b"",
    "payload.npy": lambda: array(np.array([Payload()], dtype=object), allow_pickle=True),
    "payload2.npy": lambda: pickle.dumps(Payload()),
    "huge.npy": lambda: shaped("(1000000000000, 3)"),
    "negative.npy": lambda: shaped("(-1, 3)"),
    "code.npy": lambda: npy(b"__import__('os').system('touch $CANARY')\n"),
    "deep.npy": lambda: npy(b"(" * 9000 + b"\n"),
    "text.npy": lambda: array(np.array(["a", "b"])),
    "nan.npy": lambda: array(np.full((9, 3), np.nan)),
    "few.npy": lambda: array(np.zeros((1, 3))),
    "flat.npy": lambda: array(np.zeros(9)),
    "four.npy": lambda: array(np.zeros((9, 4))),
    "none.npy": lambda: array(np.zeros((0, 3))),
    "plane.npy": lambda: array(np.zeros((9, 2))),
    "complex.npy": lambda: array(np.ones((9, 3)) * 1j),
    "record.npy": lambda: array(np.zeros(9, dtype=[("x", "f4")])),
    "payload.npz": lambda: zipped({"points.npy": array(np.array([Payload()], dtype=object), allow_pickle=True)}),
    "bomb.npz": lambda: bomb("points.npy", shaped("(700000000, 3)", "|i1")),
    "many.npz": lambda: zipped({"a.npy": array(np.zeros((9, 3))), "b.npy": array(np.zeros((9, 3)))}),
    "path.npz": lambda: zipped({"../../../outside/x.npy": b"x"}),
    "half.npz": lambda: zipped({"points.npy": array(np.zeros((9, 3)))})[:60],
    "words.xyz": lambda: b"a b c\n" * 9,
    "ragged.xyz": lambda: b"1 2 3\n1 2\n" * 9,
    "infinite.xyz": lambda: b"inf inf inf\n" * 9,
    "bytes.xyz": lambda: bytes(range(256)),
    "empty.xyz": lambda: b"",
    "line.xyz": lambda: b"1 " * 10**6,
    "huge.ply": lambda: ply(10**12),
    "negative.ply": lambda: ply(-5),
    "binary.ply": lambda: ply(10**9, form="binary_little_endian"),
    "cut.ply": lambda: ply(9, body=b"1 2 3\n"),
    "faces.ply": lambda: ply(9, 1, b"1 2 3\n" * 9 + b"3 0 1 999999999\n"),
    "header.ply": lambda: b"ply\n" + b"comment x\n" * 10**5,
    "huge.off": lambda: b"OFF\n1000000000000 1000000000000 0\n",
    "negative.off": lambda: b"OFF\n-1 -1 0\n",
    "faces.off": lambda: b"OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 99999\n",
    "empty.off": lambda: b"",
    "flat.off": lambda: b"OFF\n3 1 0\n0 0 0\n0 0 0\n0 0 0\n3 0 1 2\n",
}  # fmt: skip
CLOUD_FILES = [
    *(Case(f"{name}", CLOUDS, Answer.SKIPPED, prepare=(clouds, made(f"clouds/x/{name}", make)), says=name)
      for name, make in CLOUDS_LEFT_OUT.items() if name != "flat.off"),
    *(Case(f"clouds: {name} alone", CLOUDS, prepare=(made(f"clouds/x/{name}", CLOUDS_LEFT_OUT[name]),))
      for name in ("payload.npy", "bomb.npz", "empty.xyz")),
    *(Case(f"a pipe: {name}", CLOUDS, Answer.SKIPPED, prepare=(clouds, pipe(f"clouds/x/{name}")), says=name)
      for name in ("p.npy", "p.ply")),
    *(Case(f"endless: {name}", CLOUDS, Answer.SKIPPED, prepare=(clouds, link(f"clouds/x/{name}", "/dev/zero")), says=name)
      for name in ("z.npy", "z.xyz", "z.off")),
    *(Case(f"sparse: {name}", CLOUDS, Answer.SKIPPED, prepare=(clouds, sparse(f"clouds/x/{name}")), says=name)
      for name in ("s.npy", "s.npz", "s.xyz", "s.ply", "s.off")),
    Case("coordinates beyond float32", CLOUDS, Answer.HARMLESS, prepare=(
        clouds, made("clouds/x/big.npy", lambda: array(np.eye(9, 3) * 1e300)))),
    Case("faces that are not there", CLOUDS, Answer.HARMLESS, prepare=(
        clouds, made("clouds/x/lists.ply", lambda: ply(9, 10**9, b"1 2 3\n" * 9)))),
    Case("a texture without end", CLOUDS, Answer.HARMLESS, prepare=(
        clouds, made("clouds/x/texture.ply", lambda: ply(
            9, 1, b"1 2 3\n" * 8 + b"4 5 6\n3 0 1 8\n", more="comment TextureFile /dev/zero\n")))),
    Case("no cloud folder", CLOUDS),
    Case("no clouds", CLOUDS, prepare=(file("clouds/x/readme.txt", "x"),)),
]  # fmt: skip

MNIST = (
    "train model=classifier data=mnist data.root=given encoder=fc trainer.fast_dev_run=true out=out"
)
PARTS = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")


def idx(images: bytes, ending: str = "") -> Prepare:
    """Files of MNIST's names, all with the same bytes."""
    return lambda place: [place.write(f"given/MNIST/raw/{p}-ubyte{ending}", images) for p in PARTS]


@functools.cache
def packed_bomb() -> bytes:
    """A gzip file of a few megabytes that unpacks to 2 GB."""
    buffer = io.BytesIO()
    with gzip.open(buffer, "wb", compresslevel=1) as file:
        for _ in range(32):
            file.write(b"\0" * 2**26)
    return buffer.getvalue()


def head(kind: int, *shape: int) -> bytes:
    return bytes((0, 0, kind, len(shape))) + struct.pack(f">{len(shape)}I", *shape)


IDX = [
    *(Case(f"MNIST: {name}", MNIST, prepare=(idx(content),)) for name, content in {
        "empty": b"", "text": b"hello", "other types": head(0x0D, 1, 28, 28) + b"\0" * 784,
        "255 dimensions": bytes((0, 0, 8, 255)) + b"\xff" * 1020, "no dimension": head(8) + b"x",
        "4 billion images": head(8, 2**32 - 1, 28, 28), "no images": head(8, 0, 28, 28),
        "other sizes": head(8, 1, 3, 3) + b"\0" * 9, "a cut header": b"\0\0\x08\x03\0\0"}.items()),
    *(Case(f"MNIST, packed: {name}", MNIST, prepare=(idx(content, ".gz"),)) for name, content in {
        "empty": b"", "text": b"hello", "cut": gzip.compress(head(8, 9))[:15]}.items()),
    Case("MNIST, packed: a bomb", MNIST, prepare=(lambda place: idx(packed_bomb(), ".gz")(place),)),
    Case("MNIST: sparse", MNIST, prepare=tuple(sparse(f"given/MNIST/raw/{p}-ubyte") for p in PARTS)),
    Case("MNIST: pipes", MNIST, prepare=tuple(pipe(f"given/MNIST/raw/{p}-ubyte") for p in PARTS)),
    Case("MNIST: folders", MNIST, prepare=tuple(file(f"given/MNIST/raw/{p}-ubyte/x", "") for p in PARTS)),
    Case("MNIST: endless", MNIST, prepare=tuple(link(f"given/MNIST/raw/{p}-ubyte", "/dev/zero") for p in PARTS)),
]  # fmt: skip

CIFAR = "train model=classifier data=cifar10 encoder=fc trainer.fast_dev_run=true out=out"
BATCHES = (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")


def batches(make: Callable[[], bytes]) -> Prepare:
    return lambda place: [place.write(f"given/cifar-10-batches-py/{n}", make()) for n in BATCHES]


def good_batch(labels: Any = (0, 1), shape: Any = (2, 3072)) -> bytes:
    return pickle.dumps({"data": np.zeros(shape, np.uint8), "labels": list(labels)})


CIFARS = [
    *(Case(f"CIFAR-10: {name}", f"{CIFAR} data.root=given", prepare=(batches(make),)) for name, make in {
        "a payload": lambda: pickle.dumps(Payload()),
        "a payload within": lambda: pickle.dumps({"data": Payload(), "labels": []}),
        "empty": lambda: b"", "text": lambda: b"hello", "a list": lambda: pickle.dumps([1]),
        "no labels": lambda: pickle.dumps({"data": np.zeros((2, 3072), np.uint8)}),
        "labels of text": lambda: good_batch("ab"), "labels too high": lambda: good_batch((0, 99)),
        "no images": lambda: good_batch((), (0, 3072)), "another shape": lambda: good_batch(shape=(2, 7)),
        "deep": lambda: b"\x80\x02" + b"]" * 10**6 + b".", "cut": lambda: good_batch()[:40],
        "a huge array": lambda: pickle.dumps({"data": np.zeros(1, np.uint8), "labels": [0]}).replace(b"K\x01\x85", b"J\xff\xff\xff\x7f\x85"),
        "a reference to nothing": lambda: b"\x80\x02h\x05.", "a stop": lambda: b".",
    }.items()),
    *(Case(f"CIFAR-10 as npz: {name}", f"{CIFAR} data.source=given.npz", prepare=(made("given.npz", make),))
      for name, make in {
          "empty": lambda: b"", "text": lambda: b"hello", "a pickle": lambda: pickle.dumps(Payload()),
          "one array": lambda: array(np.zeros(3)), "of others": lambda: zipped({"a.npy": array(np.zeros(3))}),
          "a payload": lambda: zipped({f"{n}.npy": array(np.array([Payload()], dtype=object), allow_pickle=True)
                                       for n in ("train_images", "train_labels", "test_images", "test_labels")}),
          "flat": lambda: zipped({f"{n}.npy": array(np.zeros(3))
                                  for n in ("train_images", "train_labels", "test_images", "test_labels")}),
          "a bomb": lambda: bomb("train_images.npy", shaped("(700000000, 3)", "|i1")),
      }.items()),
    Case("CIFAR-10 as npz: a pipe", f"{CIFAR} data.source=given.npz", prepare=(pipe("given.npz"),)),
    Case("CIFAR-10 as npz: sparse", f"{CIFAR} data.source=given.npz", prepare=(sparse("given.npz"),)),
    Case("CIFAR-10: pipes", f"{CIFAR} data.root=given", prepare=tuple(pipe(f"given/cifar-10-batches-py/{n}") for n in BATCHES)),
    Case("CIFAR-10: sparse", f"{CIFAR} data.root=given", prepare=tuple(sparse(f"given/cifar-10-batches-py/{n}") for n in BATCHES)),
]  # fmt: skip

VISION = "train model=classifier data=torchvision encoder=fc trainer.fast_dev_run=true out=out data.root=given"
LIBRARIES = [
    Case("torchvision: a payload where files once were", f"{VISION} data.name=KMNIST", prepare=tuple(
        made(f"given/KMNIST/processed/{n}", lambda: pickle.dumps(Payload())) for n in ("training.pt", "test.pt"))),
    Case("torchvision: damaged files", f"{VISION} data.name=KMNIST", prepare=(
        lambda place: [place.write(f"given/KMNIST/raw/{p}-ubyte", b"hello") for p in PARTS],)),
    Case("torchvision: a payload as CIFAR-100", f"{VISION} data.name=CIFAR100", prepare=tuple(
        made(f"given/cifar-100-python/{n}", lambda: pickle.dumps(Payload())) for n in ("train", "test", "meta"))),
    Case("torchvision: a payload as USPS", f"{VISION} data.name=USPS", prepare=(
        made("given/usps.bz2", lambda: bz2.compress(b"x")), made("given/usps.t.bz2", lambda: bz2.compress(b"x")))),
    Case("torchvision: FakeData", f"{VISION} data.name=os.system"),
    Case("Hugging Face: a script", "train model=classifier data=hugging_face data.name=given data.image_size=[8,8] encoder=fc trainer.fast_dev_run=true out=out", prepare=(
        file("given/given.py", "import os; open(os.environ['CANARY'], 'w')"),)),
    Case("Hugging Face: a damaged folder", "train model=classifier data=hugging_face data.name=given data.image_size=[8,8] encoder=fc trainer.fast_dev_run=true out=out", prepare=(
        file("given/state.json", "{}"), file("given/dataset_info.json", "["))),
]  # fmt: skip

WANDB = [
    Case("a W&B folder of a stranger leads outside", "train out=run resume=true epochs=2", prepare=(a("trained"), link("run/wandb", "{outside}"))),
    Case("a W&B settings file of a stranger", "train out=run resume=true epochs=2", Answer.HARMLESS, prepare=(
        a("trained"), file("run/wandb/settings", "[default]\nbase_url = http://127.0.0.1:9\n"))),
    Case("an MLflow store of a stranger leads outside", "train out=run resume=true epochs=2 logger=mlflow", prepare=(a("trained"), link("run/mlruns", "{outside}"))),
    Case("TensorBoard's folder is a file", "train out=run resume=true epochs=2 logger=tensorboard", prepare=(a("trained"), file("run/tensorboard", "x"))),
    Case("a pipe in TensorBoard's folder", "train out=run resume=true epochs=2 logger=tensorboard", prepare=(a("trained"), pipe("run/tensorboard/hparams.yaml"))),
]  # fmt: skip

GROUPS = {
    "images": IMAGE_FILES,
    "clouds": CLOUD_FILES,
    "MNIST's files": IDX,
    "CIFAR-10's files": CIFARS,
    "data of other libraries": LIBRARIES,
    "dashboards' folders": WANDB,
}
