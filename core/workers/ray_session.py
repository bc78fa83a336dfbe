"""Connect this process to Ray: to one of its own on this machine, which nobody else can reach, or to a cluster.

Ray reads its settings from the environment when it is loaded, so they are set before.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import psutil

from core.errors import CornerstoneError
from core.machine.runtime_folder import runtime_folder
from core.workers.ray_address import is_on_loopback
from core.workers.ray_token import refuse_no_token

_OBJECTS_BYTES: Final = 128 * 2**20
"""Ray's memory for answers; a chunk's outcomes take a few MB at most."""

_QUIET: Final[Mapping[str, str]] = MappingProxyType(
    {
        "RAY_AUTH_MODE": "token",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
        "RAY_DEDUP_LOGS": "0",
        # A busy machine starts programs slowly.
        "RAY_raylet_start_wait_time_s": "60",
        "RAY_agent_register_timeout_ms": "300000",
        "RAY_worker_register_timeout_seconds": "300",
    }
)
_LOCAL: Final[Mapping[str, str]] = MappingProxyType({"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"})
"""Without support for clusters, Ray binds every port to the loopback interface alone, on any system."""


_LOOK_S: Final = 0.1
_LEAVE_S: Final = 20.0
_TRIES: Final = 3

Check = Callable[[], None]
"""Called while something is waited for; what it raises ends the waiting."""


@contextmanager
def local_ray(cpus: int, gpus: int, check: Check) -> Iterator[None]:
    """Run a Ray of this process alone, and end it with the block. It ends by itself where this process is killed.

    It listens on the loopback interface alone, and asks for a token that only this process and its workers know.

    Args:
        cpus: how many workers it has room for.
        gpus: how many GPUs it gives out.
        check: called while it starts; what it raises ends that.

    Raises:
        CornerstoneError: it cannot be started.
    """
    token = {"RAY_AUTH_TOKEN": secrets.token_hex(32)}
    with (
        _own_folder() as folder,
        _environment({**_QUIET, **_LOCAL, **token}, without=("RAY_AUTH_TOKEN_PATH",)),
        _connected(
            check,
            "Ray cannot be started on this machine",
            loopback=True,
            address="local",
            num_cpus=cpus,
            num_gpus=gpus,
            include_dashboard=False,
            object_store_memory=_OBJECTS_BYTES,
            _temp_dir=str(folder),
            _node_ip_address="127.0.0.1",
        ),
    ):
        yield


@contextmanager
def cluster_ray(address: str, check: Check) -> Iterator[None]:
    """Join a cluster that runs already, and leave it with the block. ``check`` is called while it is joined.

    Raises:
        CornerstoneError: there is no token that only this user can read, nobody answers at the address, or the cluster
            cannot be joined.
    """
    refuse_no_token()
    fault = f"the Ray cluster at {address} cannot be joined"
    with _environment(_QUIET):
        own = _LOCAL if is_on_loopback(address) else {}
        with _environment(own), _connected(check, fault, loopback=bool(own), address=address):
            yield


@contextmanager
def _connected(check: Check, fault: str, *, loopback: bool, **how: Any) -> Iterator[None]:
    """Connect to Ray, without a word on the terminal; ``loopback`` if it has the loopback interface alone."""
    owner = _Owner(how, loopback=loopback)
    owner.start()
    try:
        while not owner.settled.wait(_LOOK_S):
            check()
        if owner.error is not None:
            raise CornerstoneError(f"{fault}: {_first_line(owner.error)}") from owner.error
        _take_signals_back()
        yield
    finally:
        owner.leave()


class _Owner(threading.Thread):
    """The thread that connects to Ray, and leaves it.

    A thread of its own, as connecting waits for long in code that no signal interrupts, and replaces the handlers of
    signals in the main thread. The thread stays, because what it has started ends with it.
    """

    def __init__(self, how: Mapping[str, Any], *, loopback: bool) -> None:
        super().__init__(name="ray", daemon=True)
        self._how = how
        self._loopback = loopback
        self._over = threading.Event()
        self.settled = threading.Event()
        """Set once Ray is there, or there is an error."""
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            import ray

            _prepare(loopback=self._loopback)
            self._connect(ray, _TRIES if self._how["address"] == "local" else 1)
        except Exception as error:  # noqa: BLE001 it raises plain ones too; the caller tells it
            self.error = error
        self.settled.set()
        self._over.wait()
        if "ray" in sys.modules:
            sys.modules["ray"].shutdown()

    def _connect(self, ray: Any, tries: int) -> None:
        """Connect; try again where Ray's own programs did not start in the seconds that they give each other."""
        while not self._over.is_set():
            try:
                ray.init(log_to_driver=False, logging_level=logging.CRITICAL, **self._how)
            except Exception:
                ray.shutdown()
                tries -= 1
                if not tries:
                    raise
            else:
                return

    def leave(self) -> None:
        """Leave Ray; where that takes long, it ends with this process."""
        self._over.set()
        self.join(_LEAVE_S)


def _take_signals_back() -> None:
    """Have this program's own handlers called again for signals to end.

    Ray puts one before them that ends the program by force three seconds later. Only the main thread may set handlers.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        if (handler := signal.getsignal(number)) is not None:
            signal.signal(number, handler)


def _prepare(*, loopback: bool) -> None:
    """Settle what Ray has no public settings for, or reads only once in a process."""
    from ray._private import ray_constants, worker

    inner: Any = import_module("ray._raylet")
    logging.getLogger("ray").setLevel(logging.CRITICAL)
    worker._worker_logs_enabled = False  # what it has to say of lost workers is said by the crew
    ray_constants.ENABLE_RAY_CLUSTER = not loopback
    inner.Config.initialize("")
    inner.AuthenticationTokenLoader.instance().reset_cache()


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


@contextmanager
def _environment(more: Mapping[str, str], without: tuple[str, ...] = ()) -> Iterator[None]:
    names = (*more, *without)
    before = {name: os.environ.get(name) for name in names}
    os.environ |= more
    for name in without:
        os.environ.pop(name, None)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _own_folder() -> Iterator[Path]:
    """Make a folder that only this user can enter, and remove it with the block; remove those of killed processes.

    Its path is short: Ray puts sockets far below it, and the path of a socket has 107 characters at most.
    """
    parent = runtime_folder()
    for left in parent.glob("ray-*"):
        number = left.name.removeprefix("ray-")
        if number.isdecimal() and (int(number) == os.getpid() or not _runs(int(number))):
            shutil.rmtree(left, ignore_errors=True)
    folder = parent / f"ray-{os.getpid()}"
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _runs(number: int) -> bool:
    """Return whether a process runs; one that was killed may still have its number."""
    try:
        return psutil.Process(number).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
