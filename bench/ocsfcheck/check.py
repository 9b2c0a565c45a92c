"""Check OCSF events against the JSON Schema of the package ocsf-json-schema.

Reads one event a line from standard input. Prints what is wrong, and exits with
1 if anything is or if there was nothing to check. It is a second opinion beside
the project's own validator (schema/ocsf) and shares no code or data with it.
"""

import collections
import json
import sys

from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

VERSION = "1.8.0"
MOST = 20  # problems that are printed


def main() -> int:
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=VERSION))
    validators = {}
    problems = collections.Counter()
    events = bad = 0
    for line in sys.stdin:
        event = json.loads(line)
        events += 1
        profiles = event["metadata"].get("profiles", [])
        key = (event["class_uid"], tuple(profiles))
        if key not in validators:
            name = schema.lookup_class_name_from_uid(class_uid=event["class_uid"])
            validators[key] = Draft202012Validator(schema.get_class_schema(class_name=name, profiles=profiles))
        found = False
        for error in validators[key].iter_errors(event):
            found = True
            path = ".".join(str(p) for p in error.absolute_path if not isinstance(p, int))
            problems[f"{path}: {error.message[:160]}"] += 1
        bad += found
    for text, count in problems.most_common(MOST):
        print(f"{count:6} {text}")
    print(f"{events} events checked against OCSF {VERSION}, {bad} not valid")
    return 1 if bad or not events else 0


if __name__ == "__main__":
    sys.exit(main())
