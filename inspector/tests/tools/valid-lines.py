"""Holds lines of JSON, read from stdin, against a JSON Schema: valid-lines.py SCHEMA.

Stricter than the schema is to others: a field that it does not name is an error. Prints the names of
the definitions that were met, one a line.
"""

import json
import sys

import jsonschema


def strict(schema):
    """The schema, with no field that it does not name."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: strict(value) for name, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        made.setdefault("additionalProperties", False)
    return made


with open(sys.argv[1], encoding="utf-8") as file:
    schema = strict(json.load(file))
jsonschema.Draft202012Validator.check_schema(schema)
met = set()
for number, line in enumerate(sys.stdin, 1):
    value = json.loads(line)
    name = value.get("event", "header")
    if name not in schema["$defs"] or (number == 1) != (name == "header"):
        sys.exit(f"line {number}: {name} is no event")
    # Its own definition alone, so that an error names the field.
    own = {"$ref": f"#/$defs/{name}", "$defs": schema["$defs"]}
    for error in jsonschema.Draft202012Validator(own).iter_errors(value):
        sys.exit(f"line {number}: {error.json_path}: {error.message}: {line}")
    jsonschema.Draft202012Validator(schema).validate(value)
    met.add(name)
print("\n".join(sorted(met)))
