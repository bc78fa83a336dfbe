"""Look at the address of a Ray cluster before it is joined: Ray itself waits for minutes where nobody answers."""

from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import Final

from core.errors import CornerstoneError

_PATIENCE_S: Final = 5.0


def is_on_loopback(address: str) -> bool:
    """Return whether a cluster listens on this machine's loopback interface alone.

    Ray takes 127.0.0.1 for this machine's address in its network, unless it is told that there is no other one.

    Args:
        address: HOST:PORT; an address of IPv6 stands in brackets.

    Raises:
        CornerstoneError: nobody answers there.
    """
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    fault = _fault(host, int(port))
    if fault is not None:
        raise CornerstoneError(
            f"no Ray cluster answers at {address} ({fault}): is its first machine started, and the port let through?"
        )
    return _is_loopback(host) and _fault(_own_address(), int(port)) is not None


def _fault(host: str, port: int) -> str | None:
    """Return why nobody can be reached at a port; None if somebody can."""
    try:
        with socket.create_connection((host, port), _PATIENCE_S):
            return None
    except OSError as error:
        return error.strerror or str(error) or type(error).__name__


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _own_address() -> str:
    from ray.util import get_node_ip_address

    return str(get_node_ip_address())
