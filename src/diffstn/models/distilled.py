"""A diffusion model that learns to sample in a few steps."""

from typing import Annotated, Any

from diffstn.annotations import AtLeast
from diffstn.data.facts import Facts
from diffstn.diffusion import Denoises
from diffstn.diffusion.losses.distilled import DistilledLoss
from diffstn.errors import UserError
from diffstn.models.diffusion_model import DiffusionModel
from diffstn.models.other_run import diffusion_of


class Distilled(DiffusionModel):
    """`DiffusionModel` whose one step of sampling is several of a teacher's, see `DistilledLoss`.

    It is told nothing but what the teacher says of noised data, and tells kinds apart as it does.
    It learns the jumps of its own sampler, so a student is one for `sampler.steps`, no more and no
    fewer. If the teacher is led to a class, or away from a weaker model, the student does by itself
    what it was led to.

    The teacher is a run, read when training begins; a student that has learned needs none.

    Args:
        facts: of the data.
        teacher: run of a diffusion model of the same data, codec and noise; also a student.
        teacher_steps: m, its steps in one of the student's.
        teacher_guidance: w of its classifier-free guidance; None: as its run says.
        settings: see `DiffusionModel`; the network starts as the teacher's with ckpt=<its run>.

    Raises:
        ValueError: the loss is weighed or another than `simple`, or see `DistilledLoss`.
    """

    def __init__(
        self,
        facts: Facts,
        teacher: str,
        teacher_steps: Annotated[int, AtLeast(1)] = 2,
        teacher_guidance: float | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(facts=facts, **settings)
        if settings.get("loss", "simple") != "simple":
            raise ValueError("a student has a loss of its own: model.loss=simple")
        self.teacher_run, self.teacher_guidance = teacher, teacher_guidance
        self.teachers: tuple[Any, ...] = ()  # in a tuple: its weights are not ours
        self.loss = DistilledLoss(self.teacher, self.sampler, teacher_steps)
        self.loss.walk(self.denoiser.schedule)  # refuses what does not halt alike

    def check_optimisation(self, data: Any = None) -> None:
        """As ever, and refuse a teacher of other data or other noise."""
        super().check_optimisation(data)
        self.teacher()

    def teacher(self) -> Denoises:
        """What the teacher walks with, on the model's device.

        Raises:
            UserError: its run is of other data, another codec or other noise.
        """
        if not self.teachers:
            said = f"model.teacher={self.teacher_run}"
            knows = self.facts, self.denoiser.schedule, self.codec, self.conditional
            found = diffusion_of(said, *knows)
            if self.conditional and not found.conditional:
                raise UserError(f"{said} hears no classes: model.conditional=false")
            if (kinds := kinds_of(found)) != kinds_of(self):
                raise UserError(f"{said} tells {kinds} kinds apart: model.clusters={kinds}")
            if self.clusters is not None:
                if found.conditional != self.conditional:
                    heard = str(found.conditional).lower()
                    raise UserError(f"{said} has other kinds: model.conditional={heard}")
                if found.guidance.guide is not None:
                    raise UserError(f"{said} is led by a classifier, which knows no kinds")
                self.clusters.load_state_dict(found.clusters.state_dict())
            self.teachers = (found.eval(),)
        return self.teachers[0].to(self.device).led(self.teacher_guidance)


def kinds_of(model: Any) -> int:
    """How many a model tells apart without labels."""
    clusters = getattr(model, "clusters", None)
    return 0 if clusters is None else len(clusters.centres)
