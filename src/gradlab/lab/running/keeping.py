"""Copies of finished runs in an object store, made beside the work."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from gradlab.lab.records.objects import ObjectStore
from gradlab.lab.records.record import Store
from gradlab.lab.running.local import Event, Hear
from gradlab.lab.running.units import Unit


@contextlib.contextmanager
def kept_in(
    objects: ObjectStore | None, units: Sequence[Unit], store: Store, on_event: Hear
) -> Iterator[Hear]:
    """Yield what hears the events of units; the records of those that are done are copied to the object store meanwhile.

    Raises:
        UserError: the store cannot be written: before anything is done, or with the first copy that fails.
    """
    if objects is None:
        yield on_event
        return
    objects.check()
    named = {unit.name: unit for unit in units}
    copies: list[Future[Any]] = []
    with ThreadPoolExecutor(1, "gradlab-store") as pool:

        def hear(event: Event) -> None:
            on_event(event)
            for one in [one for one in copies if one.done()]:
                one.result()
                copies.remove(one)
            if event["event"] == "done":
                records = [store.get(bound.hash) for bound in named[event["unit"]].bounds]
                copies.extend(pool.submit(objects.keep, record) for record in records)

        try:
            yield hear
            for one in copies:
                one.result()
        finally:
            pool.shutdown(cancel_futures=True)
