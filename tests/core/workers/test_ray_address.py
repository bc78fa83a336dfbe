"""The address of a cluster is looked at before Ray waits for it."""

from __future__ import annotations

import socket
from importlib.util import find_spec

import pytest

from core.errors import CornerstoneError
from core.workers.ray_address import is_on_loopback


def free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])


def test_an_address_where_nobody_answers_is_refused_at_once() -> None:
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(CornerstoneError, match=f"no Ray cluster answers at {address} \\(Connection refused\\)"):
        is_on_loopback(address)
    with pytest.raises(CornerstoneError, match=r"no Ray cluster answers at nowhere\.invalid:1 "):
        is_on_loopback("nowhere.invalid:1")


@pytest.mark.slow
@pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed (pip install 'cornerstone[ray]')")
@pytest.mark.parametrize(("listens", "alone"), [("127.0.0.1", True), ("0.0.0.0", False)])
def test_a_cluster_that_others_can_reach_is_not_on_the_loopback_interface_alone(listens: str, alone: bool) -> None:
    from ray.util import get_node_ip_address

    if get_node_ip_address() == "127.0.0.1":
        pytest.skip("this machine has no other interface")
    with socket.create_server((listens, 0)) as server:
        assert is_on_loopback(f"127.0.0.1:{server.getsockname()[1]}") == alone
