"""pyiceberg with Glue and S3 of an endpoint: python pyiceberg_engine.py PORT URL REGION.

Requests: {"read": table, "snapshot": id?, "ms": time?} and {"count": table, "filters": [{column, op, value?}]}.
Source: https://py.iceberg.apache.org/configuration/ , https://py.iceberg.apache.org/api/
"""

import base64
import decimal
import sys

import pyarrow
from pyiceberg.catalog import load_catalog
from pyiceberg.expressions import (
    EqualTo,
    GreaterThanOrEqual,
    IsNull,
    LessThanOrEqual,
)
from pyiceberg.types import BinaryType, BooleanType, DecimalType, LongType, StringType

from server import end_with_parent, plain, serve

OPERATORS = {"=": EqualTo, "<=": LessThanOrEqual, ">=": GreaterThanOrEqual}


def literal(text, column_type):
    """The Python value of a predicate's text: base64 for binary columns."""
    if isinstance(column_type, LongType):
        return int(text)
    if isinstance(column_type, DecimalType):
        return decimal.Decimal(text).quantize(
            decimal.Decimal(1).scaleb(-column_type.scale),
            context=decimal.Context(prec=column_type.precision),
        )
    if isinstance(column_type, BinaryType):
        return base64.b64decode(text)
    if isinstance(column_type, BooleanType):
        return text == "true"
    if isinstance(column_type, StringType):
        return text
    raise TypeError(f"no literal of {column_type}")


def filter_of(table, one):
    if one["op"] == "is null":
        return IsNull(one["column"])
    column_type = table.schema().find_type(one["column"])
    return OPERATORS[one["op"]](one["column"], literal(one["value"], column_type))


def rows(arrow):
    """Rows as lists of values. Structs come as dicts and maps as lists of pairs, so the two do not mix."""
    columns = [shaped(column.type, column.to_pylist()) for column in arrow.columns]
    return {"columns": arrow.column_names, "rows": [list(row) for row in zip(*columns)]}


def shaped(column_type, values):
    def one(kind, value):
        if value is None:
            return None
        if pyarrow.types.is_struct(kind):
            return {"row": {field.name: one(field.type, value[field.name]) for field in kind}}
        if pyarrow.types.is_map(kind):
            return {"map": [[name, one(kind.item_type, item)] for name, item in value]}
        if pyarrow.types.is_list(kind) or pyarrow.types.is_large_list(kind):
            return [one(kind.value_type, item) for item in value]
        return plain(value)

    return [one(column_type, value) for value in values]


def main(port, url, region):
    catalog = load_catalog(
        "glue",
        **{
            "type": "glue",
            "glue.endpoint": url,
            "glue.region": region,
            "s3.endpoint": url,
            "s3.region": region,
            "client.region": region,
            "client.access-key-id": "test",
            "client.secret-access-key": "test",
        },
    )

    def handle(request):
        name = request.get("read") or request["count"]
        table = catalog.load_table(name)
        if "count" in request:
            counts = []
            for one in request["filters"]:
                counts.append(table.scan(row_filter=filter_of(table, one)).count())
            return {"counts": counts}
        snapshot = request.get("snapshot")
        if "ms" in request:
            found = table.snapshot_as_of_timestamp(request["ms"])
            snapshot = None if found is None else found.snapshot_id
        elif snapshot is not None:
            snapshot = int(snapshot)
        return rows(table.scan(snapshot_id=snapshot).to_arrow())

    serve(port, handle)


if __name__ == "__main__":
    end_with_parent()
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
