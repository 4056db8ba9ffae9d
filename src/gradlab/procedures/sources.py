"""Networks that are there already: a user's own module, or the network of a record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic.dataclasses import dataclass

from gradlab.lab.designing.procedure import Procedure
from gradlab.lab.kinds import Kind
from gradlab.types import STRICT

if TYPE_CHECKING:
    from torch import nn

    from gradlab.lab.records.record import Store
    from gradlab.lab.running.desk import Desk


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Given(Procedure):
    """A person's own trained network, which lives in this process.

    Attributes:
        name: as the person calls it. digest: of its state, and of its outputs on fixed images.
    """

    kind: Literal["given"] = "given"
    name: str
    digest: str


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FromRecord(Procedure):
    """The network of a record that is there already, from whatever study."""

    kind: Literal["record"] = "record"
    record: str


def _given(source: Given, desk: Desk, _store: Store) -> nn.Module:
    import copy

    return copy.deepcopy(desk.modules[source.name])  # type: ignore[no-any-return]


def _of_record(source: FromRecord, desk: Desk, store: Store) -> Any:
    record = store.get(source.record)
    kind = desk.toolbox.kinds[record.spec["procedure"]["kind"]]
    return kind.network(record, desk, store)


GIVEN = Kind(
    name="given",
    title="a given network",
    configuration=Given,
    network=_given,
    draws=False,
    here=lambda _: True,
    software=(),
)
RECORD = Kind(
    name="record",
    title="the network of a record",
    configuration=FromRecord,
    network=_of_record,
    draws=False,
    software=(),
)
