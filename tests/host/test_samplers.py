"""Evaluations belong to their step, and steps not asked for cost nothing."""

import comfy.model_sampling
import comfy.samplers
import pytest
import torch
from comfy.extra_samplers import uni_pc
from comfy.k_diffusion import sampling

from concept_attention.core.families import flux
from concept_attention.core.steps import StepTracker

from .models import (
    DISTINCT,
    STEPS,
    capture_of,
    concepts,
    counting,
    custom,
    error,
    latent,
    model,
    node,
    observed,
    prompt,
    sigmas,
)

ROUNDING = 1e-5  # of the largest magnitude: the same sums in another order
# These choose noise levels of their own: there is no loop over the schedule to compare with.
OFF_SCHEDULE = ("dpm_fast", "dpm_adaptive")
SAMPLERS = [name for name in comfy.samplers.SAMPLER_NAMES if name not in OFF_SCHEDULE]


class _Flow(comfy.model_sampling.ModelSamplingDiscreteFlow, comfy.model_sampling.CONST):
    """The noise schedule of the families."""


class _Denoiser:
    """What samplers of the host call, without a model: notes every evaluation's true step."""

    def __init__(self) -> None:
        self.flow = _Flow(None)
        self.flow.set_parameters(shift=3.0)
        self.inner_model = self
        self.model_sampling = self.flow
        self.model_patcher = self
        self.events = []
        self.step = 0

    def get_model_object(self, name):
        return self.flow

    def trange(self, count, disable=None):
        for self.step in range(count):
            yield self.step

    def report(self, values):
        self.events.append(("report", values["i"], 0.0))

    def __call__(self, x, sigma, model_options=None, **kwargs):
        self.events.append(("evaluation", self.step, float(sigma.flatten()[0])))
        for function in (model_options or {}).get("sampler_post_cfg_function", []):
            function({"denoised": x * 0.5, "uncond_denoised": x * 0.4, "model": self})
        return x * 0.5


def _play(events, levels):
    """(true step, assigned step, candidates) of every evaluation."""
    tracker, found = StepTracker(levels), []
    pending = None

    def settle(step):
        nonlocal pending
        found.append((pending[0], step, pending[2]))
        pending = None

    for kind, step, sigma in events:
        if kind == "evaluation":
            assigned = tracker.evaluation(pending[1] if pending else None)
            if assigned is not None:
                settle(assigned)
            pending = (step, sigma, tracker.candidates(sigma))
        else:
            assigned = tracker.report(step, pending[1] if pending else levels[step])
            if pending:
                settle(assigned)
    if pending:
        settle(tracker.last(pending[1]))
    return found


# The host's own warnings: rounded ends of a Brownian path, tensors made from tensors.
host_warns = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")


@host_warns
@pytest.mark.parametrize("steps", [4, 7])
@pytest.mark.parametrize("name", SAMPLERS)
def test_every_evaluation_of_every_sampler_is_given_to_its_step(name, steps, monkeypatch):
    denoiser = _Denoiser()
    for module in (sampling, uni_pc):
        monkeypatch.setattr(module, "trange", denoiser.trange)
    levels = comfy.samplers.calculate_sigmas(denoiser.flow, "simple", steps)
    sampler = comfy.samplers.sampler_object(name)
    sampler.sampler_function(
        denoiser,
        torch.ones(1, 4, 4, 4),
        levels,
        extra_args={"seed": 1, "model_options": {}},
        callback=denoiser.report,
        disable=True,
        **sampler.extra_options,
    )
    found = _play(denoiser.events, levels.tolist())
    assert len(found) >= steps
    for true, assigned, candidates in found:
        assert assigned == true
        assert true in candidates
    # Until the second report it is open whether the sampler evaluates once a step or more often.
    if len(found) == steps:
        assert sum(len(candidates) > 1 for _, _, candidates in found) == 1


@host_warns
@pytest.mark.parametrize("name", OFF_SCHEDULE)
def test_samplers_off_the_schedule_are_captured(name):
    capture = capture_of("dev", sampler_name=name, steps=4)
    assert capture.steps[0] == 0
    assert torch.isfinite(capture.scores).all()


@pytest.mark.parametrize("family", DISTINCT)
@pytest.mark.parametrize(
    ("sampler", "steps", "evaluations"),
    [
        ("heun", 3, [0, 0, 1, 1, 2]),
        ("dpmpp_2s_ancestral", 3, [0, 0, 1, 1, 2]),
        ("seeds_3", 3, [0, 0, 0, 1, 1, 1, 2]),
        ("euler", 3, [0, 1, 2]),
    ],
)
def test_scores_of_a_step_are_the_mean_of_its_evaluations(family, sampler, steps, evaluations):
    capture, vectors = observed(family, sampler_name=sampler, steps=steps)
    layers = len(capture.layers)
    assert len(vectors) == layers * len(evaluations)
    products = torch.stack([c.double() @ x.double().mT for _, c, x in vectors])
    products = products.unflatten(0, (-1, layers))
    for step in range(steps):
        own = [i for i, owner in enumerate(evaluations) if owner == step]
        expected = products[own].mean(0).transpose(0, 1)
        assert error(capture.scores[:, step], expected) < ROUNDING


@pytest.fixture
def streams(monkeypatch):
    """A list that gets an entry for every concept stream started."""
    started = []
    original = flux.FluxStream.__init__

    def start(self, *args):
        started.append(1)
        original(self, *args)

    monkeypatch.setattr(flux.FluxStream, "__init__", start)
    return started


@pytest.mark.parametrize(
    ("sampler", "asked", "captured", "started"),
    [
        ("euler", "0-1", (0, 1), 2),
        ("euler", "60%-100%", (4, 5), 2),
        ("euler", "3", (3,), 1),
        ("heun", "0-1", (0, 1), 4),
        ("uni_pc", "4:", (4, 5), 2),
    ],
)
def test_steps_not_asked_for_run_no_concept_stream(sampler, asked, captured, started, streams):
    capture = capture_of("dev", sampler_name=sampler, steps=6, capture_steps=asked)
    assert capture.steps == captured
    assert capture.total_steps == 6
    assert len(streams) == started


def test_steps_keep_their_scores_when_fewer_are_asked_for():
    every = capture_of("dev", sampler_name="heun", steps=4)
    some = capture_of("dev", sampler_name="heun", steps=4, capture_steps="1,3")
    assert torch.equal(some.scores, every.scores[:, [1, 3]])
    assert some.sigmas == (every.sigmas[1], every.sigmas[3])


def test_blocks_behind_the_last_layer_asked_for_run_no_concept_stream(monkeypatch):
    projected = []
    original = flux.FluxStream.project

    def project(self, layer, given, rows):
        projected.append(layer)
        return original(self, layer, given, rows)

    monkeypatch.setattr(flux.FluxStream, "project", project)
    capture = capture_of("dev", capture_layers="1")
    assert projected == [0, 1] * STEPS
    assert torch.equal(capture.scores, capture_of("dev").scores[:, :, 1:2])


@pytest.mark.parametrize("family", DISTINCT)
def test_the_second_half_of_a_split_schedule_counts_its_own_steps(family):
    patcher = model(family)
    guider = node("BasicGuider", model=patcher, conditioning=prompt(family))
    levels = sigmas(patcher, 4)
    whole, every = custom(guider, latent(family), levels, concepts=concepts(family))
    high, low = levels[:3], levels[2:]
    half, _ = custom(guider, latent(family), high)
    quiet = node("DisableNoise")
    out, capture = custom(guider, {"samples": half}, low, noise=quiet, concepts=concepts(family))
    assert (capture.steps, capture.total_steps) == ((0, 1), 2)
    assert capture.sigmas == every.sigmas[2:]
    assert error(out, whole) < ROUNDING
    assert error(capture.scores, every.scores[:, 2:]) < ROUNDING


def test_denoise_zero_leaves_nothing_to_capture():
    counted, calls = counting(model("dev"))
    with pytest.raises(ValueError, match="no step was sampled"):
        capture_of("dev", counted, denoise=0.0)
    assert calls == []
