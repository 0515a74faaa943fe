import copy

import pytest
import torch
from torch import nn
from torch.optim import AdamW

from diffstn.optim.lr_schedules import constant, cosine, one_cycle
from diffstn.optim.muon import Muon, orthogonalised


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(3, 48), nn.SiLU(), nn.Linear(48, 64), nn.SiLU(), nn.Linear(64, 2)
    )


def learn(net: nn.Module, optimizer: torch.optim.Optimizer, steps: int) -> float:
    generator = torch.Generator().manual_seed(1)
    for _ in range(steps):
        x = torch.randn(128, 3, generator=generator)
        loss = (net(x) - torch.stack([x[:, 0] * x[:, 1], x[:, 2].sin()], -1)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()


def test_hidden_matrices_move_by_orthogonal_steps_of_adamws_size():
    net = network()
    before = net[2].weight.detach().clone()
    generator = torch.Generator().manual_seed(2)
    u, _, v = torch.linalg.svd(torch.randn(64, 48, generator=generator), full_matrices=False)
    gradient = u @ torch.logspace(0, -1.5, 48).diag() @ v  # singular values from 1 to 0.03
    for parameter in net.parameters():
        parameter.grad = torch.zeros_like(parameter)
    net[2].weight.grad = gradient
    Muon(net.parameters(), lr=0.01).step()
    step = (before - net[2].weight.detach()) / (0.01 * 0.2 * 64**0.5)
    values = torch.linalg.svdvals(step)
    # five Newton–Schulz iterations bring singular values to between about 0.7 and 1.2
    assert 0.6 < values.min() < values.max() < 1.3
    assert torch.linalg.vector_norm(step - u @ v) < 0.3 * torch.linalg.vector_norm(u @ v)


@pytest.mark.parametrize("shape", [(48, 64), (64, 48), (40, 40)])
def test_iterations_leave_the_directions_and_even_out_the_sizes(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(3))
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    values = (u.T @ orthogonalised(matrix) @ v.T).diag()
    assert 0.6 < values.min() < values.max() < 1.3
    # no singular vector turned
    assert torch.allclose(orthogonalised(matrix), u @ values.diag() @ v, atol=1e-4)


def test_a_step_is_torchs_own():
    ours, theirs = network()[2].weight, network()[2].weight
    muon = Muon([ours], lr=0.01, weight_decay=0.1)
    torchs = torch.optim.Muon([theirs], 0.01, 0.1, adjust_lr_fn="match_rms_adamw")
    for seed in range(3):
        gradient = torch.randn(64, 48, generator=torch.Generator().manual_seed(seed))
        ours.grad, theirs.grad = gradient.clone(), gradient.clone()
        muon.step()
        torchs.step()
    # it iterates in bfloat16, eight bits; a step of three is 0.2 * 8 * 0.01 / 8 an entry
    assert torch.allclose(ours, theirs, atol=5e-4)
    assert torch.linalg.vector_norm(ours - theirs) < 0.01 * torch.linalg.vector_norm(ours)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_kernel_is_the_matrix_from_patches_to_features(layout):
    convolution = nn.Conv2d(8, 48, 3, bias=False).to(memory_format=layout)
    matrix = nn.Parameter(convolution.weight.detach().flatten(1).clone())
    gradient = torch.randn(48, 8, 3, 3, generator=torch.Generator().manual_seed(4))
    convolution.weight.grad = gradient.contiguous(memory_format=layout)
    matrix.grad = gradient.flatten(1)
    Muon(convolution.parameters()).step()
    Muon([matrix]).step()
    assert torch.allclose(convolution.weight.flatten(1), matrix, atol=1e-6)
    assert convolution.weight.is_contiguous(memory_format=layout)


@pytest.mark.parametrize(
    "thin", [nn.Conv2d(1, 64, 5), nn.Conv2d(64, 3, 3), nn.Conv2d(64, 64, 3, groups=64)]
)
def test_kernels_of_few_channels_are_adamws(thin):
    (part,) = Muon(thin.parameters()).parts
    assert isinstance(part, AdamW)


def test_everything_else_is_adamws():
    ours, theirs = network(), network()
    optimizer = Muon(ours.parameters(), lr=0.01, weight_decay=0.1)
    learn(ours, optimizer, steps=1)
    learn(theirs, AdamW(theirs.parameters(), lr=0.01, weight_decay=0.1), steps=1)
    for (name, a), b in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        assert torch.equal(a, b) == (name != "2.weight"), name


def test_a_groups_own_weight_decay_takes_precedence():
    net = network()
    groups = [
        {"params": [p for p in net.parameters() if p.ndim > 1]},
        {"params": [p for p in net.parameters() if p.ndim == 1], "weight_decay": 0.0},
    ]
    optimizer = Muon(groups, weight_decay=0.1)
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.1, 0.1, 0.0]
    assert [len(group["params"]) for group in optimizer.param_groups] == [1, 2, 3]


@pytest.mark.parametrize("schedule", [one_cycle, cosine, constant])
def test_a_schedule_reaches_both_parts(schedule):
    net = network()
    optimizer = Muon(net.parameters(), lr=0.01)
    scheduler = schedule(optimizer, 4)
    for _ in range(3):
        learn(net, optimizer, steps=1)
        scheduler.step()
    rates = {group["lr"] for part in optimizer.parts for group in part.param_groups}
    assert rates == set(scheduler.get_last_lr())


def test_it_goes_on_from_its_state_as_if_never_stopped():
    net = network()
    optimizer = Muon(net.parameters(), lr=0.01)
    learn(net, optimizer, steps=5)
    later = copy.deepcopy(net)
    resumed = Muon(later.parameters(), lr=0.5)
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    learn(net, optimizer, steps=3)
    learn(later, resumed, steps=3)
    for a, b in zip(net.parameters(), later.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_closure_is_called_once_with_gradients_and_its_loss_returned():
    net, calls = network(), []
    optimizer = Muon(net.parameters())

    def closure() -> torch.Tensor:
        calls.append(torch.is_grad_enabled())
        loss = net(torch.ones(4, 3)).square().mean()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() > 0
    assert calls == [True]
