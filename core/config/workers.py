"""Check what a run asks of its workers, before anything is loaded."""

from __future__ import annotations

from importlib.util import find_spec

from core.config.run_config import RunConfig
from core.errors import CornerstoneError, Mend


def refuse_no_ray(config: RunConfig) -> None:
    """Refuse workers where Ray is not installed, or where each would take the place of all.

    Raises:
        CornerstoneError: the run wants workers, and cannot have them.
    """
    if config.workers is None and config.ray is None:
        return
    if find_spec("ray") is None:
        raise CornerstoneError("workers are run by Ray, which is not installed", Mend.INSTALL_RAY)
    if config.device == "spread":
        raise CornerstoneError("each worker has one device, so a model that is spread over several has no workers")
    if config.device.startswith("cuda:"):
        raise CornerstoneError(f"each worker has a GPU of its own; say cuda in place of {config.device}")
