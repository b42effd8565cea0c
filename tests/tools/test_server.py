"""Starting and ending the host's process, with a stand-in that answers like ComfyUI."""

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from hosting import locate, pack
from hosting.errors import HostError
from hosting.server import Server

# Serves what the start-up looks at; the marks in `options` say what to do otherwise.
STAND_IN = """
import http.server, json, sys
options = json.loads(open("options.json").read())
if "crash" in options:
    sys.exit("ModuleNotFoundError: No module named 'torch'")
port = int(sys.argv[sys.argv.index("--port") + 1])
nodes = {} if "no pack" in options else {"ConceptAttentionEncode": {"input": {}}, "KSampler": {}}

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(nodes if self.path == "/object_info" else {}).encode())

    def log_message(self, *_):
        pass

print("stand-in on", port, flush=True)
http.server.HTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""


@pytest.fixture
def host(tmp_path):
    folder = tmp_path / "ComfyUI"
    (folder / "custom_nodes").mkdir(parents=True)
    (folder / "main.py").write_text(STAND_IN)
    (folder / "options.json").write_text("[]")
    return locate.Host(folder, Path(sys.executable), owned=False)


def option(command, name):
    return command[command.index(name) + 1]


def test_the_host_answers_and_is_ended_with_the_block(host, tmp_path):
    with Server(host, tmp_path / "work", cpu=True) as server:
        assert list(server.client.pack_nodes()) == ["ConceptAttentionEncode"]
        process = server._process
    assert process.returncode == -signal.SIGTERM


def test_everything_that_the_host_writes_goes_into_the_workspace(host, tmp_path):
    server = Server(host, tmp_path / "work", cpu=True)
    (tmp_path / "work").mkdir()
    command = server.command()
    work = str(tmp_path / "work")
    for name in ("output", "input", "temp", "user"):
        assert option(command, f"--{name}-directory") == os.path.join(work, name)  # noqa: PTH118
    assert option(command, "--database-url") == f"sqlite:///{work}/comfyui.db"
    assert option(command, "--listen") == "127.0.0.1"
    assert "--cpu" in command
    assert server._environment()["PYTHONDONTWRITEBYTECODE"] == "1"


def test_the_pack_is_given_by_an_extra_paths_file_and_other_packs_stay_out(host, tmp_path):
    server = Server(host, tmp_path, cpu=True)
    for _ in range(2):  # a second start with the same workspace links anew
        command = server.command()
    paths = json.loads(Path(option(command, "--extra-model-paths-config")).read_text())
    (entry,) = Path(paths["concept_attention"]["custom_nodes"]).iterdir()
    assert (entry.name, entry.resolve()) == ("concept-attention", pack.ROOT)
    assert option(command, "--whitelist-custom-nodes") == "concept-attention"
    assert "--disable-all-custom-nodes" in command


def test_an_installed_copy_of_the_pack_does_not_load_beside_the_checkout(host, tmp_path):
    (host.folder / "custom_nodes" / "concept-attention").mkdir()
    command = Server(host, tmp_path, cpu=True).command()
    assert option(command, "--whitelist-custom-nodes") == "concept-attention-checkout"


def test_a_checkout_inside_the_host_is_not_linked_a_second_time(host, tmp_path):
    inside = locate.Host(host.folder, host.python, owned=False, pack_inside="my-copy")
    command = Server(inside, tmp_path, cpu=True).command()
    assert option(command, "--whitelist-custom-nodes") == "my-copy"
    assert "--extra-model-paths-config" not in command


@pytest.mark.parametrize(
    ("mark", "message"),
    [
        ("crash", r"ended while starting \(exit status 1\).*\n.*No module named 'torch'"),
        ("no pack", r"could not load this pack(.|\n)*stand-in on"),
    ],
)
def test_a_failed_start_is_an_error_with_the_end_of_the_log(host, tmp_path, mark, message):
    (host.folder / "options.json").write_text(json.dumps([mark]))
    server = Server(host, tmp_path / "work", cpu=True)
    with pytest.raises(HostError, match=message), server:
        pass
    assert server._process is None


def test_a_port_in_use_is_an_error_and_the_server_there_is_not_taken_for_ours(host, tmp_path):
    with Server(host, tmp_path / "first", cpu=True) as first:
        second = Server(host, tmp_path / "second", cpu=True, port=first.port)
        with pytest.raises(HostError, match=rf"Port {first.port} is in use.*PORT={first.port + 1}"):
            second.start()
        assert second._process is None
