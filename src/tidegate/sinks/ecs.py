"""Format ecs: one JSON object a line, in the fields of the Elastic Common Schema.

Names, types and the allowed values of `event.kind`, `event.category` and `event.type` are those of its field
reference, held against its list of fields in version 9.5. What it has no field for stands in the object
`tidegate`, under our own names, as the schema asks of custom fields. Fields that are missing are left out.
"""

from tidegate.model.batch import Batch
from tidegate.sinks.ecs_fields import SHAPES
from tidegate.sinks.format import row_lines
from tidegate.sinks.nested import Nested


class Ecs(Nested):
    """Lines of any tables."""

    SHAPES = SHAPES

    def lines(self, batch: Batch) -> bytes:
        """The rows as lines."""
        return row_lines(self.of(batch.table, batch))
