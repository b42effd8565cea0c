"""Concept Report inside the host: outputs, text on the node, and how it stops a workflow."""

import json

import pytest
import torch

from concept_attention.core.decode import normalized, only
from concept_attention.core.errors import ConceptAttentionError
from concept_attention.core.report import THRESHOLD
from concept_attention.core.types import Heatmaps
from concept_attention.nodes.report import ConceptReport

from .executor import Host, Keep, node


def heatmaps(items=1, frames=1):
    """A house at the left of 20 x 30, a boat nowhere."""
    values = torch.zeros(2, items, frames, 20, 30)
    values[0, ..., 5:15, :12] = 0.9
    values[1, ..., 5:15, :12] = 0.05
    background = 1 - values.sum(0)
    return Heatmaps(values, ("house", "boat"), ((0.0, 1.0),), background)


def test_the_outputs_agree_and_the_node_shows_the_text():
    result = ConceptReport.execute(heatmaps(), must_be_absent="boat", must_be_present="house")
    text, plain, chart, passed = result.result
    assert passed is True
    assert text.splitlines()[0] == (
        "house: present, score 0.90, 20 % of the picture, middle left, box 12 x 10 at (0, 5)"
    )
    assert text.splitlines()[-1] == "PASSED"
    (shown,) = result.ui.as_dict()["text"]
    assert shown == text
    read = json.loads(plain)
    assert read["passed"] is True and read["threshold"] == THRESHOLD
    assert read["items"][0]["concepts"][0]["box"] == [0, 5, 12, 10]
    assert chart.shape[0] == 1 and chart.shape[-1] == 3 and chart.dtype == torch.float32


def test_report_only_says_that_it_did_not_pass_and_goes_on():
    text, plain, _, passed = ConceptReport.execute(heatmaps(), must_be_absent="house").result
    assert passed is False and json.loads(plain)["passed"] is False
    assert text.splitlines()[-1] == "FAILED"


def test_stop_names_concept_score_and_threshold():
    message = (
        r'Concept Report stopped the workflow \(on_failure\)\. FAILED: "house" must be absent: it '
        r"is present, score 0\.90, threshold 0\.40$"
    )
    with pytest.raises(ConceptAttentionError, match=message):
        ConceptReport.execute(heatmaps(), must_be_absent="house", on_failure="stop the workflow")
    passed = ConceptReport.execute(
        heatmaps(), must_be_absent="boat", on_failure="stop the workflow"
    ).result[3]
    assert passed is True


def test_a_stretch_in_decode_changes_no_verdict():
    plain = ConceptReport.execute(heatmaps(), must_be_absent="boat").result
    stretched = ConceptReport.execute(
        normalized(heatmaps(), "per concept"), must_be_absent="boat"
    ).result
    assert plain[0] == stretched[0] and plain[3] is stretched[3] is True


def test_a_batch_has_a_chart_each_and_a_video_one():
    pictures = torch.rand(4, 40, 60, 3)
    batch = ConceptReport.execute(heatmaps(items=4), image=pictures).result
    assert batch[2].shape[0] == 4 and len(json.loads(batch[1])["items"]) == 4
    assert "picture 4\n" in batch[0]
    video = ConceptReport.execute(heatmaps(frames=4), image=pictures).result
    read = json.loads(video[1])
    assert video[2].shape[0] == 1 and read["frames"] == 4
    assert len(read["items"][0]["concepts"][0]["frames"]) == 4
    with pytest.raises(ConceptAttentionError, match="image: a batch of 4 pictures does not fit"):
        ConceptReport.execute(heatmaps(items=3), image=pictures)


def test_what_is_wrong_with_a_list_is_said_before_anything_runs():
    assert ConceptReport.validate_inputs("", "house, boat", "") is True
    assert ConceptReport.validate_inputs(None, None, None) is True
    assert ConceptReport.validate_inputs("", "house,,boat", "").startswith("must_be_present:")
    twice = "must_be_absent: 'boat' is also in must_be_present"
    assert ConceptReport.validate_inputs("", "house, boat", "boat").startswith(twice)
    assert '"House" is there twice' in ConceptReport.validate_inputs("", "", "house, House")


def test_a_concept_that_decode_left_out_is_an_error():
    with pytest.raises(ConceptAttentionError, match=r"must_be_absent: 'boat' .* They have: house"):
        ConceptReport.execute(only(heatmaps(), ["house"]), must_be_absent="boat")


class Maps:
    """Heatmaps of another node."""

    CATEGORY, FUNCTION = "another pack", "make"
    RETURN_TYPES = ("CONCEPT_ATTENTION_HEATMAPS",)

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802, the host's name
        return {"required": {}}

    def make(self):
        return (heatmaps(),)


def run(monkeypatch, **inputs):
    """A workflow of maps, report and what keeps its outputs, through the host's executor."""
    import nodes as host_nodes

    monkeypatch.setitem(host_nodes.NODE_CLASS_MAPPINGS, "Maps", Maps)
    defaults = {
        "threshold": 0.4,
        "must_be_present": "",
        "must_be_absent": "",
        "on_failure": "stop the workflow",
        "null_concepts": "",
    }
    asked = {**defaults, **inputs}
    prompt = {
        "maps": node("Maps"),
        "report": node("ConceptAttentionReport", heatmaps=("maps", 0), **asked),
        "keep": node("Keep", value=("report", 3), name="passed"),
    }
    return Host().run(prompt)


def test_a_workflow_ends_with_the_message_and_nothing_behind_it_runs(monkeypatch):
    assert run(monkeypatch, must_be_absent="boat") == {"passed": True}
    with pytest.raises(ValueError, match=r'report: .*"house" must be absent: it is present, score'):
        run(monkeypatch, must_be_absent="house")
    assert Keep.kept == {}
    assert run(monkeypatch, must_be_absent="house", on_failure="report only") == {"passed": False}
    with pytest.raises(ValueError, match="must_be_absent"):
        run(monkeypatch, must_be_absent="house,,boat")
