"""The host that the other tests in this folder run in."""

import comfy.model_management
import nodes


def test_host_runs_on_the_cpu_and_its_nodes_module_is_not_hidden_by_ours():
    assert comfy.model_management.get_torch_device().type == "cpu"
    assert hasattr(nodes, "KSampler")
