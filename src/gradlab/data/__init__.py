"""Data sets in memory: train, validation and test, with a guard that keeps test out of training."""

from typing import TYPE_CHECKING

from gradlab._lazy import attach

if TYPE_CHECKING:
    from gradlab.data.batches import gather as gather
    from gradlab.data.batches import order as order
    from gradlab.data.contents import Arrays as Arrays
    from gradlab.data.contents import DataInfo as DataInfo
    from gradlab.data.datasets import Dataset as Dataset
    from gradlab.data.guard import refuse_test as refuse_test
    from gradlab.data.loading import load as load
    from gradlab.data.reading import arrays as arrays
    from gradlab.data.reading import info as info
    from gradlab.data.registry import DATASETS as DATASETS
    from gradlab.data.splits import Split as Split
    from gradlab.data.tensors import from_tensors as from_tensors

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Arrays": "contents",
        "DATASETS": "registry",
        "DataInfo": "contents",
        "Dataset": "datasets",
        "Split": "splits",
        "arrays": "reading",
        "from_tensors": "tensors",
        "gather": "batches",
        "info": "reading",
        "load": "loading",
        "order": "batches",
        "refuse_test": "guard",
    },
)
