"""A Python that has loaded the libraries which take seconds to load. It forks a copy of itself for each program.

``python -m tests.support.fork_server FD`` reads requests from the socket FD until that is closed. A forked program has
a process, streams, signals and an exit code of its own. Only the cost of its imports is shared.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import signal
import socket
import sys
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from typing import Any, NoReturn

# The programs import these by themselves, or through a class that transformers loads on demand.
_SLOW_TO_LOAD = (
    "core.bench.measure",
    "core.evaluator.service",
    "core.proxies.study",
    "core.removal_path.study",
    "core.study.workbench",
    "datasets",
    "lm_eval.tasks",
    "store.results",
    "transformers.models.auto.modeling_auto",
    "transformers.models.auto.tokenization_auto",
    "transformers.models.llama.modeling_llama",
    "tui.cli",
)
LARGEST_REQUEST = 2**17


class _Replaced(BaseException):
    """Unwinds a program that another one replaces, as ``os.execv`` would."""

    def __init__(self, arguments: list[str]) -> None:
        super().__init__(arguments)
        self.arguments = arguments


def _serve(channel: socket.socket) -> None:
    """Fork for each request until the channel is closed; then end the programs that still run."""
    running: dict[int, tuple[ForkProcess, int]] = {}
    while True:
        for ready in wait([channel, *running]):
            if isinstance(ready, int):
                process, report = running.pop(ready)
                process.join()
                os.write(report, f"{process.exitcode}\n".encode())
                os.close(report)
                continue
            text, descriptors, _, _ = socket.recv_fds(channel, LARGEST_REQUEST, 4)
            if not text:
                for process, _ in running.values():
                    process.kill()
                    process.join()
                return
            *streams, report = descriptors
            process = ForkProcess(target=_program, args=(json.loads(text), streams))
            process.start()
            for descriptor in streams:
                os.close(descriptor)
            running[process.sentinel] = process, report
            os.write(report, f"{process.pid}\n".encode())


def _program(request: dict[str, Any], streams: list[int]) -> None:
    """Run the requested program, with streams, folder, environment and signals of its own."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdin = os.fdopen(0, closefd=False)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    vars(os)["execv"] = _replace
    following: list[str] | None = request["arguments"]
    while following is not None:
        arguments, following = following, None
        try:
            _run(arguments)
        except _Replaced as other:
            following = other.arguments


def _replace(path: str, arguments: list[str]) -> NoReturn:
    assert path == sys.executable
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    raise _Replaced(arguments[1:])


def _run(arguments: list[str]) -> None:
    """Run the module or code that these arguments of Python name."""
    match arguments:
        case ["-P", *others]:
            _run(others)
        case ["-m", module, *others]:
            sys.argv = ["", *others]
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        case ["-c", code, *others]:
            sys.argv = ["-c", *others]
            exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})
        case _:
            raise ValueError(f"no way to run {arguments}")


def main() -> None:
    for name in _SLOW_TO_LOAD:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # The collector would touch, and so copy, the memory that the forks share.
    _serve(socket.socket(fileno=int(sys.argv[1])))
    gc.unfreeze()


if __name__ == "__main__":
    main()
