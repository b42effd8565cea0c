"""The report's example workflows, run by the real server with the pocket model."""

import json

import pytest

from hosting import pack, workflow
from hosting.errors import HostError

REPORT = "ConceptAttentionReport"


def load(client, name, **inputs):
    """The example as a prompt, with other inputs for the report, and the report's id."""
    path = pack.ROOT / "example_workflows" / f"{name}.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    prompt = workflow.to_prompt(document, client.object_info())
    (key,) = (key for key, node in prompt.items() if node["class_type"] == REPORT)
    prompt[key]["inputs"] |= inputs
    return prompt, key


def run(client, name, **inputs):
    """The lines that the report showed on its node."""
    prompt, key = load(client, name, **inputs)
    outputs = client.run(prompt, None, lambda kind, data: None)["outputs"]
    return outputs[key]["text"][0].splitlines()


def verdicts(lines):
    return {line.split(":")[0]: line.split(": ")[1].split(",")[0] for line in lines if ": " in line}


def test_the_audit_passes_and_stops_for_what_is_there(client):
    lines = run(client, "Pocket - audit")
    assert lines[-1] == "PASSED"
    found = verdicts(lines)
    assert found["house"] == "present" and found["boat"] == "absent"
    with pytest.raises(HostError, match=r'stopped the workflow .*"tree" must be absent: it is pre'):
        run(client, "Pocket - audit", must_be_absent="boat, tree")


def test_the_prompt_report_tells_what_was_left_out(client):
    found = verdicts(run(client, "Pocket - prompt report"))
    assert found["mushroom"] == "known to be absent"
    assert found["grass"] == found["sky"] == found["rock"] == "present"
    assert found["house"] != "present"
