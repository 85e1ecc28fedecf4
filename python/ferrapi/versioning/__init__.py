"""Versions of an API in one application: ``FastAPI(versioning=Versioning(["1", "2"]))``.

A route says ``versions=">=2"``; so does a router, or an include. Requests name a version in their path, in a header, in
a media type, or in a way of your own. Each version has its own route table, document and pages.
"""

from ._routers import version_of
from ._version import Version, Versioning

__all__ = ["Version", "Versioning", "version_of"]
