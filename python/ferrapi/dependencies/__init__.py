"""From a callable's signature to validated keyword arguments.

`_declaration` and `_dependant` read signatures into a tree (`models.Dependant`); `_values`, `_body` and `_forms`
validate what a request carries for it; `_plain` says what the native reader may validate early. The engine that walks
the tree is `ferrapi.routing._plan`.
"""

from typing import TYPE_CHECKING

from .._names import names_of

if not TYPE_CHECKING:  # a misspelt name stays an error for type checkers
    __getattr__ = names_of(__name__)
