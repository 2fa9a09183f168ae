"""Reads a Perfetto trace by the official schema: strict-trace.py TRACE.

A field that the schema does not know is an error. Prints how many packets hold what, one a line.
"""

import collections
import sys

from google.protobuf.unknown_fields import UnknownFieldSet
from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace


def check(message, at):
    unknown = [field.field_number for field in UnknownFieldSet(message)]
    if unknown:
        sys.exit(f"{at}: fields that the schema does not know: {unknown}")
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        try:
            inner = list(value)
        except TypeError:
            inner = [value]
        for one in inner:
            check(one, f"{at}.{field.name}")


trace = Trace()
with open(sys.argv[1], "rb") as file:
    content = file.read()
if trace.ParseFromString(content) != len(content):
    sys.exit("not read to its end")
kinds = collections.Counter()
for number, packet in enumerate(trace.packet):
    check(packet, f"packet {number}")
    kinds[packet.WhichOneof("data") or "nothing"] += 1
for kind, count in sorted(kinds.items()):
    print(f"{kind} {count}")
