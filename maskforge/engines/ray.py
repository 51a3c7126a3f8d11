"""Tasks of Ray, on this machine or on those of a cluster."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

from maskforge import engines, extras
from maskforge.engines import _tasks
from maskforge.errors import UsageError

# Else deaths are told on standard output, and a Ray of our own is not on loopback alone.
_QUIET = {"RAY_DEDUP_LOGS_SKIP_REGEX": ".", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
_OWN = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_USAGE_STATS_ENABLED": "0"}
_HELP = "Cluster of Ray to work on. [default: a Ray that starts here and ends]"


@dataclass(frozen=True, slots=True)
class Options(engines.Options):
    """address: of a cluster, which is left running."""

    address: str | None = field(default=None, metadata={"metavar": "HOST:PORT", "help": _HELP})

    @property
    def elsewhere(self) -> bool:
        """Whether it is a cluster that knows its own workers."""
        return bool(self.address)


class Team(_tasks.Team):
    """The Ray of a cluster; without address that of this program, else one that starts here."""

    def __init__(self, workers: int, options: Options | None = None) -> None:
        address = options.address if options else None
        for name, value in (_QUIET if address else _QUIET | _OWN).items():
            os.environ.setdefault(name, value)  # Ray looks at it when it is imported
        try:
            import ray
        except ImportError as error:
            raise UsageError("Ray is not installed", cure=extras.install("ray")) from error
        self._ray, self._is_ours = ray, bool(address) or not ray.is_initialized()
        more: dict[str, Any] = {} if address else {"num_cpus": workers, "include_dashboard": False}
        try:
            _tasks.reach(address)  # Ray itself would try for minutes
            if self._is_ours:
                ray.init(address or "local", log_to_driver=False, logging_level="ERROR", **more)
        except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
            raise _tasks.no_answer("Ray", address, error) from error
        self.at_once = max(1, min(workers, int(ray.cluster_resources().get("CPU", 1))))
        self._start = ray.remote(max_retries=0)(lambda do, jobs: do(jobs)).remote
        self._get, self._cancel = ray.get, ray.cancel  # not by force, which has crashed Ray 2.60
        self._failed, self._lost = ray.exceptions.RayTaskError, ray.exceptions.RayError
        self._lost_machine = ray.exceptions.NodeDiedError, ray.exceptions.ObjectLostError

    def _under_way(self, tasks: list[Any], *, wait: bool) -> list[Any]:
        count, seconds = (1, None) if wait else (len(tasks), 0)
        return list(self._ray.wait(tasks, num_returns=count, timeout=seconds)[1])

    def leave(self) -> None:
        """Leave the cluster, or end the Ray that was started here."""
        if self._is_ours:
            self._ray.shutdown()
