"""A YAML file that a person may have written, parsed; a mistake is one sentence.

Not here: files whose mistakes are told by key and line (orchestration/config/marked_yaml.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from storage.errors import JourneymartError


def read_yaml(path: Path) -> Any:  # noqa: ANN401 - whatever stands in the file
    """What a file says.

    Raises:
        JourneymartError: It is not YAML.
    """
    try:
        return yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise JourneymartError(f"{path}{line}: this is not valid YAML: {error.problem}.") from None
    except yaml.YAMLError:
        raise JourneymartError(
            f"{path}: it holds characters YAML forbids, or is not UTF-8 text: take them out, and save it as UTF-8."
        ) from None
    except ValueError as error:
        raise JourneymartError(f"{path}: this is not valid YAML: {error}.") from None
