"""Ray core as the cluster on which units run: tasks with their needs, progress through a queue."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from gradlab.lab.running.cluster import Needs, needs_of, run_on
from gradlab.lab.running.local import ENVIRONMENT, Event, Hear, usable_cores
from gradlab.lab.running.performing import Bench
from gradlab.lab.running.remote import do_task
from gradlab.lab.running.units import Unit
from gradlab.types import UserError

CHECK, MISSES = 2.0, 3
"""Seconds between two looks whether the head answers, and how many it may leave unanswered."""
SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is sent anywhere
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_worker_niceness": "0",  # workers are the study itself: as important as those of the local executor
}
"""Of Ray on this machine, where nothing else is said."""
STORE_BYTES = 100 * 2**20
"""Of Ray's own object store on this machine: tasks and events are small, records go through files."""


def check_ray() -> None:
    """Raise UserError unless Ray is installed; does not import it."""
    found = find_spec("ray")
    if found is None or found.origin is None:
        raise UserError("--executor ray needs a package that is not installed: pip install 'gradlab[ray]'")


def run_on_ray(
    units: Sequence[Unit], bench: Bench, *, address: str | None, workers: int | None, on_event: Hear
) -> None:
    """Run units as Ray tasks until all have records; arguments as below, errors also as for `cluster.run_on`."""
    on_event({"event": "status", "text": f"connecting to Ray at {address or 'this machine'}"})
    with ray_cluster(address, needs_of(units[0]), workers) as cluster:
        on_event({"event": "status", "text": f"handing units to Ray, {cluster.slots} at a time"})
        run_on(cluster, units, bench, on_event=on_event)


@contextlib.contextmanager
def ray_cluster(address: str | None, needs: Needs, workers: int | None = None) -> Iterator[RayCluster]:
    """Connect to a Ray cluster, or start one on this machine that ends with the block.

    Args:
        address: of the head, such as "10.0.0.1:6379", or "auto"; None is this machine alone.
        workers: how many cores a cluster on this machine has; all that may be used if None.

    Raises:
        UserError: Ray is not installed, nobody answers there, or no node has what a unit needs.
    """
    check_ray()
    import ray

    ours = not ray.is_initialized()
    if ours:
        _connect(ray, address, workers or usable_cores())
    try:
        with contextlib.closing(RayCluster(ray, needs)) as cluster:
            _refuse_unmet(cluster, needs)
            yield cluster
    finally:
        if ours:
            ray.shutdown()


def _connect(ray: Any, address: str | None, cores: int) -> None:
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address is None:
        more = {"num_cpus": cores, "include_dashboard": False, "object_store_memory": STORE_BYTES}
        ray.init(
            address="local", _node_ip_address="127.0.0.1", **quiet, **more
        )  # no other machine reaches it
        return
    if ":" in address and not _answers(address):  # Ray itself would try for minutes
        raise UserError(
            f"no Ray cluster answers at {address}; start one with ray start --head, and run gradlab on one of its nodes."
        )
    try:
        ray.init(address=address, **quiet)
    except (ConnectionError, ValueError, RuntimeError, OSError) as error:
        raise UserError(_refusal(address, error)) from error


def _refusal(address: str, error: BaseException) -> str:
    """Say why a cluster took nobody in: most often it wants its token."""
    why = next(iter(str(error).strip().splitlines()), type(error).__name__)[:300]
    chain = [error]
    while (below := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(below)
    if any("AuthToken" in str(one) or "AuthenticationError" in str(one) for one in chain):
        return (
            f"the Ray cluster at {address} asks for its token; set RAY_AUTH_MODE=token, and give the token as "
            "docs/cluster.md says."
        )
    return f"the Ray cluster at {address} takes no study from here ({why}); run gradlab on one of its nodes."


def _refuse_unmet(cluster: RayCluster, needs: Needs) -> None:
    if cluster.slots == 0:
        lacks = "GPU" if needs.gpus else "CPU"
        raise UserError(
            f"no node of the Ray cluster has a {lacks} to offer; add one with ray start --address …, or choose another --device."
        )


@dataclass
class RayCluster:
    """Tasks on Ray; each is asked for once, so that whoever asked decides what a lost worker's unit becomes."""

    ray: Any
    needs: Needs
    tasks: dict[Any, str] = field(default_factory=dict)
    misses: int = 0
    checked: float = -CHECK
    slots: int = 0
    """How many units fit on the nodes that were there when last looked."""

    def __post_init__(self) -> None:
        from ray.util.queue import Queue
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        context = self.ray.get_runtime_context()
        self.head, self.node = context.gcs_address, context.get_node_id()
        here = NodeAffinitySchedulingStrategy(self.node, soft=False)
        self.said = Queue(actor_options={"num_cpus": 0, "scheduling_strategy": here})
        names = {name: value for name, value in os.environ.items() if name.startswith("GRADLAB_")}
        self._check_head()
        self.work = self.ray.remote(
            num_cpus=self.needs.cpus,
            num_gpus=self.needs.gpus,
            max_retries=0,
            runtime_env={"env_vars": ENVIRONMENT | names},
        )(_work)

    def submit(self, unit: str, task: Event) -> None:
        """Hand over a task."""
        self.tasks[self.work.remote(task, self.said)] = unit

    def hear(self, seconds: float) -> list[Event]:
        """Return what tasks said within some seconds, then how some of them ended."""
        ended: list[Any] = []
        if self.tasks:
            ended, _ = self.ray.wait(list(self.tasks), num_returns=len(self.tasks), timeout=0)
            if not ended:
                ended, _ = self.ray.wait(list(self.tasks), num_returns=1, timeout=seconds)
        else:
            time.sleep(seconds)
        self._check_head()
        found = self._said()  # a task ends after what it said has arrived
        return found + [self._end(task) for task in ended]

    def _said(self) -> list[Event]:
        try:
            count = self.said.qsize()
            return list(self.said.get_nowait_batch(count)) if count else []
        except self.ray.exceptions.RayError as error:  # it lives on this very node
            raise self._gone() from error

    def _end(self, task: Any) -> Event:
        """Return how a task ended."""
        unit, errors = self.tasks.pop(task), self.ray.exceptions
        try:
            return dict(self.ray.get(task))
        except errors.RayTaskError as error:
            return {"event": "crashed", "unit": unit, "text": str(error)}
        except errors.OutOfMemoryError:
            return {"event": "lost", "unit": unit, "message": "its node ran out of memory"}
        except errors.RayError as error:
            what = "its node was lost" if "Node" in type(error).__name__ else "its worker process died"
            return {"event": "lost", "unit": unit, "message": what}

    def _check_head(self) -> None:
        """See that the head still answers and that this node belongs to it; Ray itself would wait for a minute, or for ever.

        Raises:
            UserError: several times it did not.
        """
        if time.monotonic() < self.checked + CHECK:
            return
        self.checked = time.monotonic()
        answers = _answers(self.head)
        self.misses = 0 if answers else self.misses + 1
        if answers:
            nodes = {one["NodeID"]: one["Resources"] for one in self.ray.nodes() if one["Alive"]}
            self.slots = sum(_room(resources, self.needs) for resources in nodes.values())
        if self.misses >= MISSES or (answers and self.node not in nodes):
            raise self._gone()

    def _gone(self) -> UserError:
        return UserError(
            f"the Ray cluster at {self.head} has gone; start it and ask again: finished runs are kept, and the others go on "
            "from their checkpoints."
        )

    def close(self) -> None:
        """Take back what was handed over; no task of ours goes on."""
        with contextlib.suppress(self.ray.exceptions.RayError, ConnectionError, OSError):
            for task in self.tasks:
                self.ray.cancel(task, force=True)
            self.said.shutdown(force=True)


def _room(resources: dict[str, float], needs: Needs) -> int:
    """How many units fit on a node."""
    counts = [int(resources.get("CPU", 0) // needs.cpus)]
    counts += [int(resources.get("GPU", 0) // needs.gpus)] if needs.gpus else []
    return min(counts)


def _answers(address: str) -> bool:
    """Whether anybody listens at "host:port"."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=CHECK):
            return True
    except (OSError, ValueError):
        return False


def _work(task: Event, said: Any) -> Event:
    """Do a unit on a node; what it says goes through the queue."""
    return do_task(task, said.put)
