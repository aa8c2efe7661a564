"""The API asked at length with whatever its document allows, and with what it does not.

    python -m tests.benchmarks.fuzzing PROJECT [EXAMPLES]

PROJECT is a trained dbt project, of which a copy is served. Prints schemathesis' report; a 5xx, an
answer that the document does not name and nonsense that is taken are failures.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.serving import served


def main() -> None:
    examples = sys.argv[2] if len(sys.argv) > 2 else "300"
    with tempfile.TemporaryDirectory() as folder, served(sys.argv[1], Path(folder)) as running:
        # That an id is known and a statement is SQL cannot be said in a schema.
        command = [
            "schemathesis", "run", f"http://127.0.0.1:{running.port}/openapi.json",
            "--phases", "examples,coverage,fuzzing", "--max-examples", examples, "--seed", "1",
            "--request-timeout", "30", "--exclude-checks", "positive_data_acceptance",
        ]  # fmt: skip
        code = subprocess.run(command, cwd=folder, check=False).returncode
    raise SystemExit(code)


if __name__ == "__main__":
    main()
