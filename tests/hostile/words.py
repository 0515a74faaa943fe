"""Odd and hostile words on the command line."""

from tests.hostile.case import Answer, Case, a, file, link, pipe, sparse

TRAIN = "train model=stn encoder=fc classifier=joint trainer.fast_dev_run=true out=out"
UNET = "train model=ddpm_unet trainer.fast_dev_run=true out=out"
EVALUATE = "evaluate run=run accelerator=cpu limit=20"


def words(start: str, *more: str) -> list[Case]:
    """A case for each word at the end of a command, all to be refused."""
    return [Case(f"{start.split(' ')[0]} … {one[:60]}", f"{start} {one}") for one in more]


NUMBERS = [
    *words(
        TRAIN,
        *("optimizer.lr=nan", "optimizer.lr=inf", "optimizer.lr=-1", "optimizer.lr=1e400"),
        *("optimizer.lr=null", "optimizer.lr=[]", "optimizer.lr={}", "optimizer.lr=true"),
        *("optimizer.weight_decay=nan", "optimizer.weight_decay=-1"),
        *("optimizer=sgd optimizer.momentum=5", "optimizer=sgd optimizer.momentum=-1"),
        *("optimizer=muon optimizer.momentum=5", "optimizer=rmsprop +optimizer.momentum=5"),
        *("optimizer=rmsprop +optimizer.alpha=7", "optimizer=sgd +optimizer.dampening=nan"),
        *("+optimizer.betas=[5,5]", "+optimizer.eps=nan", "+optimizer.betas=[nan,0.9]"),
        *("epochs=0", "epochs=-1", "epochs=nan", "epochs=1.5", "epochs=1e3", "epochs=null"),
        *("trainer.max_steps=0", "trainer.max_steps=-2", "trainer.max_steps=nan"),
        *("trainer.devices=0", "trainer.devices=-1", "trainer.devices=1000", "trainer.devices=x"),
        *("trainer.max_time=soon", "trainer.max_time=00:00:00:-1", "trainer.limit_val_batches=nan"),
        *("trainer.gradient_clip_val=nan", "trainer.log_every_n_steps=-1"),
        *("trainer.accumulate_grad_batches=0", "trainer.num_nodes=0", "trainer.strategy=nonsense"),
        *("trainer.precision=7", "trainer.profiler=nonsense", "trainer.plugins=nonsense"),
        *("data.batch_size=0", "data.batch_size=-4", "data.batch_size=nan", "data.batch_size=1e9"),
        *("data.limit_train=0", "data.limit_train=-3", "data.limit_train=nan"),
        *("data.distortion.rotation=nan", "data.distortion.rotation=[0,inf]"),
        *("data.distortion.scale=[nan,nan]", "data.distortion.scale=[0,0]"),
        *("data.distortion.shear=nan", "data.distortion.translation=inf"),
        *("ema_decay=1", "ema_decay=2", "ema_decay=-1", "ema_decay=nan"),
        *("seed=-1", "seed=1e20", "seed=nan", "seed=99999999999999999999"),
        *("model.label_weight=-1", "model.label_weight=nan", "model.cascade=0"),
        *("checkpoint.minutes=-1", "checkpoint.minutes=nan", "validate_every=0"),
        *("lr_scheduler.warmup=nan", "lr_scheduler.warmup=-1", "lr_scheduler.warmup=2"),
    ),
    *words(
        UNET,
        *("model.bins=0", "model.guidance_scale=nan", "model.guidance_scale=inf", "model.clip=nan"),
        *("network.dropout=nan", "network.dropout=1.5", "network.width=0", "network.width=-8"),
        *("schedule.steps=0", "schedule.steps=-1", "schedule.steps=1000000000000"),
        *("sampler.steps=0", "sampler.steps=-1", "sampler.steps=nan", "task.samples=0"),
        *("task.samples=-1", "task.track=-1", "task.features=none", "network.attention=[nan]"),
    ),
    *words(
        "train model=diff_in_stn trainer.fast_dev_run=true out=out",
        *("model.kernel=foo", "model.padding=foo", "model.noise_levels=0", "model.combine=foo"),
        *("model.timestep_power=nan", "network.time_features=0", "network.head_features=0"),
        *("model.hypotheses=0", "classifier.run=run", "classifier.run=/dev/null"),
    ),
]

FAST = "trainer.fast_dev_run=true out=out"
FAMILIES = [
    *words(
        f"train model=gan {FAST}",
        *("model.augment_p=1.5", "model.augment_p=-0.1", "model.augment_p=nan"),
        *("model.augment_target=2", "model.augment_target=nan", "model.augment_thousands=0"),
        *("model.augment_thousands=nan", "model.penalty_weight=-1", "model.penalty_weight=nan"),
        *("model.penalty_interval=0", "model.unrolled_steps=-1", "model.discriminator_steps=0"),
        *("model.discriminator_steps=1000", "model.discriminator_lr=0", "model.loss=foo"),
        *("model.discriminator_lr=nan", "model.truncation=nan", "generator.width=0"),
        *("generator.pace=0", "generator.pace=nan", "discriminator=mlp", "generator=mlp"),
        *(
            "discriminator.width=0",
            "optimizer=sgd model.unrolled_steps=2",
        ),
    ),
    *words(
        f"train model=gan_points {FAST}",
        *("model.augment_p=0.5", "data.shape=ring9", "generator.latent=0", "generator.layers=0"),
    ),
    *words(
        f"train model=autoencoder {FAST}",
        *("regularisation.weight=-1", "regularisation.weight=nan", "model.edge_weight=-1"),
        *("regularisation=vq regularisation.codes=1", "regularisation=vq regularisation.decay=2"),
        *("network.width=0", "model.pixel_loss=l3", "schedule=cosine"),
    ),
    *words(
        UNET,
        *("codec=autoencoder", "codec=nowhere", "codec=.", "codec=pretrained/judge"),
        *("codec=autoencoder codec.run=pretrained/judge", "codec=autoencoder codec.run=/dev/null"),
        *("sampler=annealed_langevin sampler.rate=0", "network.norm=foo"),
        *("sampler=annealed_langevin sampler.each=0", "network.label=foo"),
        *("network.norm=conditional_batch network.label=channel", "data.classes=[3]"),
        *(
            "data.classes=[3,3]",
            "data.classes=[3,nine]",
            "data.flip=2",
            "data.flip=nan",
            "data.flip=often",
        ),
        *("data.crop=-1", "data.crop=28", "data.crop_fill=foo"),
        *("schedule=geometric schedule.sigma_min=9 schedule.sigma_max=1",),
        *("schedule=geometric schedule.sigma_max=nan", "schedule=geometric schedule.steps=1"),
    ),
    *words(
        f"train model=ddpm_ac {FAST}",
        *("model.classifier_weight=-1", "model.classifier_weight=nan", "classifier=frozen x=1"),
        *("model.classifier_signal=foo", "model.classifier_reads=foo"),
    ),
    *words(
        f"train model=cold {FAST}",
        *("process.steps=1 sampler.steps=2", "process.steps=0", "process.largest=0"),
        *("process.largest=nan", "task.at=[2.0]"),
        *("task.at=[]", "task.at=[nan]", "sampler=ddpm", "sampler=langevin", "model.loss=l3"),
        *("process=turn task=generate_images", "process=turn process.scale=[0,0]"),
    ),
    *words(
        f"train model=cold_stn {FAST}",
        *("model.jitter=-1", "model.jitter=nan", "model.steps=0", "sampler=ddim"),
        *("data/distortion=projective", "model.velocity=foo", "model.hypotheses=0"),
    ),
    *words(
        f"train model=controlnet {FAST}",
        *("base=nowhere", "base=pretrained/judge", "base=/dev/null", "base=null"),
        *("control=distorted", "model.aligned=true", "model.label_dropout=2"),
        *("model.timestep_power=0", "model.guidance_scale=nan", "data=cifar10 data.root=nowhere"),
    ),
    *words(
        f"train model=diff_in_stn {FAST}",
        *("model.noise=cauchy", "model.noise=laplace sampler=ddpm", "model.noise=wrapped"),
        *("model.angle_weight=1", "model.angle_weight=-1", "model.angle_weight=nan"),
        "model.noise=uniform sampler=langevin",
    ),
    *words(
        "evaluate model=pose_search limit=4",
        *("model.angles=0", "model.beams=-1", "model.score=foo", "model.rotation=nan"),
        *("model.rotation=200", "classifier=joint", "data/distortion=projective", "data=cifar10"),
        *("limt=3", "model.hypotheses=0"),
    ),
    *words(
        "export out=a.onnx",
        *("run=nowhere", "run=pretrained/judge", "hypotheses=0", "format=foo", "out=/dev/null"),
        *("run=/dev/null", "extra", "rum=3"),
    ),
]

SYNTAX = [
    *words(
        "train trainer.fast_dev_run=true encoder=fc data.limit_train=64 out=out",
        *(
            "=",
            "==",
            "=x",
            "model=",
            "model==stn",
            "model",
            "model=[",
            "model={",
            "'",
            '"',
            "model='",
        ),
        *("model=../../etc/passwd", "model=../train", "model=/etc/passwd", "model=stn.yml"),
        *("+model=stn", "~model", "~data", "model@x=stn", "++x=1", "+x@y=1", "a.b.c.d=1"),
        *("_target_=os.system", "+_target_=os.system", "model._target_=os.system"),
        *("model._target_=diffstn.nothing", "+optimizer._target_=builtins.eval"),
        *("+callbacks.x._target_=nowhere.Callback", "+callbacks.x=3", "+logger.x._target_=3"),
        *("seed=${oc.env:HOME}", "seed=${seed}", "out=${out}", "seed=${", "seed=${oc.decode:x}"),
        *("hydra/launcher=none", "hydra/sweeper=none", "resume=maybe"),
        *("resume=true", "resume=true out=nowhere", "debug=maybe", "trust=3"),
        *("ckpt=nowhere", "ckpt=/dev/null", "ckpt=/dev/zero", "ckpt=[1]", "ckpt=.", "seed=1,2"),
        *("seed=range(1,3)", "seed=glob(*)", "seed=choice()", "seed=interval(0,1)", "ü=1"),
        *(f"{'x' * 300}=1", f"seed={'9' * 5000}", f"model={'s' * 100_000}", f"seed={'[' * 900}"),
        *("data.root=\x01", "model=\x1b[31mred", "seed=0x10", "out=[a,b]", "out={a:b}", "out=true"),
    ),
    *words(
        "train -m model=stn encoder=fc classifier=joint trainer.fast_dev_run=true",
        *("seed=range(1,1000000000)", "seed=range(3,1)", "seed=interval(0,1)", "out=out"),
        *("resume=true", "optimizer.lr=0.1,fast", "optimizer.lr=0.1,nan", "epochs=1,0"),
        *("seed=1,2 hydra.sweep.dir=/dev/null", "seed=1,2 hydra.sweep.dir=/proc/x"),
    ),
    *words("evaluate", "", "run=", "run=nowhere", "run=/", "run=/dev/null", "run=[a]", "run=run"),
    *words("evaluate", f"run={'x' * 300}", "run=\x01", "run=pretrained/../../..", "run=a,b"),
    *words("sample", "", "run=nowhere", "model=stn", "model=nothing", "n=0", "save=exe run=run"),
    *words("correct", "nowhere", "/dev/null", "a b", ". run=nowhere", ". hypotheses=0", ". x=1"),
    *words("correct", ". seed=-1", ". batch_size=1e9", ". invert=maybe", f"{'x' * 300}"),
]

OF_A_RUN = [
    Case(f"{one.split(' ')[0]} … {one.split(' ', 1)[1]}", one, prepare=(a("trained"),))
    for one in (
        *(
            f"{EVALUATE} {word}"
            for word in (
                "seed=-1",
                "seed=nan",
                "checkpoint=../../x",
                "weights=/dev/zero",
                "split=../x",
                "task.limit=0",
                "task.limit=-1",
                "task.batch_size=1000000000000",
                "out=/dev/null",
                "out=/proc/x",
                "model.cascade=1000000000",
                "encoder.width=1000000000",
                "data.root=nowhere",
                "data=mnist",
                "+x=1",
                "~model",
                "choices.model=x",
                "trainer.precision=7",
                "hypotheses=[0]",
                "hypotheses=[-1]",
                "trust=[os] model._target_=os.system",
                "model._target_=os.system",
                "data._target_=a.b",
                "task._target_=builtins.exec",
                "encoder._target_=subprocess.Popen",
            )
        ),
        "train resume=true out=run optimizer.lr=3",
        "train resume=true out=run epochs=0",
        "train resume=true out=run model=ddpm_unet",
        "train resume=true out=run seed=7",
        "train out=run model=stn",
        "train resume=true out=pretrained/judge",
        "sample run=run accelerator=cpu save=png n=0 out=out",
        "sample run=run accelerator=cpu save=png n=-1 out=out",
        "sample run=run accelerator=cpu out=/dev/null",
        "sample run=run accelerator=cpu per_class=0 out=out",
    )
] + [
    Case(f"{words.split(' ')[0]} … {what}", words, prepare=(a("trained"),), answer=Answer.HARMLESS)
    for words, what in (
        (f"{EVALUATE} hypotheses=[]", "the model's own number alone"),
        ("train resume=true out=run epochs=1", "a run that is done, no longer"),
        (f"{TRAIN} resume=auto", "a run that has not begun"),
    )
]

SHIPPED = [
    Case(
        "evaluate a hundred thousand hypotheses",
        f"evaluate run=pretrained/diff_in_stn_full accelerator=cpu limit=20 {word}",
    )
    for word in ("hypotheses=[100000]", "hypotheses=[1000000000000]")
] + [
    Case(f"evaluate a frozen run … {word}", f"evaluate run=pretrained/diff_in_stn_full {word}")
    for word in (
        "classifier=joint",
        "classifier=none",
        "network.width=100000000",
        "sampler.steps=0",
    )
]

PLACES = [
    Case("out is a file", f"{TRAIN}/file", prepare=(file("out/file", "x"),)),
    Case("out is below a file", f"{TRAIN}/file/x", prepare=(file("out/file", "x"),)),
    Case("out is a device", "train model=stn out=/dev/null"),
    Case("out is in /proc", "train model=stn out=/proc/x"),
    Case("out is a loop of links", "train model=stn out=loop", prepare=(link("loop", "loop"),)),
    Case("out is a pipe", "train model=stn out=pipe", prepare=(pipe("pipe"),)),
    Case("out has 300 letters", f"train model=stn out={'x' * 300}"),
    Case("out has a zero byte", "train model=stn out='a\0b'"),
    Case("out holds results", f"{TRAIN}", prepare=(file("out/metrics.csv", "x"),)),
    Case("out holds a run", "train model=stn out=run", prepare=(a("trained"),)),
    Case("the lock is a pipe", f"{TRAIN}", prepare=(pipe("out/.writing"),)),
    Case(
        "the lock leads outside",
        f"{TRAIN}",
        prepare=(link("out/.writing", "{outside}/precious.txt"),),
    ),
    Case(
        "the log leads outside",
        f"{TRAIN}",
        prepare=(link("out/train.log", "{outside}/precious.txt"),),
    ),
    Case(
        "the status leads outside",
        f"{TRAIN}",
        prepare=(link("out/status.json.part", "{outside}/precious.txt"),),
    ),
    Case("checkpoints lead outside", f"{TRAIN}", prepare=(link("out/checkpoints", "{outside}"),)),
    Case(
        "the samples' place is a file",
        "sample run=run accelerator=cpu out=out/x",
        prepare=(a("trained"), file("out/x", "")),
    ),
    Case(
        "corrections' place is not empty",
        "correct photos out=out",
        prepare=(file("photos/a.png", "x"), file("out/x", "")),
    ),
    Case(
        "an own configuration is a pipe",
        "train --config-dir conf model=mine out=out",
        prepare=(pipe("conf/model/mine.yaml"),),
    ),
    Case(
        "an own configuration is endless",
        "train --config-dir conf model=mine out=out",
        prepare=(link("conf/model/mine.yaml", "/dev/zero"),),
    ),
    Case(
        "an own configuration is no yaml",
        "train --config-dir conf model=mine out=out",
        prepare=(file("conf/model/mine.yaml", b"\xff\xfe{{{"),),
    ),
    Case("ckpt is a pipe", f"{TRAIN} ckpt=pipe", prepare=(pipe("pipe"),)),
    Case("ckpt is sparse", f"{TRAIN} ckpt=big", prepare=(sparse("big"),)),
    Case(
        "a name in another script",
        "train model=stn encoder=fc classifier=joint trainer.fast_dev_run=true out='out/läuft·نص'",
        Answer.HARMLESS,
    ),
    Case(
        "a name with a space",
        "train model=stn encoder=fc classifier=joint trainer.fast_dev_run=true out='out/a·b'",
        Answer.HARMLESS,
    ),
]

GROUPS = {
    "numbers": NUMBERS,
    "families": FAMILIES,
    "syntax": SYNTAX,
    "words about a run": [*OF_A_RUN, *SHIPPED],
    "places": PLACES,
}
