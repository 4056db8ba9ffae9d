"""The names `pa` and `pq` for pyarrow and its Parquet files, loaded when a table is first read or written."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

    __all__ = ["pa", "pq"]
else:
    from gradlab._lazy import Late

    pa, pq = Late("pyarrow"), Late("pyarrow.parquet")
