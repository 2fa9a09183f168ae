"""Asks SQL of exported tables: ask-tables.py PLACE, one query a line on stdin.

PLACE is a SQLite database, or a folder of Parquet files, each a table. Prints the rows of each query as
one line of JSON.
"""

import json
import os
import sys


def opened(place):
    """A function that answers a query with its rows."""
    if not os.path.isdir(place):
        import sqlite3

        database = sqlite3.connect(f"file:{place}?mode=ro", uri=True)
        return lambda query: database.execute(query).fetchall()
    import duckdb

    database = duckdb.connect()
    for name in sorted(os.listdir(place)):
        table, ending = os.path.splitext(name)
        if ending == ".parquet":
            path = os.path.join(place, name).replace("'", "''")
            database.execute(f"create view {table} as select * from read_parquet('{path}')")
    return lambda query: database.execute(query).fetchall()


ask = opened(sys.argv[1])
for query in sys.stdin.read().splitlines():
    print(json.dumps(ask(query)))
