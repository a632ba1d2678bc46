"""Format ecs: one JSON object a line, in the fields of the Elastic Common Schema.

Names, types and the allowed values of `event.kind`, `event.category` and `event.type` are those of its field
reference, held against its list of fields in version 9.5. What it has no field for stands in the object
`tidegate`, under our own names, as the schema asks of custom fields. Fields that are missing are left out.
"""

from collections.abc import Iterable, Sequence

from tidegate.model.batch import Batch
from tidegate.sinks.ecs_fields import SHAPES
from tidegate.sinks.format import Headless, check_columns, row_lines
from tidegate.sinks.nested import Shape


class Ecs(Headless):
    """Lines of any tables."""

    def __init__(self, columns: Sequence[str] = (), tables: Iterable[str] = ()) -> None:
        """Writes all fields, or those made of these columns; of `tables` each has to have them."""
        for table in tables:
            check_columns(table, columns)
        self._columns = columns
        self._shapes: dict[str, Shape] = {}

    def lines(self, batch: Batch) -> bytes:
        """The rows as lines."""
        shape = self._shapes.get(batch.table)
        if shape is None:
            shape = SHAPES[batch.table]()
            shape = self._shapes[batch.table] = shape.of(self._columns) if self._columns else shape
        return row_lines(shape.lines(batch))
