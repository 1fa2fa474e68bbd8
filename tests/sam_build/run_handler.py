"""Stands for the Lambda runtime: imports one built handler with nothing but the built artefacts on its path; runs it.

Executed by python3.13 in isolated mode, so that neither this checkout nor an environment variable adds a path:
run_handler.py EVENT ANSWER PATH… reads the event and writes what the handler returned.
"""

import importlib
import json
import sys
from pathlib import Path

if __name__ == "__main__":
    event, answer, *paths = sys.argv[1:]
    # as in the runtime: the function, the layers, what the runtime brings, the standard library
    standard_library = [path for path in sys.path if "site-packages" not in path]
    sys.path[:] = [*paths, *standard_library]
    handler = importlib.import_module("handler")
    returned = handler.lambda_handler(json.loads(Path(event).read_text(encoding="utf-8")), None)
    origins = {name: getattr(module, "__file__", None) for name, module in sys.modules.items() if "." not in name}
    Path(answer).write_text(json.dumps({"returned": returned, "origins": origins}), encoding="utf-8")
