"""Format ecs: one JSON object a line, in the fields of the Elastic Common Schema.

Names, types and the allowed values of `event.kind`, `event.category` and `event.type` are those of its field
reference, held against its list of fields in version 9.5. What it has no field for stands in the object
`tidegate`, under our own names, as the schema asks of custom fields. Fields that are missing are left out.
"""

from collections.abc import Iterable, Sequence

from tidegate.model.batch import Batch
from tidegate.sinks.ecs_fields import SHAPES
from tidegate.sinks.ecs_relay import EcsRelay, fields
from tidegate.sinks.format import row_lines
from tidegate.sinks.nested import Field, Nested


def fields_of(table: str) -> Sequence[Field]:
    """What documents of a table have, and the columns it is made of."""
    return fields() if table == "relay" else SHAPES[table]().fields


class Ecs(Nested):
    """Lines of any tables."""

    SHAPES = SHAPES

    def __init__(self, columns: Sequence[str] = (), tables: Iterable[str] = ()) -> None:
        """Writes all fields, or those made of these columns; of `tables` each has to have them."""
        super().__init__(columns, tables)
        self._relay = EcsRelay(columns)

    def lines(self, batch: Batch) -> bytes:
        """The rows as lines."""
        if batch.table == "relay":
            return self._relay.lines(batch)
        return row_lines(self.of(batch.table, batch))
