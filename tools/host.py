"""Set up ComfyUI and run something with it: `python3 tools/host.py --help`.

Needs Python 3.10 or later and nothing else; everything it installs goes into the cache folder.
"""

import sys

if sys.version_info < (3, 10):  # noqa: UP036 - run by whatever python3 the machine has
    sys.exit(
        f"Concept Attention needs Python 3.10 or later; this is {sys.version.split()[0]} "
        f"({sys.executable}). Name a newer one, for example: make demo PYTHON=python3.12"
    )

import argparse
import errno
import os
import signal
from pathlib import Path

import demo
from hosting import browser, cache, checks, child, environment, locales, locate, pack, snapshot
from hosting.errors import HostError
from hosting.server import Server

DEFAULT_PORT = 8188


def main() -> int:
    """Run the command named on the command line; errors that a person can mend are one line."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that children are ended too
    arguments = _parser().parse_args()
    try:
        return arguments.run(arguments)
    except HostError as error:
        print(f"error: {error}", file=sys.stderr)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        print("error: The disk is full: free some space and run it again.", file=sys.stderr)
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    return 1


def setup(_: argparse.Namespace) -> int:
    """Provision the host and say where it is."""
    host = locate.provide()
    print(f"ComfyUI: {host.folder}\nPython:  {host.python}")
    return 0


def make_demo(_: argparse.Namespace) -> int:
    """Make the demonstration pictures."""
    return demo.run(pack.ROOT / "output" / "demo")


def serve(arguments: argparse.Namespace) -> int:
    """Run the host until it is stopped."""
    host = locate.provide()
    with Server(host, cache.root() / "serve", port=arguments.port) as server:
        print(f"ComfyUI with Concept Attention: {server.client.url}", flush=True)
        print(f"Pictures: {server.output}\nLog: {server.log}\nCtrl-C ends it.", flush=True)
        try:
            return server.wait()
        except KeyboardInterrupt:  # the way to end it, not a failure
            print("\nStopped.")
            return 0


def check(arguments: argparse.Namespace) -> int:
    """Run the tests and linters of a tier."""
    return checks.run(arguments.tier)


def run(arguments: argparse.Namespace) -> int:
    """Run a script with the host's Python, with COMFYUI_DIR set."""
    host = locate.provide()
    variables = {**checks.base_variables(), "COMFYUI_DIR": str(host.folder)}
    if not host.owned:  # nothing is written into a user's ComfyUI, not even __pycache__
        variables["PYTHONDONTWRITEBYTECODE"] = "1"
    command = [str(host.python), arguments.script, *arguments.arguments]
    return child.run(command, env=variables)


def write_snapshot(_: argparse.Namespace) -> int:
    """Write what the host says about our nodes, for the tests, and their texts in English."""
    host = locate.provide()
    with cache.scratch("snapshot") as folder, Server(host, folder, cpu=True) as server:
        paths = [
            snapshot.write(server.client),
            locales.write_english(snapshot.read(server.client)),
        ]
    for path in paths:
        print(f"Written: {os.path.relpath(path)}")
    return 0


def browse(arguments: argparse.Namespace) -> int:
    """Run a script that looks at ComfyUI in a browser, with CHROMIUM and COMFYUI_DIR set."""
    python = environment.ensure(dev=True)
    variables = {
        **checks.base_variables(),
        "COMFYUI_DIR": str(locate.provide().folder),
        "CHROMIUM": str(browser.ensure()),
    }
    return child.run([str(python), arguments.script], cwd=pack.ROOT, env=variables)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Concept Attention: the ComfyUI host.")
    commands = parser.add_subparsers(required=True)

    def add(name: str, function) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=function.__doc__)
        command.set_defaults(run=function)
        return command

    add("setup", setup)
    add("demo", make_demo)
    add("serve", serve).add_argument("--port", type=int, default=DEFAULT_PORT)
    add("check", check).add_argument("tier", choices=sorted(checks.TIERS))
    add("snapshot", write_snapshot)
    add("browse", browse).add_argument("script")
    script = add("run", run)
    script.add_argument("script", type=Path)
    script.add_argument("arguments", nargs=argparse.REMAINDER)
    return parser


if __name__ == "__main__":
    sys.exit(main())
