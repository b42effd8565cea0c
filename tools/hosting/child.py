"""Commands that start processes of their own, and must get the chance to end them."""

import subprocess


def run(command: list[str], **options) -> int:
    """Run a command and wait; its exit status.

    If we are stopped meanwhile, the command is asked to end and waited for: `subprocess.run` would
    kill it at once, and a ComfyUI that it started would stay behind.
    """
    with subprocess.Popen(command, **options) as process:
        try:
            return process.wait()
        except BaseException:
            process.terminate()
            process.wait(30)
            raise
