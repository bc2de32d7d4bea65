#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""validate.py SCHEMA FILE...: JSON files against a published schema, and the schema against JSON
Schema itself. Members that the schema does not describe are errors, too, except within `run`, which
holds the whole of run.json. Exit 0: valid; 1: not, with the reasons; 77: jsonschema is missing."""
import json
import sys

try:
    import jsonschema
except ImportError:
    sys.exit(77)


def close(schema):
    """Every object that lists its members may have no others."""
    if isinstance(schema, dict):
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
        for name, part in schema.items():
            if name != "run":
                close(part)
    elif isinstance(schema, list):
        for part in schema:
            close(part)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft7Validator.check_schema(schema)
    close(schema)
    validator = jsonschema.Draft7Validator(schema)
    failed = False
    for path in sys.argv[2:]:
        with open(path, encoding="utf-8") as file:
            for error in validator.iter_errors(json.load(file)):
                failed = True
                where = "/".join(str(part) for part in error.absolute_path)
                print(f"{path}: {where}: {error.message[:200]}")
    return 1 if failed else 0


sys.exit(main())
