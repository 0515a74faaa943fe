import torch

from diffstn.diffusion.denoiser import Denoiser
from diffstn.diffusion.wrappers import ByClassifier, ClassifierFree, OfKind


def test_the_denoiser_hears_the_kind_and_not_the_callers_label(denoiser: Denoiser):
    x_t, t = torch.randn(4, 1), torch.full((4,), 60)
    kind, label = torch.tensor([0, 1, 1, 0]), torch.tensor([1, 1, 0, 0])
    expected = ClassifierFree(denoiser, 1.5)(x_t, t, label=kind)
    led = OfKind(ClassifierFree(denoiser, 1.5), kind)
    assert torch.equal(led(x_t, t).eps, expected.eps)
    assert torch.equal(led(x_t, t, label=label).eps, expected.eps)
    assert led.schedule is denoiser.schedule


def test_a_classifier_leads_to_the_label_within_the_kind(denoiser: Denoiser):
    x_t, t = torch.randn(4, 1), torch.full((4,), 60)
    kind, label = torch.tensor([0, 1, 1, 0]), torch.tensor([1, 1, 0, 0])

    def classifier(x, t):
        return torch.cat([x, -x], dim=1).log_softmax(1)

    led = ByClassifier(OfKind(denoiser, kind), classifier, 2.0)
    expected = ByClassifier(denoiser, classifier, 2.0, heard=False)
    of_kind = denoiser(x_t, t, label=kind).eps
    change = expected(x_t, t, label=label).eps - denoiser(x_t, t).eps
    torch.testing.assert_close(led(x_t, t, label=label).eps, of_kind + change)
