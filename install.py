"""Create .venv and install the versions that constraints.txt pins.

This script needs only the standard library. It parses on old Pythons, so that it can refuse them.

`make` runs it. `TORCH_INDEX=<url of PyTorch's CPU wheels> make install` avoids the large CUDA build of torch on a
machine without a GPU.
"""

import os
import re
import shutil
import subprocess
import sys
import time

OLDEST = (3, 11)
NEEDED_GB = 3
HERE = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(HERE, ".venv")
LOG = os.path.join(VENV, "install.log")
STAMP = os.path.join(VENV, ".installed")

# Patterns in pip's output, and what to tell the user. The first match applies.
FAILURES = (
    (r"No space left on device|Errno 28", "the disk is full: make about {gb} GB of room and run again"),
    (
        r"Connection refused|Name or service not known|Temporary failure in name resolution|Failed to establish"
        r"|NewConnectionError|ConnectTimeout|Read timed out|ProxyError|Network is unreachable|SSLError",
        "the package index cannot be reached: check the network (pip config list shows the index) and run again",
    ),
    (
        r"No matching distribution found for (\S+)|Could not find a version that satisfies the requirement (\S+)",
        "the package index has no {match} for this Python: try another PYTHON=, or another index",
    ),
)


class Stop(Exception):
    """The install cannot go on. The message is the sentence to show."""


def check_python(version):
    """Refuse a Python that is too old."""
    if version[:2] < OLDEST:
        raise Stop(
            "Python %d.%d is too old, 3.11 or newer is needed: make PYTHON=/path/to/python3.11" % tuple(version[:2])
        )


def check_room(folder, free):
    """Refuse to start on a disk that is nearly full."""
    if free < NEEDED_GB * 10**9:
        raise Stop("%s has %.1f GB free and about %d GB are needed: make room" % (folder, free / 1e9, NEEDED_GB))


def explain(log):
    """Return one sentence for a failed pip run, from its output."""
    for pattern, sentence in FAILURES:
        found = re.search(pattern, log)
        if found:
            name = next((group for group in found.groups() if group), "") if found.groups() else ""
            return sentence.format(gb=NEEDED_GB, match=name)
    lines = [line for line in log.splitlines() if line.strip()]
    return "pip failed (%s); its full output is in %s" % (lines[-1].strip() if lines else "silently", LOG)


def torch_choices(pin, cuda_version, nvidia):
    """Return the torch requirements to try in turn; none if a working CUDA build is kept."""
    if cuda_version:
        return []
    if nvidia or not sys.platform.startswith("linux"):
        return ["torch==" + pin]
    return ["torch==%s+cpu" % pin, "torch==" + pin]


def constraints_for(text, cuda_version):
    """Return the constraints, with a kept CUDA torch in place of the pinned one."""
    if not cuda_version:
        return text
    kept = [line for line in text.splitlines() if not re.match(r"(torch|triton|nvidia-\S+)==", line)]
    return "\n".join(kept) + "\ntorch==%s\n" % cuda_version


def working_cuda_torch(python):
    """Return the version of this Python's torch if it sees a GPU, else None."""
    ask = "import torch; print(torch.__version__ if torch.cuda.is_available() else '')"
    try:
        asked = subprocess.run([python, "-c", ask], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    except OSError:
        return None
    return asked.stdout.decode().strip() or None if asked.returncode == 0 else None


def say(text):
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def step(number, text, estimate):
    say("%d/3 %s (about %s)" % (number, text, estimate))


def pip(arguments):
    """Run the venv's pip quietly and append its output to the log.

    Return None, or the output if pip failed.
    """
    command = [venv_python(), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--retries", "2"]
    done = subprocess.run(command + arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    printed = done.stdout.decode("utf-8", "replace")
    with open(LOG, "a") as log:
        log.write(printed)
    return None if done.returncode == 0 else printed


def venv_python():
    return os.path.join(VENV, "bin", "python")


def make_venv(system_site):
    options = ["--system-site-packages"] if system_site else []
    made = subprocess.run(
        [sys.executable, "-m", "venv", VENV] + options, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if made.returncode != 0:
        printed = made.stdout.decode("utf-8", "replace")
        if "ensurepip" in printed:
            raise Stop("this Python cannot make a virtual environment: install its venv module (python3-venv) first")
        raise Stop(explain(printed))


def install_torch(constraints_text, cuda_version):
    pin = re.search(r"^torch==(\S+)$", constraints_text, re.M).group(1)
    nvidia = shutil.which("nvidia-smi") is not None
    index = ["--index-url", os.environ["TORCH_INDEX"]] if os.environ.get("TORCH_INDEX") else []
    failed = None
    for choice in torch_choices(pin, cuda_version, nvidia):
        if failed and choice == "torch==" + pin:
            say("    no CPU build on this index: taking the default, perhaps several GB (TORCH_INDEX=... avoids it)")
        failed = pip([choice] + index)
        if failed is None:
            return
    if failed is not None:
        raise Stop(explain(failed))


def install():
    check_python(sys.version_info)
    check_room(HERE, shutil.disk_usage(HERE).free)
    start = time.time()
    kept_in_venv = working_cuda_torch(venv_python()) if os.path.exists(venv_python()) else None
    kept_outside = None if kept_in_venv else working_cuda_torch(sys.executable)
    cuda_version = kept_in_venv or kept_outside
    if cuda_version:
        say("keeping torch %s, which works with this machine's GPU" % cuda_version)
    step(1, "making .venv", "5 s")
    if os.path.exists(STAMP):
        os.remove(STAMP)
    make_venv(system_site=bool(kept_outside))
    with open(os.path.join(HERE, "constraints.txt")) as file:
        pinned = file.read()
    step(2, "installing torch", "1 min, or longer on a slow line")
    install_torch(pinned, cuda_version)
    constraints = os.path.join(VENV, "constraints.txt")
    with open(constraints, "w") as file:
        file.write(constraints_for(pinned, cuda_version))
    step(3, "installing everything else", "2 min")
    failed = pip(["--constraint", constraints, "--editable", HERE + "[dev]"])
    if failed is not None:
        raise Stop(explain(failed))
    with open(STAMP, "w") as file:
        file.write("ok\n")
    say("installed in %.0f s" % (time.time() - start))


def main():
    try:
        install()
    except Stop as stop:
        say("install: %s" % stop)
        return 2
    except OSError as error:
        say("install: %s" % explain(str(error)))
        return 2
    except KeyboardInterrupt:
        say("install: stopped; run the same command again to go on")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
