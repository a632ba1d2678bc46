"""Format eve: one JSON object a line, as Suricata writes them (EVE).

Names and types are those of Suricata's documentation ("Eve JSON Format") and of the schema that it keeps of
them (`etc/schema.json`, version 8); DNS is of EVE's version 2. `flow_id` is made of the uid and so the same
in all events of a connection. What Suricata has no field for stands in the object `tidegate`, under our own
names. Counters of `stats` are those of the last interval, hence `_delta`.
"""

from tidegate.model.batch import Batch
from tidegate.sinks.eve_fields import DNS_ANSWER, DNS_QUERY, SHAPES
from tidegate.sinks.format import row_lines
from tidegate.sinks.nested import Nested


class Eve(Nested):
    """Lines of any tables."""

    SHAPES = SHAPES

    def lines(self, batch: Batch) -> bytes:
        """The rows as lines."""
        return row_lines(self._questions(batch) if batch.table == "dns" else self.of(batch.table, batch))

    def _questions(self, batch: Batch) -> list[str]:
        """A row of dns gives two events, as far as both were seen: the question and its answer."""
        asked, answered = self.of(DNS_QUERY, batch), self.of(DNS_ANSWER, batch)
        found = []
        for question, answer, rcode, rtt in zip(
            asked, answered, *batch.columns(("rcode", "rtt")), strict=True
        ):
            if rcode is None or rtt is not None:
                found.append(question)
            if rcode is not None:
                found.append(answer)
        return found
