"""ComfyUI as a child process on the loopback address, with this checkout as its only pack."""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
from pathlib import Path

from . import pack
from .client import Client
from .errors import HostError
from .locate import Host

LINK = "concept-attention"
START_TIMEOUT = 300.0


class Server:
    """A running ComfyUI; use it in a `with` block, so that it ends with the block.

    workspace: a folder of ours for the output, input, temp and user folders, the database, the
    log and the link to the checkout; nothing is written into the host's own folder.
    cpu: force the CPU, or None to use a GPU if the host's torch sees one.
    """

    def __init__(self, host: Host, workspace: Path, cpu: bool | None = None, port: int = 0):
        self.host, self.workspace = host, workspace.resolve()
        self.port = port or _free_port()
        self.cpu = cpu
        self.output = self.workspace / "output"
        self.log = self.workspace / "comfyui.log"
        self.client = Client(f"http://127.0.0.1:{self.port}")
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> "Server":
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def start(self) -> None:
        """Start the process and wait until it answers and has loaded the pack."""
        _require_free(self.port)  # else an older server would answer in place of ours
        for name in ("output", "input", "temp", "user"):
            (self.workspace / name).mkdir(parents=True, exist_ok=True)
        if self.cpu is None:
            self.cpu = not sees_gpu(self.host.python)
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self.command(),
                cwd=self.host.folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches us alone; we end the child ourselves
            )
        self._wait_until_ready()
        self._require_pack()

    def stop(self) -> None:
        """End the process that `start` began, and only that one."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def wait(self) -> int:
        """Wait until the server ends by itself; its exit status."""
        if self._process is None:
            raise HostError("ComfyUI is not running.")
        return self._process.wait()

    def command(self) -> list[str]:
        """The command line; other packs stay out, so that what runs here is this checkout alone."""
        name = self._link_pack()
        arguments = ["--listen", "127.0.0.1", "--port", str(self.port), "--disable-auto-launch"]
        arguments += ["--disable-api-nodes", "--disable-all-custom-nodes"]
        arguments += ["--whitelist-custom-nodes", name]
        for option in ("output", "input", "temp", "user"):
            arguments += [f"--{option}-directory", str(self.workspace / option)]
        arguments += ["--database-url", f"sqlite:///{self.workspace / 'comfyui.db'}"]
        if self.host.pack_inside is None:
            arguments += ["--extra-model-paths-config", str(self.workspace / "paths.yaml")]
        arguments += ["--cpu"] if self.cpu else []
        return [str(self.host.python), str(self.host.folder / "main.py"), *arguments]

    def log_tail(self, lines: int = 15) -> str:
        """The last lines that ComfyUI printed."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def _link_pack(self) -> str:
        """Make the folder of packs that the host scans; the name of our entry in it."""
        if self.host.pack_inside is not None:
            return self.host.pack_inside
        taken = (self.host.folder / "custom_nodes" / LINK).exists()
        name = f"{LINK}-checkout" if taken else LINK
        packs = self.workspace / "custom_nodes"
        if packs.exists():
            _remove_links(packs)
        packs.mkdir()
        try:
            (packs / name).symlink_to(pack.ROOT, target_is_directory=True)
        except OSError:  # Windows without the right to make links
            ignore = shutil.ignore_patterns(".*", "__pycache__", "node_modules", "output", "tests")
            shutil.copytree(pack.ROOT, packs / name, ignore=ignore)
        paths = {"concept_attention": {"custom_nodes": str(packs)}}
        (self.workspace / "paths.yaml").write_text(json.dumps(paths), encoding="utf-8")
        return name

    def _environment(self) -> dict[str, str]:
        ours = {
            "OMP_WAIT_POLICY": "PASSIVE",  # else waiting threads take the cores from working ones
            "PYTHONUNBUFFERED": "1",
            "HF_HUB_OFFLINE": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "DO_NOT_TRACK": "1",
        }
        if not self.host.owned:
            ours["PYTHONDONTWRITEBYTECODE"] = "1"
        return {**os.environ, **ours}

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            code = self._process.poll() if self._process else 0
            if code is not None:
                raise HostError(
                    f"ComfyUI ended while starting (exit status {code}). It printed last:\n"
                    + self.log_tail()
                )
            try:
                self.client.get("/system_stats")
                return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.2)
        raise HostError(
            f"ComfyUI did not answer within {START_TIMEOUT:.0f} s. It printed last:\n"
            + self.log_tail()
        )

    def _require_pack(self) -> None:
        if not self.client.pack_nodes():
            raise HostError(
                "ComfyUI runs, but could not load this pack. It printed:\n" + self.log_tail(40)
            )


def sees_gpu(python: Path) -> bool:
    """Whether torch in that Python can use an accelerator."""
    code = (
        "import sys, torch; xpu = getattr(torch, 'xpu', None);"
        "sys.exit(not (torch.cuda.is_available() or torch.backends.mps.is_available()"
        " or (xpu is not None and xpu.is_available())))"
    )
    done = subprocess.run([str(python), "-W", "ignore", "-c", code], capture_output=True)
    return done.returncode == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise HostError(
                f"Port {port} is in use: end what uses it, or name another one, for example "
                f"make serve PORT={port + 1}"
            ) from error


def _remove_links(folder: Path) -> None:
    """Remove a folder of links without following any of them."""
    for entry in folder.iterdir():
        if entry.is_symlink():
            entry.unlink()
    shutil.rmtree(folder)
