"""Data sets in memory: train, validation and test, with a guard that keeps test out of training."""

from typing import TYPE_CHECKING

from gradlab._lazy import attach

if TYPE_CHECKING:
    from gradlab.data._planted import planted_masks as planted_masks
    from gradlab.data._resampling import resample as resample
    from gradlab.data.batches import draw as draw
    from gradlab.data.batches import gather as gather
    from gradlab.data.batches import order as order
    from gradlab.data.catalogue import check as check
    from gradlab.data.catalogue import get as get
    from gradlab.data.catalogue import list_datasets as list_datasets
    from gradlab.data.contents import Arrays as Arrays
    from gradlab.data.contents import DataInfo as DataInfo
    from gradlab.data.contents import Texts as Texts
    from gradlab.data.datasets import Dataset as Dataset
    from gradlab.data.derivation import Derivation as Derivation
    from gradlab.data.derivation import parse as parse
    from gradlab.data.guard import refuse_test as refuse_test
    from gradlab.data.loading import load as load
    from gradlab.data.overlap import Overlap as Overlap
    from gradlab.data.overlap import overlap as overlap
    from gradlab.data.reading import arrays as arrays
    from gradlab.data.reading import info as info
    from gradlab.data.reading import read as read
    from gradlab.data.registry import DATASETS as DATASETS
    from gradlab.data.registry import Role as Role
    from gradlab.data.splits import Split as Split
    from gradlab.data.tensors import from_tensors as from_tensors
    from gradlab.data.text_datasets import TextDataset as TextDataset
    from gradlab.data.text_datasets import TextSplit as TextSplit
    from gradlab.data.texts import from_texts as from_texts

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Arrays": "contents",
        "DATASETS": "registry",
        "DataInfo": "contents",
        "Overlap": "overlap",
        "Role": "registry",
        "Dataset": "datasets",
        "Derivation": "derivation",
        "Split": "splits",
        "TextDataset": "text_datasets",
        "TextSplit": "text_datasets",
        "Texts": "contents",
        "arrays": "reading",
        "check": "catalogue",
        "draw": "batches",
        "from_tensors": "tensors",
        "from_texts": "texts",
        "gather": "batches",
        "get": "catalogue",
        "info": "reading",
        "list_datasets": "catalogue",
        "load": "loading",
        "order": "batches",
        "overlap": "overlap",
        "parse": "derivation",
        "planted_masks": "_planted",
        "read": "reading",
        "refuse_test": "guard",
        "resample": "_resampling",
    },
)
