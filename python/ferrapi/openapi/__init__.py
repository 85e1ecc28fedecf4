"""The OpenAPI document of an application and the pages that show it.

`utils` builds the document, `docs` the Swagger UI and ReDoc pages, `models` names the parts of a document.
Nothing here is imported before an application asks for its document or pages, `models` excepted, which the
security schemes need.
"""

from typing import TYPE_CHECKING

from .._names import names_of

if not TYPE_CHECKING:  # a misspelt name stays an error for type checkers
    __getattr__ = names_of(__name__)
