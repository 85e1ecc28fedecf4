"""Python runs this before anything else in every process of Ray: `fastapi` is ferrapi."""

import ferrapi.as_fastapi  # noqa: F401  # for what it does
