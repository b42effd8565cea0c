"""ComfyUI in this process, on the CPU, with the pack loaded through its real entry point.

For tests through HTTP and a browser there is also a real server, in a process of its own.
"""

import atexit
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hosting import locate, pack
from hosting.client import Client
from hosting.server import Server

from .editor import keep, set_drawing

signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that fixtures end their server
sys.dont_write_bytecode = True  # nothing is written into a user's ComfyUI, not even __pycache__

_folder = os.environ.get("COMFYUI_DIR", "")
if not (Path(_folder) / "main.py").is_file():
    pytest.exit(
        f"tests/host needs ComfyUI: COMFYUI_DIR is {_folder!r}, which holds none. "
        "Run `make test`, or set COMFYUI_DIR to a ComfyUI folder.",
        returncode=2,
    )
COMFYUI = Path(_folder).resolve()
sys.path.insert(0, str(COMFYUI))

from comfy.cli_args import args

args.cpu = True  # before anything of comfy looks for a device

import folder_paths

_own = Path(tempfile.mkdtemp(prefix="concept-attention-tests-"))
atexit.register(shutil.rmtree, _own, ignore_errors=True)
for _name in ("output", "input", "temp", "user"):
    (_own / _name).mkdir()
    getattr(folder_paths, f"set_{_name}_directory")(str(_own / _name))

pack.run_entry_point()


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> Iterator[Server]:
    """The real server with this checkout as its only pack; it ends with the session."""
    inside = locate.name_inside(COMFYUI, pack.ROOT)
    python = Path(os.environ.get("COMFYUI_PYTHON") or sys.executable)
    host = locate.Host(COMFYUI, python, owned=False, pack_inside=inside)
    with Server(host, tmp_path_factory.mktemp("server"), cpu=True) as running:
        yield running


@pytest.fixture(scope="session")
def client(server: Server) -> Client:
    """HTTP access to the real server."""
    return server.client


@pytest.fixture(scope="session")
def browser() -> Iterator:
    """A real browser without a window; `make test` sets CHROMIUM to its executable."""
    from playwright.sync_api import sync_playwright

    executable = os.environ.get("CHROMIUM", "")
    if not executable:
        pytest.fail("CHROMIUM is not set: run `make test`, or set it to a Chromium executable.")
    with sync_playwright() as playwright:
        # Root, as in a container, has no sandbox; the pages are our own server's.
        chromium = playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox", "--disable-gpu"]
        )
        yield chromium
        chromium.close()


# The editor opens a first workflow by itself; what is loaded before that is replaced by it.
EDITOR_IS_UP = """() => window.app?.isGraphReady && !window.app.extensionManager.spinner
    && window.app.extensionManager.workflow.activeWorkflow"""


@pytest.fixture
def page(browser, client: Client) -> Iterator:
    """The editor, loaded; `page.problems` lists the errors that its console showed."""
    context = browser.new_context(viewport={"width": 1600, "height": 1000})
    opened = context.new_page()
    opened.set_default_timeout(60_000)  # a busy machine takes its time
    opened.problems = []
    opened.on("pageerror", lambda error: opened.problems.append(str(error)))
    opened.on("console", lambda message: _keep_error(opened.problems, message))
    opened.goto(client.url)
    opened.wait_for_function(EDITOR_IS_UP)
    yield opened
    context.close()


@pytest.fixture(params=[False, True], ids=["LiteGraph", "Nodes 2.0"])
def editor(request, page) -> Iterator:
    """The editor with one way of drawing nodes; `said` lists its warnings and errors from here."""
    page.said = []
    page.on("console", lambda message: keep(page.said, message))
    set_drawing(page, request.param)
    yield page
    set_drawing(page, False)


def _keep_error(problems: list[str], message) -> None:
    if message.type == "error":
        problems.append(f"{message.text} ({message.location.get('url', '')})")
