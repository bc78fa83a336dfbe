"""A Ray cluster of two nodes on this machine's loopback interface, each with caches of its own.

``python -m tests.support.ray_nodes FOLDER`` starts it, prints its address, and ends it once stdin is closed. The nodes
have their caches, also that of the hub, in FOLDER/first and FOLDER/second, and the token of RAY_AUTH_TOKEN_PATH. A line
``lose NAME`` kills a node as a machine loses its power, ``add NAME`` starts one more; each is answered by a line
once that is done.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ray.cluster_utils import Cluster

_OBJECTS_BYTES = 128 * 2**20


NODES = ("first", "second")


def caches(folder: Path, name: str) -> dict[str, str]:
    """Return the environment of a node, or of a driver beside it: where its caches are."""
    return {"XDG_CACHE_HOME": str(folder / name), "HF_HOME": str(folder / name / "hf"), "HF_HUB_OFFLINE": "1"}


def main() -> None:
    os.environ |= {"RAY_AUTH_MODE": "token", "RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "1"}
    from ray.cluster_utils import Cluster  # it reads its settings when it is loaded

    cluster = Cluster()
    nodes = {name: _added(cluster, name) for name in NODES}
    print(cluster.address, flush=True)
    for line in sys.stdin:
        what, name = line.split()
        if what == "lose":
            cluster.remove_node(nodes.pop(name), allow_graceful=False)
        else:
            nodes[name] = _added(cluster, name)
        print(what, name, flush=True)
    cluster.shutdown()


def _added(cluster: Cluster, name: str) -> Any:
    own = caches(Path(sys.argv[1]), name)
    os.environ |= own
    return cluster.add_node(
        num_cpus=1,
        num_gpus=0,
        include_dashboard=False,
        object_store_memory=_OBJECTS_BYTES,
        node_ip_address="127.0.0.1",
        env_vars=own,
    )


if __name__ == "__main__":
    main()
