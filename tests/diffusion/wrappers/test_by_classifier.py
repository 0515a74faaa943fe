import torch

from diffstn.diffusion.samplers import DDIM
from diffstn.diffusion.wrappers import ByClassifier, ClassifierFree


def test_a_scale_of_one_turns_the_unconditional_model_into_the_conditional_one(denoiser, opinion):
    """Bayes: ∇ log p(x_t) + ∇ log p(c | x_t) = ∇ log p(x_t | c)."""
    x_t, t, label = torch.randn(50, 1), torch.full((50,), 80), torch.arange(50) % 2
    led = ByClassifier(denoiser, opinion, 1.0)(x_t, t, label=label)
    told = denoiser(x_t, t, label=label)
    torch.testing.assert_close(led.eps, told.eps, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(led.x_0, told.x_0, atol=1e-3, rtol=1e-3)


def test_it_adds_up_with_classifier_free_guidance(denoiser, opinion):
    """(1 + w) ∇ log p(x | c) − w ∇ log p(x) + λ ∇ log p(c | x): both scales are one."""
    x_t, t, label = torch.randn(50, 1), torch.full((50,), 80), torch.arange(50) % 2
    both = ByClassifier(ClassifierFree(denoiser, 0.7), opinion, 0.5, heard=True)
    alone = ClassifierFree(denoiser, 1.2)
    torch.testing.assert_close(
        both(x_t, t, label=label).eps, alone(x_t, t, label=label).eps, atol=1e-4, rtol=1e-4
    )


def test_it_takes_gradients_where_they_are_switched_off_and_samples_the_class(denoiser, opinion):
    x_T = torch.randn(2000, 1, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        label = torch.ones(2000).long()
        sampled = DDIM(steps=50)(ByClassifier(denoiser, opinion, 1.0), x_T, label=label)
    assert abs(float(sampled.mean()) - 1) < 0.05
    assert abs(float(sampled.std()) - 0.5) < 0.05


def test_without_a_label_it_leads_nowhere(denoiser, opinion):
    x_t, t = torch.randn(4, 1), torch.full((4,), 9)
    assert torch.equal(ByClassifier(denoiser, opinion)(x_t, t).x_0, denoiser(x_t, t).x_0)
