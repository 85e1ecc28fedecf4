"""The logger that every module of the package writes to; configure it as `logging.getLogger("ferrapi")`."""

import logging

__all__ = ["logger"]

logger = logging.getLogger("ferrapi")
