"""Networks that are there already: a user's own module, or the network of a record."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gradlab._configuration import dataclass
from gradlab.lab.designing.procedure import Procedure, WeightsName
from gradlab.lab.kinds import Kind
from gradlab.models.registry import Model
from gradlab.types import STRICT, Count, PositiveFloat, UserError

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


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Pretrained(Procedure):
    """Weights in a safetensors file, for a network that gradlab can build.

    Attributes:
        model: the network. weights: path of the file, whose keys are those of the network.
        input_shape: (C, H, W) of its images. classes: how many. mean, std: of each channel, on the [0, 1] scale.
    """

    kind: Literal["pretrained"] = "pretrained"
    model: Model
    weights: WeightsName
    input_shape: tuple[Count, Count, Count]
    classes: Count
    mean: tuple[float, ...] = (0.0,)
    std: tuple[PositiveFloat, ...] = (1.0,)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Saved(Procedure):
    """The network of a model folder, as `gradlab train` writes it.

    Attributes:
        folder: path of its model.json, which holds the checksum of the weights beside it.
    """

    kind: Literal["saved"] = "saved"
    folder: WeightsName


def _given(source: Given, desk: Desk, _store: Store) -> nn.Module:
    return copy.deepcopy(desk.modules[source.name])  # type: ignore[no-any-return]


def network_of_record(source: FromRecord, desk: Desk, store: Store) -> Any:
    """Return the network that a record left, of whatever kind that leaves one."""
    record = store.get(source.record)
    kind = desk.toolbox.kinds[record.spec["procedure"]["kind"]]
    if kind.network is None:
        raise UserError(
            f"record {record.hash} is of kind '{kind.name}', which leaves no network; name a training."
        )
    return kind.network(record, desk, store)


def _pretrained(source: Pretrained, desk: Desk, _store: Store) -> nn.Module:
    from gradlab.models.weights import put_weights

    network = source.model.build(source.input_shape, source.classes, seed=0, mean=source.mean, std=source.std)
    put_weights(network, desk.toolbox.unpack(Path(source.weights)), source.weights)
    return network


def _saved(source: Saved, _desk: Desk, _store: Store) -> nn.Module:
    from gradlab.models.saving import load

    return load(Path(source.folder).parent)


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
    network=network_of_record,
    draws=False,
    software=(),
)
PRETRAINED = Kind(
    name="pretrained",
    title="pretrained weights",
    configuration=Pretrained,
    network=_pretrained,
    draws=False,
    software=(),
)
SAVED = Kind(
    name="saved",
    title="a saved model",
    configuration=Saved,
    network=_saved,
    draws=False,
    software=(),
)
