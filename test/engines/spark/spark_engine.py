"""Spark with Iceberg, Glue and S3 of an endpoint: python spark_engine.py PORT URL REGION JARS.

Requests: {"sql": statement}; answers columns and rows.
Iceberg's vectorised Parquet reader is off: it crashed the Java machine inside Arrow's memory code on Java 17.
Source: https://iceberg.apache.org/docs/1.4.3/spark-configuration/ , https://iceberg.apache.org/docs/1.4.3/aws/
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "python"))

from pyspark.sql import SparkSession
from pyspark.sql.types import ArrayType, MapType, StructType

from server import end_with_parent, plain, serve


def shaped(kind, value):
    """A value by its type. Structs are told from maps by the type, since both may come as dicts."""
    if value is None:
        return None
    if isinstance(kind, StructType):
        return {"row": {field.name: shaped(field.dataType, value[field.name]) for field in kind}}
    if isinstance(kind, MapType):
        return {"map": [[name, shaped(kind.valueType, one)] for name, one in value.items()]}
    if isinstance(kind, ArrayType):
        return [shaped(kind.elementType, one) for one in value]
    return plain(value)


def session(url, region, jars):
    lake = "spark.sql.catalog.glue"
    settings = {
        "spark.jars": jars,
        "spark.driver.memory": "1500m",
        "spark.ui.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.iceberg.vectorization.enabled": "false",
        "spark.sql.defaultCatalog": "glue",
        lake: "org.apache.iceberg.spark.SparkCatalog",
        f"{lake}.catalog-impl": "org.apache.iceberg.aws.glue.GlueCatalog",
        f"{lake}.io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
        f"{lake}.warehouse": "s3://tidelake/warehouse",
        f"{lake}.glue.endpoint": url,
        f"{lake}.s3.endpoint": url,
        f"{lake}.s3.path-style-access": "true",
        f"{lake}.client.region": region,
        # Every statement sees the table as it is now.
        f"{lake}.cache-enabled": "false",
    }
    builder = SparkSession.builder.master("local[2]").appName("engines")
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def main(port, url, region, jars):
    os.environ["TZ"] = "UTC"
    spark = session(url, region, jars)
    # Statements name tables without their database, as they do in Athena.
    spark.sql("USE glue.lake")

    def handle(request):
        frame = spark.sql(request["sql"])
        fields = frame.schema.fields
        return {
            "columns": [field.name for field in fields],
            "rows": [
                [shaped(field.dataType, row[i]) for i, field in enumerate(fields)]
                for row in frame.collect()
            ],
        }

    serve(port, handle)


if __name__ == "__main__":
    end_with_parent()
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4])
