"""`run_at_once`, where the protocol's modules look for it."""

from .._at_once import run_at_once as run_at_once
